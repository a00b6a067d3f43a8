//! Writes a record as Cucumber Messages to standard output:
//! `cargo run -p lab-report --example messages FILE`

use std::{env, error::Error, io::Write, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: messages EVENTS")?;
    let (report, _) = lab_report::read::read_report(Path::new(&file))?;
    std::io::stdout().write_all(lab_report::messages::render(&report).as_bytes())?;
    Ok(())
}
