//! Lines of quantiles with their names, as several pictures draw them.

use lab_model::benchmark::LatencyMicros;
use maud::{Markup, html};

use super::super::chart::{Frame, HEIGHT, px};
use crate::{
    figures::{micros, rate},
    lang::Words,
};

/// The least distance between two labels, user units.
const LABEL_HEIGHT: f64 = 15.0;

/// A quantile with its name and class.
pub(super) type Quantile = (&'static str, fn(LatencyMicros) -> f64);

pub(super) const QUANTILES: [Quantile; 3] = [
    ("p50", |latency| latency.p50),
    ("p95", |latency| latency.p95),
    ("p99", |latency| latency.p99),
];

/// Most points of a line that are marked with a dot each.
const MOST_DOTS: usize = 32;

/// A line through places, of a quantile's class.
pub(super) fn line(label: &str, places: &[(f64, f64)]) -> Markup {
    let path = places
        .iter()
        .map(|(x, y)| format!("{},{}", px(*x), px(*y)))
        .collect::<Vec<_>>()
        .join(" ");
    html! {
        polyline class={ "line " (label) } points=(path) {}
        @if places.len() <= MOST_DOTS {
            @for (x, y) in places {
                circle class={ "dot " (label) } cx=(px(*x)) cy=(px(*y)) r="3.5" {}
            }
        }
    }
}

/// Names and values at the right of the lines' ends, pushed apart where they would meet.
/// `ends` rise: name, value in microseconds, height of the line's end.
pub(super) fn labels(x: f64, ends: impl Iterator<Item = (&'static str, f64, f64)>) -> Markup {
    let mut below = f64::INFINITY;
    let placed: Vec<_> = ends
        .map(|(label, value, y)| {
            below = y.min(below - LABEL_HEIGHT);
            (label, value, below)
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

/// A line from top to bottom at a share of the width, with its words above.
pub(super) fn upright(frame: Frame, share: f64, words: &Words) -> Markup {
    let x = frame.x(share);
    // Away from the nearer edge, and from the names at the lines' ends.
    let anchor = if share > 0.6 { "end" } else { "start" };
    html! {
        line.knee x1=(px(x)) x2=(px(x)) y1=(px(frame.top)) y2=(px(HEIGHT - frame.bottom)) {}
        text.tick x=(px(x)) y=(px(frame.top - 8.0)) text-anchor=(anchor) { (words.in_plot()) }
    }
}

/// A mark of an axis of rates or counts: `500`, `1,500`, `0.5`.
pub(super) fn mark_of_rate(value: f64) -> String {
    rate(value).trim_end_matches(".0").to_owned()
}

/// A mark of an axis: `500 µs`, `2 ms`, `1.5 s`.
pub(super) fn mark_of_micros(value: f64) -> String {
    let (value, unit) = match value {
        value if value < 1e3 => (value, "µs"),
        value if value < 1e6 => (value / 1e3, "ms"),
        value => (value / 1e6, "s"),
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.trim_end_matches(".0"))
}
