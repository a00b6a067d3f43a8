//! How often which latency was seen, in one window.

use lab_model::benchmark::{LatencyMicros, Point};
use maud::{Markup, html};

use super::{
    super::chart::{Frame, HEIGHT, Scale, px, x_mark, x_title, y_axis},
    axis::Log,
    lines::{mark_of_micros, mark_of_rate},
    picture::Picture,
};
use crate::{
    figures::{count, micros},
    lang::{Lang, told, words},
    words::offered,
};

const FRAME: Frame = Frame {
    left: 58.0,
    right: 26.0,
    top: 34.0,
    bottom: 44.0,
};
/// The most ranges drawn.
const MOST_RANGES: usize = 200;
/// Two names of quantiles closer than this would meet, user units.
const APART: f64 = 28.0;

/// A range of latencies, microseconds, with its answers.
struct Range {
    from: f64,
    to: f64,
    count: u64,
}

/// The picture of a window; none where its histogram was not kept.
pub(super) fn picture(point: &Point) -> Option<Picture> {
    let ranges = ranges(point);
    let (first, last) = (ranges.first()?, ranges.last()?);
    let log = Log::holding(first.from, last.to);
    let most = ranges.iter().map(|range| range.count).max()?;
    #[expect(clippy::cast_precision_loss, reason = "drawn with three digits")]
    let scale = Scale::round(most as f64, 4.0);
    let drawing = html! {
        (y_axis(FRAME, scale, mark_of_rate))
        @for range in &ranges { (column(range, log, scale)) }
        (quantiles(point.latency, log))
        @for value in log.marks() {
            (x_mark(FRAME, FRAME.x(log.share(value)), &mark_of_micros(value)))
        }
        (x_title(FRAME, &words("time until the answer, logarithmic", "응답 시간, 로그 눈금")))
    };
    let load = offered(point.offered);
    let answers = count(point.requests);
    let LatencyMicros { p50, p99, max, .. } = point.latency;
    let [p50, p99, max] = [p50, p99, max].map(micros);
    Some(Picture {
        file: "histogram",
        caption: told(
            format!("Answers by latency at {}", load.of(Lang::English)),
            format!("응답 시간 분포, {}", load.of(Lang::Korean)),
        ),
        note: None,
        told: told(
            format!("histogram of {answers} answers, p50 {p50}, p99 {p99}, slowest {max}"),
            format!("응답 {answers}개의 분포, p50 {p50}, p99 {p99}, 가장 느린 것 {max}"),
        ),
        drawing,
    })
}

/// Ranges from the first to the last that holds an answer. The first one's lower end is
/// not kept: each range is wider than the one before by the same factor.
fn ranges(point: &Point) -> Vec<Range> {
    let sound = |value: f64| value.is_finite() && value > 0.0;
    let buckets = &point.histogram[..point.histogram.len().min(MOST_RANGES)];
    let rising = buckets.is_sorted_by(|one, other| one.up_to < other.up_to);
    if !rising || !buckets.iter().all(|bucket| sound(bucket.up_to)) {
        return Vec::new();
    }
    let first = match buckets {
        [first, second, ..] => first.up_to * first.up_to / second.up_to,
        [only] => only.up_to / 2.0,
        [] => return Vec::new(),
    };
    let mut from = first;
    let all: Vec<_> = buckets
        .iter()
        .map(|bucket| Range {
            from: std::mem::replace(&mut from, bucket.up_to),
            to: bucket.up_to,
            count: bucket.count,
        })
        .collect();
    let holds = |range: &Range| range.count > 0;
    let begin = all.iter().position(holds).unwrap_or(all.len());
    let end = all.iter().rposition(holds).map_or(0, |at| at + 1);
    all.into_iter().take(end).skip(begin).collect()
}

fn column(range: &Range, log: Log, scale: Scale) -> Markup {
    let (left, right) = (FRAME.x(log.share(range.from)), FRAME.x(log.share(range.to)));
    #[expect(clippy::cast_precision_loss, reason = "drawn with three digits")]
    let share = scale.share(range.count as f64);
    let floor = HEIGHT - FRAME.bottom;
    // One answer among thousands is seen all the same.
    let y = FRAME.y(share).min(floor - 1.0);
    html! {
        @if range.count > 0 {
            rect.column x=(px(left)) y=(px(y)) width=(px((right - left - 0.5).max(0.5)))
                height=(px(floor - y)) {
                title { "≤ " (micros(range.to)) ": " (count(range.count)) }
            }
        }
    }
}

fn quantiles(latency: LatencyMicros, log: Log) -> Markup {
    let all = [
        ("p50", "end", Some(latency.p50)),
        ("p99", "end", Some(latency.p99)),
        ("p99.9", "start", latency.p999),
    ];
    let mut before = f64::NEG_INFINITY;
    let placed = all.into_iter().filter_map(|(label, anchor, value)| {
        let x = FRAME.x(log.share(value?));
        let meets = anchor == "end" && x < before + APART;
        before = x;
        Some((label, anchor, x, !meets))
    });
    html! {
        @for (label, anchor, x, named) in placed {
            line.quantile x1=(px(x)) x2=(px(x)) y1=(px(FRAME.top - 6.0)) y2=(px(HEIGHT - FRAME.bottom)) {}
            @if named {
                text.tick x=(px(x)) y=(px(FRAME.top - 11.0)) text-anchor=(anchor) { (label) }
            }
        }
    }
}
