//! Writes a record's page to standard output: `cargo run -p lab-report --example page FILE`

use std::{env, error::Error, io::Write, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: page EVENTS")?;
    let (report, _) = lab_report::read::read_report(Path::new(&file))?;
    std::io::stdout()
        .write_all(lab_report::html::render(&report, lab_report::lang::Lang::Korean).as_bytes())?;
    Ok(())
}
