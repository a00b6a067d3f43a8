//! What `lab bench sweep` prints: one load below the other, and within it every way the
//! model was set up.

use lab_model::benchmark::{BenchmarkSummary, Point};

use unicode_width::UnicodeWidthStr;

use crate::{
    bench::{NONE, batch, cores, memory, wide_row},
    figures::{count, micros, rate},
    lang::{Lang, Words, words},
    words as said,
};

/// Room for a way's name, columns of the terminal; more where one is longer.
const WIDTH: usize = 26;
/// Heads of the columns.
const HEADS: [Words; 8] = [
    words("infer/s", "추론/초"),
    words("p50", "p50"),
    words("p99", "p99"),
    words("errors", "오류"),
    words("model", "모델"),
    words("batch", "배치"),
    words("cores", "코어"),
    words("memory", "메모리"),
];

/// A way the model was set up, with its figures.
type Way = (String, BenchmarkSummary);

/// The figures of every way, by load.
pub fn table(swept: &[Way], lang: Lang) -> String {
    let loads = swept
        .iter()
        .map(|(_, one)| one.points.len())
        .max()
        .unwrap_or(0);
    let lines: Vec<String> = (0..loads)
        .flat_map(|load| of_load(swept, load, lang))
        .chain(missed(swept, lang))
        .collect();
    lines.join("\n") + "\n"
}

/// One load: what each way made of it.
fn of_load(swept: &[Way], load: usize, lang: Lang) -> Vec<String> {
    let points = swept
        .iter()
        .filter_map(|(name, one)| Some((name, one.batch_size, one.points.get(load)?)));
    let points: Vec<_> = points.collect();
    let Some((.., first)) = points.first() else {
        return Vec::new();
    };
    let heads = HEADS.map(|head| head.of(lang).to_owned());
    let load = said::offered(first.offered);
    let width = points.iter().map(|(name, ..)| name.width());
    let width = width.fold(WIDTH, usize::max);
    let mut lines = vec![wide_row(load.of(lang), width, &heads)];
    let ways = points.iter();
    lines.extend(ways.map(|(name, batch_size, point)| way((name, width), *batch_size, point)));
    lines.push(String::new());
    lines
}

fn way((name, width): (&str, usize), batch_size: u32, point: &Point) -> String {
    let times = point.server.as_ref();
    let known = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), micros);
    let mut line = wide_row(
        name,
        width,
        &[
            rate(point.throughput * f64::from(batch_size)),
            micros(point.latency.p50),
            micros(point.latency.p99),
            count(point.errors),
            known(times.map(|it| it.compute_infer)),
            times.map_or_else(|| NONE.to_owned(), batch),
            cores(point),
            memory(point),
        ],
    );
    if !point.void.is_empty() {
        line.push_str(" !");
    }
    line
}

fn missed(swept: &[Way], lang: Lang) -> impl Iterator<Item = String> {
    swept.iter().flat_map(move |(name, one)| {
        let missed = one.missed.iter().map(said::missed_line);
        missed.map(move |missed| format!("{name}: {}", missed.of(lang)))
    })
}
