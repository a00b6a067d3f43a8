//! What a large record costs: 100,000 events, from the file to the page.

#[path = "../examples/large/record.rs"]
mod record;

use std::{error::Error, fs, hint::black_box};

use criterion::Criterion;
use lab_report::{html, lang::Lang, read::read_report};

const EVENTS: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("events.ndjson");
    fs::write(&file, record::record(EVENTS)?)?;
    let (report, _) = read_report(&file)?;

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("100,000 events");
    group.sample_size(10);
    group.bench_function("read and fold", |bencher| {
        bencher.iter(|| read_report(black_box(&file)));
    });
    group.bench_function("page", |bencher| {
        bencher.iter(|| html::render(black_box(&report), Lang::Korean));
    });
    group.bench_function("from the file to the page", |bencher| {
        bencher.iter(|| {
            let (report, _) = read_report(black_box(&file))?;
            Ok::<_, lab_report::read::ReadError>(html::render(&report, Lang::Korean))
        });
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}
