//! Writes a record of so many events to standard output, to see what is made of it, how
//! fast and with how much memory:
//! `cargo run --release -p lab-report --example large 100000 > large.ndjson`, then the
//! example `page` on it.

mod record;

use std::{env, error::Error, io::Write};

fn main() -> Result<(), Box<dyn Error>> {
    let number = env::args().nth(1).map_or(Ok(100_000), |it| it.parse())?;
    std::io::stdout().write_all(&record::record(number)?)?;
    Ok(())
}
