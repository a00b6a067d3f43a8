//! What happened in each second of one window.

use lab_model::benchmark::{Point, Second};
use maud::{Markup, html};

use super::{
    super::chart::{Frame, HEIGHT, Scale, px, x_mark, x_title, y_axis, y_lines},
    axis::Axis,
    lines::{labels, line, mark_of_rate},
    picture::Picture,
};
use crate::{
    figures::{count, micros, rate},
    lang::{Lang, Words, told, words},
    words::offered,
};

/// The most columns drawn; longer windows are grouped.
const MOST_COLUMNS: usize = 90;
/// Latency above,
const ABOVE: Frame = Frame {
    left: 66.0,
    right: 92.0,
    top: 16.0,
    bottom: 136.0,
};
/// answers below, over the same time.
const BELOW: Frame = Frame {
    left: 66.0,
    right: 92.0,
    top: 134.0,
    bottom: 44.0,
};

/// Seconds that are drawn as one.
struct Group {
    /// Answers a second on average.
    answers: f64,
    /// Errors, all together.
    errors: u64,
    /// Of the second whose p99 was the worst, microseconds.
    p50: f64,
    p99: f64,
}

/// The picture of a window; none where its seconds were not kept.
pub(super) fn picture(point: &Point) -> Option<Picture> {
    let seconds = &point.series;
    let each = seconds.len().div_ceil(MOST_COLUMNS).max(1);
    let groups: Vec<_> = seconds.chunks(each).filter_map(group).collect();
    let last = groups.last()?;
    let axis = Axis::holding(groups.iter().flat_map(|group| [group.p50, group.p99]));
    let most = groups.iter().map(|group| group.answers).fold(0.0, f64::max);
    let scale = Scale::round(most, 2.0);
    #[expect(clippy::cast_precision_loss, reason = "a window has few seconds")]
    let time = Scale {
        top: (groups.len() * each) as f64,
        ..Scale::time((groups.len() * each) as f64, 6.0)
    };
    let places = |value: fn(&Group) -> f64| -> Vec<(f64, f64)> {
        let heights = groups.iter().map(|group| ABOVE.y(axis.share(value(group))));
        heights
            .enumerate()
            .map(|(at, y)| (middle(at, groups.len()), y))
            .collect()
    };
    let ends = [("p50", last.p50), ("p99", last.p99)];
    let drawing = html! {
        (y_lines(ABOVE, thinned(axis.marks()).into_iter()))
        (line("p50", &places(|group| group.p50)))
        (line("p99", &places(|group| group.p99)))
        (labels(ABOVE.x(1.0) + 9.0, ends.into_iter().map(|(label, value)| {
            (label, value, ABOVE.y(axis.share(value)))
        })))
        (y_axis(BELOW, scale, mark_of_rate))
        @for (at, group) in groups.iter().enumerate() { (column(group, scale, at, groups.len())) }
        text.tick x=(px(BELOW.x(1.0) + 9.0)) y=(px(BELOW.y(0.5))) { (words("answers/s", "응답/초").in_plot()) }
        @for value in time.marks() { (x_mark(BELOW, BELOW.x(time.share(value)), &format!("{value}"))) }
        (x_title(BELOW, &words("seconds of the window", "구간의 시간, 초")))
    };
    let errors: u64 = groups.iter().map(|group| group.errors).sum();
    let load = offered(point.offered);
    let p99 = micros(groups.iter().map(|group| group.p99).fold(0.0, f64::max));
    let (seconds, most, failed) = (seconds.len(), rate(most), count(errors));
    Some(Picture {
        file: "series",
        caption: told(
            format!("Second by second at {}", load.of(Lang::English)),
            format!("초 단위 추이, {}", load.of(Lang::Korean)),
        ),
        note: note(each, errors),
        told: told(
            format!(
                "{seconds} seconds, up to {most} answers a second, p99 up to {p99}, {failed} errors"
            ),
            format!("{seconds}초, 초당 응답 최대 {most}, p99 최대 {p99}, 오류 {failed}건"),
        ),
        drawing,
    })
}

fn note(each: usize, errors: u64) -> Option<Words> {
    let (mut english, mut korean) = (Vec::new(), Vec::new());
    if each > 1 {
        english.push(format!(
            "One point stands for {each} seconds, and shows the worst of them."
        ));
        korean.push(format!(
            "한 점은 {each}초를 나타내며, 그중 가장 나쁜 초를 보입니다."
        ));
    }
    if errors > 0 {
        let errors = count(errors);
        english.push(format!(
            "A red foot marks seconds with errors, {errors} in all."
        ));
        korean.push(format!(
            "붉은 받침은 오류가 있던 초입니다, 모두 {errors}건."
        ));
    }
    (!english.is_empty()).then(|| told(english.join(" "), korean.join(" ")))
}

#[expect(clippy::cast_precision_loss, reason = "answers of one second")]
fn group(seconds: &[Second]) -> Option<Group> {
    let worst = seconds
        .iter()
        .max_by(|one, other| one.p99.total_cmp(&other.p99))?;
    let answers: u64 = seconds
        .iter()
        .fold(0, |sum, one| sum.saturating_add(one.answers));
    Some(Group {
        answers: answers as f64 / seconds.len() as f64,
        errors: seconds
            .iter()
            .fold(0, |sum, one| sum.saturating_add(one.errors)),
        p50: worst.p50,
        p99: worst.p99,
    })
}

/// The middle of a column.
#[expect(clippy::cast_precision_loss, reason = "at most 90 columns")]
fn middle(at: usize, columns: usize) -> f64 {
    BELOW.x((at as f64 + 0.5) / columns as f64)
}

fn column(group: &Group, scale: Scale, at: usize, columns: usize) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "at most 90 columns")]
    let width = (BELOW.x(1.0) - BELOW.x(0.0)) / columns as f64;
    let left = middle(at, columns) - width / 2.0 + 0.5;
    let width = (width - 1.0).max(1.0);
    let floor = HEIGHT - BELOW.bottom;
    let y = BELOW.y(scale.share(group.answers));
    html! {
        rect.column x=(px(left)) y=(px(y)) width=(px(width)) height=(px(floor - y)) {}
        @if group.errors > 0 {
            rect.foot x=(px(left)) y=(px(floor)) width=(px(width)) height="4" {}
        }
    }
}

/// Every other mark where half the height is not enough for all.
fn thinned(marks: Vec<(f64, String)>) -> Vec<(f64, String)> {
    let each = marks.len().div_ceil(4).max(1);
    marks.into_iter().step_by(each).collect()
}
