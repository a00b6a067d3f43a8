//! A scenario with its steps and their evidence.

use maud::{Markup, html};

use super::{
    evidence::{self, Shown},
    words::{class, mark, name, took},
};
use crate::{
    lang::{told, words},
    report::{ScenarioReport, StepReport},
    words as said,
};

/// The most steps of one scenario; it would take a retry without an end to have more.
const STEPS_SHOWN: usize = 500;

/// One scenario, unfolded where it needs a look.
pub(super) fn scenario(scenario: &ScenarioReport, with_steps: bool) -> Markup {
    let outcome = scenario.outcome.as_ref();
    let most = if with_steps { STEPS_SHOWN } else { 0 };
    let steps = &scenario.steps[..scenario.steps.len().min(most)];
    let at = &scenario.scenario;
    let attention = !matches!(class(outcome), "passed" | "not-run");
    html! {
        details class={ "scenario " (class(outcome)) } open[attention] {
            summary {
                (mark(outcome))
                span.name { (name(&at.name)) }
                (took(scenario.span.length()))
            }
            p.origin {
                code { "features/" (name(&at.file)) ":" (at.line) }
                @for tag in &at.tags { " " span.tag { "@" (name(tag)) } }
                @if scenario.attempts > 1 {
                    " · " (told(format!("tried {} times", scenario.attempts), format!("{}번 시도", scenario.attempts)))
                }
            }
            @if let Some(reason) = outcome.and_then(said::reason) {
                @if !scenario.steps.iter().any(|step| said::reason(&step.outcome).as_ref() == Some(&reason)) {
                    (evidence::reason(&reason))
                }
            }
            @if outcome.is_none() { p.reason { (words("The run ended before this scenario did.", "이 시나리오가 끝나기 전에 실행이 끝났습니다.")) } }
            ol.steps {
                @for one in steps { (step(one, scenario.attempts)) }
            }
            @if !with_steps {
                p.left-out {
                    (told(
                        format!("{} steps: events.ndjson", scenario.steps.len()),
                        format!("단계 {}개: events.ndjson", scenario.steps.len()),
                    ))
                }
            }
        }
    }
}

fn step(step: &StepReport, attempts: u32) -> Markup {
    let shown = if step.outcome.is_failed() {
        Shown::Open
    } else {
        Shown::Folded
    };
    html! {
        li class=(class(Some(&step.outcome))) {
            div.line {
                (mark(Some(&step.outcome)))
                span.words {
                    @if attempts > 1 { span.at { "#" (step.attempt) " " } }
                    b.keyword { (name(step.keyword.trim())) } " " (name(&step.text))
                }
                (took(step.span.length()))
            }
            @if let Some(reason) = said::reason(&step.outcome) { (evidence::reason(&reason)) }
            (evidence::all(&step.evidence, shown))
        }
    }
}
