//! What `lab bench sweep` prints: one load below the other, and within it every way the
//! model was set up.

use lab_model::benchmark::{BenchmarkSummary, Point};

use crate::{
    bench::{NONE, batch, cores, wide_row},
    figures::{bytes, count, micros, rate},
};

/// Room for a way's name, characters.
const WIDTH: usize = 32;

/// The figures of every way, by load.
pub fn table(swept: &[BenchmarkSummary]) -> String {
    let loads = swept.iter().map(|one| one.points.len()).max().unwrap_or(0);
    let lines: Vec<String> = (0..loads)
        .flat_map(|load| of_load(swept, load))
        .chain(missed(swept))
        .collect();
    lines.join("\n") + "\n"
}

/// One load: what each way made of it.
fn of_load(swept: &[BenchmarkSummary], load: usize) -> Vec<String> {
    let points = swept
        .iter()
        .filter_map(|one| Some((one.workload.as_str(), one.points.get(load)?)));
    let points: Vec<_> = points.collect();
    let Some((_, first)) = points.first() else {
        return Vec::new();
    };
    let titles = [
        "req/s", "p50", "p99", "errors", "model", "batch", "cores", "memory",
    ];
    let mut lines = vec![wide_row(&first.offered.to_string(), WIDTH, &titles)];
    lines.extend(points.iter().map(|(name, point)| way(name, point)));
    lines.push(String::new());
    lines
}

fn way(workload: &str, point: &Point) -> String {
    let times = point.server.as_ref();
    let memory = point.used.map(|used| bytes(used.memory_bytes));
    let known = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), micros);
    let mut line = wide_row(
        &format!("  {}", of(workload)),
        WIDTH,
        &[
            rate(point.throughput),
            micros(point.latency.p50),
            micros(point.latency.p99),
            count(point.errors),
            known(times.map(|it| it.compute_infer)),
            times.map_or_else(|| NONE.to_owned(), batch),
            cores(point),
            memory.unwrap_or_else(|| NONE.to_owned()),
        ],
    );
    if !point.void.is_empty() {
        line.push_str(" !");
    }
    line
}

/// The way, from the workload's name: what stands in its brackets.
fn of(workload: &str) -> &str {
    let way = workload
        .split_once(" (")
        .and_then(|(_, way)| way.strip_suffix(')'));
    way.unwrap_or(workload)
}

fn missed(swept: &[BenchmarkSummary]) -> impl Iterator<Item = String> {
    swept.iter().flat_map(|one| {
        let way = of(&one.workload);
        one.missed
            .iter()
            .map(move |missed| format!("budget missed with {way}: {missed}"))
    })
}
