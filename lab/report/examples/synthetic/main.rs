//! Writes `fixtures/runs/synthetic-*.ndjson`: made-up streams that show what no single
//! real run does. None of their figures was measured.
//!
//! `cargo run -p lab-report --example synthetic`

mod load;
mod parts;
mod runs;
mod stream;

use std::{error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/runs");
    fs::create_dir_all(&folder)?;
    for (name, stream) in runs::all()? {
        fs::write(
            folder.join(format!("synthetic-{name}.ndjson")),
            stream.into_lines()?,
        )?;
    }
    Ok(())
}
