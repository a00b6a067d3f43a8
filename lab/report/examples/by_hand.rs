//! Prints what a report says to do by hand, as a script for a shell:
//! `cargo run -p lab-report --example by_hand FILE`

use std::{env, error::Error, io::Write, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: by_hand EVENTS")?;
    let recording = lab_report::read::read_file(Path::new(&file))?;
    let report = lab_report::fold::fold(&recording.events);
    let mut out = std::io::stdout();
    for (chapter, command) in lab_report::lessons::by_hand(&report) {
        writeln!(out, "# {chapter}\n{command}")?;
    }
    Ok(())
}
