//! What `lab bench` prints: the figures as text, within 100 columns.

use lab_model::benchmark::{BenchmarkSummary, Point, ServerTimes};
use unicode_width::UnicodeWidthStr;

use crate::{
    figures::{bytes, count, micros, rate},
    html::benchmark_parts,
    lang::{Lang, Words, told, words},
    text::one_line,
    words as said,
};

/// The longest name of a load, columns.
const LOAD_LIMIT: usize = 24;
/// What the server itself counts, columns.
const COUNTED: usize = 7;
/// What is not known.
pub(crate) const NONE: &str = "–";
/// What a column holds beside its two spaces, columns of the terminal.
const WIDTH: usize = 7;

/// The windows, what the server said of them, and, below, what speaks against them.
pub fn table(benchmark: &BenchmarkSummary, lang: Lang) -> String {
    let points = &benchmark.points;
    let mut lines = Vec::new();
    if !points.is_empty() {
        lines.push(head(&WINDOW, lang));
        lines.extend(points.iter().map(|point| window(point, lang)));
    }
    let known: Vec<_> = points.iter().filter(|it| is_server_known(it)).collect();
    if !known.is_empty() {
        lines.push(String::new());
        lines.push(head(&SERVER, lang));
        lines.extend(known.into_iter().map(|point| server(point, lang)));
    }
    let below = below(benchmark, lang);
    if !below.is_empty() {
        lines.push(String::new());
        lines.extend(below);
    }
    lines.join("\n") + "\n"
}

/// Heads of the columns of the windows.
const WINDOW: [Words; 9] = [
    words("load", "부하"),
    words("req/s", "요청/초"),
    words("p50", "p50"),
    words("p90", "p90"),
    words("p99", "p99"),
    words("p99.9", "p99.9"),
    words("errors", "오류"),
    words("late", "늦음"),
    words("CPU/req", "CPU"),
];
/// Heads of the columns of what the server said.
const SERVER: [Words; 9] = [
    words("in the server", "서버 안"),
    words("queue", "대기"),
    words("input", "입력"),
    words("model", "모델"),
    words("output", "출력"),
    words("in all", "전체"),
    words("outside", "서버 밖"),
    words("batch", "배치"),
    words("cores", "코어"),
];

fn head(heads: &[Words], lang: Lang) -> String {
    let heads: Vec<_> = heads.iter().map(|it| it.of(lang)).collect();
    match heads.as_slice() {
        [load, cells @ ..] => row(load, cells),
        [] => String::new(),
    }
}

/// Columns stand below each other also where letters are two columns wide.
fn row<T: AsRef<str>>(load: &str, cells: &[T]) -> String {
    wide_row(load, LOAD_LIMIT, cells)
}

/// A line of a table, its first column so many columns of the terminal wide.
pub(crate) fn wide_row<T: AsRef<str>>(first: &str, width: usize, cells: &[T]) -> String {
    let first = one_line(first, width);
    let mut line = first.clone() + &blank(width, &first);
    for cell in cells {
        let cell = cell.as_ref();
        line.push_str(&format!("  {}{cell}", blank(WIDTH, cell)));
    }
    line.trim_end().to_owned()
}

fn blank(width: usize, text: &str) -> String {
    " ".repeat(width.saturating_sub(text.width()))
}

fn window(point: &Point, lang: Lang) -> String {
    let latency = point.latency;
    let known = |quantile: Option<f64>| quantile.map_or_else(|| NONE.to_owned(), micros);
    let mut line = row(
        said::offered(point.offered).of(lang),
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

/// Whether anything is known of what the server did in a window.
pub(crate) const fn is_server_known(point: &Point) -> bool {
    point.server.is_some() || point.used.is_some()
}

fn server(point: &Point, lang: Lang) -> String {
    let counted = point.server.as_ref().map(|times| {
        let [queue, input, model, output, _, outside] = benchmark_parts(point, times);
        let parts = [queue, input, model, output, times.request, outside].map(micros);
        [parts.to_vec(), vec![batch(times)]].concat()
    });
    let mut cells = counted.unwrap_or_else(|| vec![NONE.to_owned(); COUNTED]);
    cells.push(cores(point));
    row(said::offered(point.offered).of(lang), &cells)
}

/// CPU cores that the server used, on average.
pub(crate) fn cores(point: &Point) -> String {
    let used = point.used.map(|used| format!("{:.2}", used.cores));
    used.unwrap_or_else(|| NONE.to_owned())
}

/// Memory that the server held after the last answer.
pub(crate) fn memory(point: &Point) -> String {
    let used = point.used.map(|used| bytes(used.memory_bytes));
    used.unwrap_or_else(|| NONE.to_owned())
}

/// Inferences in an execution, on average.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
pub(crate) fn batch(times: &ServerTimes) -> String {
    match times.executions {
        0 => NONE.to_owned(),
        executions => format!("{:.1}", times.inferences as f64 / executions as f64),
    }
}

/// Who made the load, where that was not lab itself; void windows, unsteady ones, the
/// search's answer, missed budgets.
fn below(benchmark: &BenchmarkSummary, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(benchmark.generators.map(said::generators));
    let batch_size = benchmark.batch_size;
    lines.extend((batch_size > 1).then(|| said::batch_size(batch_size)));
    for point in &benchmark.points {
        let load = said::offered(point.offered);
        lines.extend(point.void.iter().map(|void| {
            let void = said::void(void);
            told(
                format!(
                    "! {} is void: {}",
                    load.of(Lang::English),
                    void.of(Lang::English)
                ),
                format!(
                    "! {} 무효: {}",
                    load.of(Lang::Korean),
                    void.of(Lang::Korean)
                ),
            )
        }));
        if !point.steady {
            lines.push(told(
                format!(
                    "~ {} had not become steady before the window began",
                    load.of(Lang::English)
                ),
                format!(
                    "~ {}: 구간이 시작될 때 아직 안정되지 않았습니다",
                    load.of(Lang::Korean)
                ),
            ));
        }
    }
    lines.extend(benchmark.highest.as_ref().map(said::highest));
    lines.extend(benchmark.missed.iter().map(said::missed_line));
    lines.iter().map(|line| line.of(lang).to_owned()).collect()
}
