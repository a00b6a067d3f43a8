//! Benchmarks: the figures, and throughput and latency over the number of connections.

use lab_model::benchmark::{BenchmarkSummary, LatencyMicros, Offered, Point};
use maud::{Markup, html};

use super::{
    chart::{Frame, HEIGHT, Scale, figure, px, x_mark, x_title, y_axis},
    words::{heading, name},
};
use crate::{
    figures::{count, micros, rate},
    report::Report,
};

/// The most points a plot can show apart.
const MOST_POINTS: usize = 24;
/// The least distance between two labels, user units.
const LABEL_HEIGHT: f64 = 15.0;

/// A quantile with its name and class.
type Quantile = (&'static str, fn(LatencyMicros) -> f64);

const QUANTILES: [Quantile; 3] = [
    ("p50", |latency| latency.p50),
    ("p95", |latency| latency.p95),
    ("p99", |latency| latency.p99),
];

/// All benchmarks.
pub(super) fn section(report: &Report) -> Markup {
    html! {
        @if !report.benchmarks.is_empty() {
            section {
                (heading("benchmark", "How fast it answers", "추론 성능"))
                p {
                    "Each connection sends its next request when the last was answered. "
                    "p50 is the middle: half of the answers came faster; of p99, 99 of 100 did. "
                    "Only right answers are timed."
                }
                @for benchmark in &report.benchmarks { (one(benchmark)) }
            }
        }
    }
}

fn one(benchmark: &BenchmarkSummary) -> Markup {
    let closed = |point: &&Point| matches!(point.offered, Offered::Closed { .. });
    let points: Vec<&Point> = benchmark
        .points
        .iter()
        .filter(closed)
        .take(MOST_POINTS)
        .collect();
    html! {
        h3 { (name(&benchmark.workload)) " " code { (name(&benchmark.target)) } }
        @if !points.is_empty() {
            div.figures { (throughput(&points)) (latency(&points)) }
        }
        div.scroll tabindex="0" role="region" aria-label="figures of the benchmark" {
            table {
                thead { tr {
                    th.number scope="col" { "Load" }
                    th.number scope="col" { "Answers" }
                    th.number scope="col" { "Errors" }
                    th.number scope="col" { "A second" }
                    th.number scope="col" { "p50" }
                    th.number scope="col" { "p95" }
                    th.number scope="col" { "p99" }
                    th.number scope="col" { "Slowest" }
                    th.number scope="col" { "Window" }
                } }
                tbody { @for point in &benchmark.points { (row(point)) } }
            }
        }
    }
}

fn row(point: &Point) -> Markup {
    html! {
        tr {
            th.number scope="row" { (point.offered) }
            td.number { (count(point.requests)) }
            td.number.failed[point.errors > 0] { (count(point.errors)) }
            td.number { (rate(point.throughput)) }
            td.number { (micros(point.latency.p50)) }
            td.number { (micros(point.latency.p95)) }
            td.number { (micros(point.latency.p99)) }
            td.number { (micros(point.latency.max)) }
            td.number { (rate(point.seconds)) " s" }
        }
    }
}

/// The middle of the place that a point has on the horizontal axis, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a plot has at most 24 points")]
fn place(index: usize, points: usize) -> f64 {
    (index as f64 + 0.5) / points as f64
}

/// The connections of a closed loop.
fn at_once(point: &Point) -> String {
    match point.offered {
        Offered::Closed { concurrency } => concurrency.to_string(),
        Offered::Open { .. } => String::new(),
    }
}

fn connections(frame: Frame, points: &[&Point]) -> Markup {
    html! {
        @for (index, point) in points.iter().enumerate() {
            (x_mark(frame, frame.x(place(index, points.len())), &at_once(point)))
        }
        (x_title(frame, "connections at once"))
    }
}

fn throughput(points: &[&Point]) -> Markup {
    let frame = Frame {
        left: 58.0,
        right: 10.0,
        top: 22.0,
        bottom: 44.0,
    };
    let most = points
        .iter()
        .map(|point| point.throughput)
        .fold(0.0, f64::max);
    let scale = Scale::round(most, 4.0);
    let width = (frame.x(place(0, points.len())) - frame.left).min(36.0);
    let told = points
        .iter()
        .map(|point| format!("{} at {}", rate(point.throughput), point.offered))
        .collect::<Vec<_>>()
        .join(", ");
    let drawing = html! {
        (y_axis(frame, scale, |value| if scale.step < 1.0 { format!("{value:.1}") } else { rate_mark(value) }))
        @for (index, point) in points.iter().enumerate() {
            @let x = frame.x(place(index, points.len()));
            @let y = frame.y(scale.share(point.throughput));
            rect.column x=(px(x - width / 2.0)) y=(px(y)) width=(px(width))
                height=(px(HEIGHT - frame.bottom - y)) rx="2" {}
            text.value x=(px(x)) y=(px(y - 6.0)) text-anchor="middle" { (rate(point.throughput)) }
        }
        (connections(frame, points))
    };
    let told = format!("right answers a second: {told}");
    figure("Right answers a second", "초당 정답 응답", &told, &drawing)
}

fn rate_mark(value: f64) -> String {
    rate(value).trim_end_matches(".0").to_owned()
}

fn latency(points: &[&Point]) -> Markup {
    let frame = Frame {
        left: 66.0,
        right: 92.0,
        top: 22.0,
        bottom: 44.0,
    };
    let most = points
        .iter()
        .map(|point| point.latency.p99)
        .fold(0.0, f64::max);
    let scale = Scale::round(most, 4.0);
    let told = points
        .iter()
        .map(|point| {
            let latency = point.latency;
            format!(
                "p50 {} p99 {} at {}",
                micros(latency.p50),
                micros(latency.p99),
                point.offered
            )
        })
        .collect::<Vec<_>>()
        .join(", ");
    let drawing = html! {
        (y_axis(frame, scale, mark_of_micros))
        @for (label, quantile) in QUANTILES { (line(frame, scale, points, (label, quantile))) }
        (labels(frame, scale, points))
        (connections(frame, points))
    };
    let told = format!("time until the answer: {told}");
    figure("Time until the answer", "응답 시간", &told, &drawing)
}

/// A mark of the axis: `500 µs`, `2 ms`, `1.5 s`.
fn mark_of_micros(value: f64) -> String {
    let (value, unit) = match value {
        value if value < 1e3 => (value, "µs"),
        value if value < 1e6 => (value / 1e3, "ms"),
        value => (value / 1e6, "s"),
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.trim_end_matches(".0"))
}

fn line(frame: Frame, scale: Scale, points: &[&Point], quantile: Quantile) -> Markup {
    let (label, quantile) = quantile;
    let places: Vec<(f64, f64)> = points
        .iter()
        .enumerate()
        .map(|(index, point)| {
            let share = scale.share(quantile(point.latency));
            (frame.x(place(index, points.len())), frame.y(share))
        })
        .collect();
    let path = places
        .iter()
        .map(|(x, y)| format!("{},{}", px(*x), px(*y)))
        .collect::<Vec<_>>()
        .join(" ");
    html! {
        polyline class={ "line " (label) } points=(path) {}
        @for (x, y) in places {
            circle class={ "dot " (label) } cx=(px(x)) cy=(px(y)) r="3.5" {}
        }
    }
}

/// The quantiles' names beside their last points, pushed apart where they would meet.
fn labels(frame: Frame, scale: Scale, points: &[&Point]) -> Markup {
    let Some(last) = points.last() else {
        return html! {};
    };
    let x = frame.x(place(points.len() - 1, points.len())) + 9.0;
    let mut below = f64::INFINITY;
    let placed: Vec<_> = QUANTILES
        .iter()
        .map(|(label, quantile)| {
            let value = quantile(last.latency);
            let y = frame.y(scale.share(value)).min(below - LABEL_HEIGHT);
            below = y;
            (*label, value, y)
        })
        .collect();
    html! {
        @for (label, value, y) in placed {
            text class={ "series " (label) } x=(px(x)) y=(px(y + 4.0)) {
                (label) " " (micros(value))
            }
        }
    }
}
