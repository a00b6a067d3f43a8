//! What failed first, on top of everything, with what was seen around it in order of
//! time and the commands that look further.

use std::time::Duration;

use maud::{Markup, html};

use super::{
    evidence::{self, Shown},
    words::{heading, left_out, name},
};
use crate::{
    clues::{Clue, Kind, clues, further},
    figures::moment,
    lang::{Words, told, words},
    report::{Failure, Place, Report},
    words as said,
};

/// The most clues shown unfolded: the first ones are the likeliest.
const UNFOLDED: usize = 8;
/// The most failures listed after the first one.
const MOST_AFTER: usize = 100;

/// What failed first; what failed after it, folded.
pub(super) fn section(report: &Report) -> Markup {
    html! {
        @if let Some((first, rest)) = report.failures.split_first() {
            section.cause {
                (heading("first-cause", "What failed first", "가장 먼저 실패한 것"))
                (failure(first, Shown::Open))
                (seen(clues(report), first.at))
                (look_further(report, first))
                @if !rest.is_empty() {
                    details.after {
                        summary {
                            (told(
                                format!("{} after it, in time order", crate::figures::counted(rest.len(), "failure")),
                                format!("그 뒤의 실패 {}건, 시간 순서", rest.len()),
                            ))
                        }
                        ol {
                            @for one in rest.iter().take(MOST_AFTER) { li { (failure(one, Shown::Folded)) } }
                        }
                        (left_out(rest.len().saturating_sub(MOST_AFTER), "failure", "실패"))
                    }
                }
            }
        }
    }
}

fn failure(failure: &Failure, shown: Shown) -> Markup {
    html! {
        p.place { span.at { (moment(failure.at)) } " " (said::place(&failure.place)) }
        @if let Place::Scenario { step: Some(step), .. } = &failure.place {
            p.step { (words("at the step", "단계:")) " " q { (name(step)) } }
        }
        (evidence::reason(&said::cause(&failure.reason)))
        (evidence::all(&failure.evidence, shown))
    }
}

/// What was seen around it, what came first on top. What came after it did not cause it;
/// what nothing gives a time, such as the state of a pod, may have.
fn seen(clues: Vec<Clue>, failed: Duration) -> Markup {
    let is_after = |clue: &Clue| clue.at.is_some_and(|at| at > failed);
    let (after, mut first): (Vec<_>, Vec<_>) = clues.into_iter().partition(is_after);
    let mut more = first.split_off(first.len().min(UNFOLDED));
    more.extend(after);
    html! {
        @if !first.is_empty() {
            h3 { (words("What was seen, in order of time", "관찰된 것, 시간 순서")) }
            p.quiet {
                (words(
                    "What came first is the likeliest cause; what follows may be its effect.",
                    "먼저 온 것이 원인일 가능성이 가장 크고, 뒤따르는 것은 그 결과일 수 있습니다.",
                ))
            }
            (list(&first))
            @if !more.is_empty() {
                details.after {
                    summary { (told(format!("{} more", more.len()), format!("{}개 더", more.len()))) }
                    (list(&more))
                }
            }
        }
    }
}

fn list(clues: &[Clue]) -> Markup {
    html! {
        ol.clues {
            @for clue in clues {
                li class=(class(clue.kind)) {
                    span.at { @match clue.at { Some(at) => (moment(at)), None => "–" } }
                    span.kind { (kind(clue.kind)) }
                    span.said {
                        // That it is one of Kubernetes' events says where it was seen.
                        @if clue.kind != Kind::Event { b { (clue.source.map(name)) } " " }
                        (clue.text.map(name))
                        @if clue.times > 1 { span.at { " ×" (clue.times) } }
                    }
                }
            }
        }
    }
}

const fn kind(kind: Kind) -> Words {
    match kind {
        Kind::Host => words("machine", "컴퓨터"),
        Kind::Pod => words("pod", "파드"),
        Kind::Event => words("event", "이벤트"),
        Kind::Log => words("log", "로그"),
        Kind::Failure => words("failure", "실패"),
    }
}

const fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Host => "host",
        Kind::Pod => "pod",
        Kind::Event => "event",
        Kind::Log => "log",
        Kind::Failure => "failure",
    }
}

fn look_further(report: &Report, first: &Failure) -> Markup {
    html! {
        details.after open {
            summary { (words("Look further", "더 알아보기")) }
            ol.deeds {
                @for deed in further(report, first) {
                    li { p { (deed.why) } pre tabindex="0" { (deed.command) } }
                }
            }
        }
    }
}
