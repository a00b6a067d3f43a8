//! The search for the highest rate that holds a target.

use lab_model::benchmark::{Found, Highest, Tried};
use maud::{Markup, html};

use super::{
    super::chart::{Frame, Scale, WIDTH, px, x_mark, x_title, y_lines},
    axis::Axis,
    lines::{mark_of_rate, upright},
    picture::Picture,
};
use crate::{
    figures::{count, counted, micros, rate},
    lang::{Lang, Words, told, words as both},
    words,
};

const FRAME: Frame = Frame {
    left: 66.0,
    right: 22.0,
    top: 26.0,
    bottom: 44.0,
};
/// The most tries drawn or listed.
const MOST_TRIES: usize = 100;

/// The rates tried with the p99 that each brought.
pub(super) fn picture(highest: &Highest) -> Option<Picture> {
    let sound = |one: &&Tried| one.rate.is_finite() && one.p99.is_finite();
    let tried: Vec<&Tried> = highest
        .tried
        .iter()
        .filter(sound)
        .take(MOST_TRIES)
        .collect();
    if tried.is_empty() {
        return None;
    }
    let most = tried.iter().map(|one| one.rate).fold(0.0, f64::max);
    let scale = Scale::round(most, 4.0);
    let values = tried.iter().map(|one| one.p99);
    let axis = Axis::holding(values.chain([highest.p99_micros]));
    let target = FRAME.y(axis.share(highest.p99_micros));
    let drawing = html! {
        (y_lines(FRAME, axis.marks().into_iter()))
        line.target x1=(px(FRAME.left)) x2=(px(WIDTH - FRAME.right)) y1=(px(target)) y2=(px(target)) {}
        text.tick x=(px(FRAME.left + 6.0)) y=(px(target - 5.0)) { (both("target", "목표").in_plot()) " " (micros(highest.p99_micros)) }
        (found(highest.found, scale))
        @for one in &tried {
            (tick(**one, FRAME.x(scale.share(one.rate)), FRAME.y(axis.share(one.p99))))
        }
        @for value in scale.marks() { (x_mark(FRAME, FRAME.x(scale.share(value)), &mark_of_rate(value))) }
        (x_title(FRAME, &both("requests offered a second", "초당 제시한 요청")))
    };
    let answer = words::highest(highest);
    let held = tried.iter().filter(|one| one.held).count();
    Some(Picture {
        file: "search",
        caption: axis.caption(
            "Search: p99 of each rate tried",
            "최고 처리율 탐색: 시도별 p99",
        ),
        note: Some(both(
            "A circle held the target without errors, a cross did not.",
            "원은 오류 없이 목표를 지킨 시도, 가위표는 지키지 못한 시도입니다.",
        )),
        told: told(
            format!(
                "{} tried, {held} held. {}",
                counted(tried.len(), "rate"),
                answer.of(Lang::English)
            ),
            format!(
                "{}개 시도, {held}개 지킴. {}",
                tried.len(),
                answer.of(Lang::Korean)
            ),
        ),
        drawing,
    })
}

fn found(found: Found, scale: Scale) -> Markup {
    let (at, words) = match found {
        Found::Rate { rate } => (rate, both("highest", "최고")),
        Found::Unconfirmed { rate } => (rate, both("not confirmed", "확인 안 됨")),
        Found::None => return html! {},
    };
    upright(
        FRAME,
        scale.share(at),
        &words.map(|words| format!("{words}: {}/s", rate(at))),
    )
}

fn tick(one: Tried, x: f64, y: f64) -> Markup {
    const ARM: f64 = 4.5;
    html! {
        @if one.held {
            circle.held cx=(px(x)) cy=(px(y)) r="4.5" {}
        } @else {
            path.not-held d={
                "M" (px(x - ARM)) " " (px(y - ARM)) "L" (px(x + ARM)) " " (px(y + ARM))
                "M" (px(x - ARM)) " " (px(y + ARM)) "L" (px(x + ARM)) " " (px(y - ARM))
            } {}
        }
    }
}

/// Every rate in the order tried.
pub(super) fn table(highest: &Highest) -> Markup {
    html! {
        details {
            summary { (both("Every rate tried, in turn", "시도한 처리율, 순서대로")) }
            table {
                thead { tr {
                    th.number scope="col" { (both("Offered", "제시한 부하")) }
                    th.number scope="col" { "p99" }
                    th.number scope="col" { (both("Errors", "오류")) }
                    th scope="col" { (both("Target", "목표")) }
                } }
                tbody {
                    @for one in highest.tried.iter().take(MOST_TRIES) {
                        tr {
                            th.number scope="row" { (rate(one.rate)) "/s" }
                            td.number { (micros(one.p99)) }
                            td.number.failed[one.errors > 0] { (count(one.errors)) }
                            td { (ended(*one)) }
                        }
                    }
                }
            }
        }
    }
}

fn ended(one: Tried) -> Words {
    match one {
        Tried { held: true, .. } => both("held", "지킴"),
        Tried { void: true, .. } => both(
            "not counted: the generator was late or busy",
            "제외: 부하 생성기가 늦었거나 바빴음",
        ),
        _ => both("not held", "못 지킴"),
    }
}
