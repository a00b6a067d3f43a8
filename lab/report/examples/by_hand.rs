//! Prints what a report says to do by hand, as a script for a shell:
//! `cargo run -p lab-report --example by_hand FILE`

use std::{env, error::Error, io::Write, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: by_hand EVENTS")?;
    let (report, _) = lab_report::read::read_report(Path::new(&file))?;
    let mut out = std::io::stdout();
    for (chapter, command) in lab_report::lessons::by_hand(&report) {
        writeln!(out, "# {chapter}\n{command}")?;
    }
    Ok(())
}
