//! Writes the pictures of a record's first benchmark into a folder, and its figures to
//! standard output: `cargo run -p lab-report --example pictures FILE FOLDER`

use std::{env, error::Error, fs, io::Write, path::Path};

use lab_report::lang::Lang;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(file), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: pictures EVENTS FOLDER".into());
    };
    let (report, _) = lab_report::read::read_report(Path::new(&file))?;
    let benchmark = report.benchmarks.first().ok_or("no benchmark in it")?;
    fs::create_dir_all(&folder)?;
    for picture in lab_report::pictures::of(benchmark, Lang::English) {
        fs::write(Path::new(&folder).join(picture.file), picture.svg)?;
    }
    std::io::stdout().write_all(lab_report::bench::table(benchmark, Lang::English).as_bytes())?;
    Ok(())
}
