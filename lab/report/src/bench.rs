//! What `lab bench` prints: the figures as text, within 100 columns.

use lab_model::benchmark::{BenchmarkSummary, Point, ServerTimes};

use crate::{
    figures::{count, micros, rate},
    html::benchmark_parts,
    lang::Lang,
    text::one_line,
    words,
};

/// The longest name of a load, characters.
const LOAD_LIMIT: usize = 24;
/// The longest reason, characters.
const REASON_LIMIT: usize = 400;
/// What is not known.
const NONE: &str = "–";
/// What a column holds beside its two spaces, characters.
const WIDTH: usize = 7;

/// The windows, what the server said of them, and, below, what speaks against them.
pub fn table(benchmark: &BenchmarkSummary) -> String {
    let points = &benchmark.points;
    let mut lines = Vec::new();
    if !points.is_empty() {
        lines.push(row(
            "load",
            &[
                "req/s", "p50", "p90", "p99", "p99.9", "errors", "late", "CPU/req",
            ],
        ));
        lines.extend(points.iter().map(window));
    }
    let told: Vec<_> = points
        .iter()
        .filter_map(|point| Some((point, point.server.as_ref()?)))
        .collect();
    if !told.is_empty() {
        lines.push(String::new());
        lines.push(row(
            "in the server",
            &[
                "queue", "input", "model", "output", "in all", "outside", "batch",
            ],
        ));
        lines.extend(told.into_iter().map(|(point, times)| server(point, times)));
    }
    let below = below(benchmark);
    if !below.is_empty() {
        lines.push(String::new());
        lines.extend(below);
    }
    lines.join("\n") + "\n"
}

fn row<T: AsRef<str>>(load: &str, cells: &[T]) -> String {
    let mut line = format!("{:<LOAD_LIMIT$}", one_line(load, LOAD_LIMIT));
    for cell in cells {
        line.push_str(&format!("  {:>WIDTH$}", cell.as_ref()));
    }
    line.trim_end().to_owned()
}

fn window(point: &Point) -> String {
    let latency = point.latency;
    let known = |quantile: Option<f64>| quantile.map_or_else(|| NONE.to_owned(), micros);
    let mut line = row(
        &point.offered.to_string(),
        &[
            rate(point.throughput),
            micros(latency.p50),
            known(latency.p90),
            micros(latency.p99),
            known(latency.p999),
            count(point.errors),
            known(point.open.map(|open| open.lag.p99)),
            micros(point.generator.cpu_micros_per_request),
        ],
    );
    if !point.void.is_empty() {
        line.push_str(" !");
    }
    line
}

fn server(point: &Point, times: &ServerTimes) -> String {
    let [queue, input, model, output, _, outside] = benchmark_parts(point, times);
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let batch = match times.executions {
        0 => NONE.to_owned(),
        executions => format!("{:.1}", times.inferences as f64 / executions as f64),
    };
    row(
        &point.offered.to_string(),
        &[
            micros(queue),
            micros(input),
            micros(model),
            micros(output),
            micros(times.request),
            micros(outside),
            batch,
        ],
    )
}

/// Who made the load, where that was not lab itself; void windows, unsteady ones, the search's answer, missed budgets.
fn below(benchmark: &BenchmarkSummary) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(
        benchmark
            .generators
            .map(|generators| format!("load of {generators}")),
    );
    for point in &benchmark.points {
        let offered = point.offered;
        lines.extend(
            point
                .void
                .iter()
                .map(|void| format!("! {offered} is void: {}", one_line(void, REASON_LIMIT))),
        );
        if !point.steady {
            lines.push(format!(
                "~ {offered} had not become steady before the window began"
            ));
        }
    }
    let highest = benchmark.highest.as_ref();
    lines.extend(highest.map(|highest| words::highest(highest).of(Lang::English).to_owned()));
    lines.extend(
        benchmark
            .missed
            .iter()
            .map(|missed| format!("budget missed: {}", one_line(missed, REASON_LIMIT))),
    );
    lines
}
