//! Closed loops: throughput and latency over the number of connections.

use lab_model::benchmark::{Offered, Point};
use maud::{Markup, html};

use super::{
    super::chart::{Frame, HEIGHT, Scale, px, x_mark, x_title, y_axis, y_lines},
    axis::Axis,
    lines::{QUANTILES, labels, line, mark_of_rate},
    picture::Picture,
};
use crate::{
    figures::{micros, rate},
    lang::{Lang, Words, told as told_in, words},
    words::offered,
};

/// Right answers a second over connections.
pub(super) fn throughput(points: &[&Point]) -> Picture {
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
    let drawing = html! {
        (y_axis(frame, scale, |value| if scale.step < 1.0 { format!("{value:.1}") } else { mark_of_rate(value) }))
        @for (index, point) in points.iter().enumerate() {
            @let x = frame.x(place(index, points.len()));
            @let y = frame.y(scale.share(point.throughput));
            rect.column x=(px(x - width / 2.0)) y=(px(y)) width=(px(width))
                height=(px(HEIGHT - frame.bottom - y)) rx="2" {}
            text.value x=(px(x)) y=(px(y - 6.0)) text-anchor="middle" { (rate(point.throughput)) }
        }
        (connections(frame, points))
    };
    Picture {
        file: "throughput",
        caption: words("Right answers a second", "초당 정답 응답"),
        note: None,
        told: listed(
            &words("right answers a second", "초당 정답 응답"),
            points.iter().map(|point| {
                let load = offered(point.offered);
                load.map(|load| format!("{load}: {}", rate(point.throughput)))
            }),
        ),
        drawing,
    }
}

/// Latency over connections.
pub(super) fn latency(points: &[&Point]) -> Picture {
    let frame = Frame {
        left: 66.0,
        right: 92.0,
        top: 22.0,
        bottom: 44.0,
    };
    let values = points
        .iter()
        .flat_map(|point| QUANTILES.map(|(_, quantile)| quantile(point.latency)));
    let axis = Axis::holding(values);
    let places = |quantile: fn(_) -> f64| -> Vec<(f64, f64)> {
        let all = points.iter().enumerate();
        all.map(|(index, point)| {
            let share = axis.share(quantile(point.latency));
            (frame.x(place(index, points.len())), frame.y(share))
        })
        .collect()
    };
    let ends = QUANTILES.iter().filter_map(|(label, quantile)| {
        let value = quantile(points.last()?.latency);
        Some((*label, value, frame.y(axis.share(value))))
    });
    let drawing = html! {
        (y_lines(frame, axis.marks().into_iter()))
        @for (label, quantile) in QUANTILES { (line(label, &places(quantile))) }
        (labels(frame.x(place(points.len().saturating_sub(1), points.len())) + 9.0, ends))
        (connections(frame, points))
    };
    Picture {
        file: "latency",
        caption: axis.caption("Time until the answer", "응답 시간"),
        note: None,
        told: told(points.iter().copied()),
        drawing,
    }
}

/// The latencies of windows in words.
pub(super) fn told<'a>(points: impl Iterator<Item = &'a Point>) -> Words {
    let window = |point: &Point| {
        let (p50, p99) = (micros(point.latency.p50), micros(point.latency.p99));
        offered(point.offered).map(|load| format!("{load}: p50 {p50}, p99 {p99}"))
    };
    let title = words("time until the answer", "응답 시간");
    listed(&title, points.map(window))
}

/// A title with what belongs to it.
fn listed(title: &Words, parts: impl Iterator<Item = Words>) -> Words {
    let parts: Vec<_> = parts.collect();
    let list = |lang| {
        let parts: Vec<_> = parts.iter().map(|it| it.of(lang)).collect();
        format!("{}: {}", title.of(lang), parts.join("; "))
    };
    told_in(list(Lang::English), list(Lang::Korean))
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
        (x_title(frame, &words("connections at once", "동시 연결 수")))
    }
}
