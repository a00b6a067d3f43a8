//! A scenario with its steps and their evidence.

use maud::{Markup, html};

use super::{
    evidence::{self, Shown},
    words::{class, mark, name, took},
};
use crate::{
    lang::{told, words},
    report::{ScenarioReport, StepReport},
};

/// One scenario, unfolded where it needs a look.
pub(super) fn scenario(scenario: &ScenarioReport) -> Markup {
    let outcome = scenario.outcome.as_ref();
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
            @if let Some(reason) = outcome.and_then(|outcome| outcome.reason()) {
                @if !scenario.steps.iter().any(|step| step.outcome.reason() == Some(reason)) {
                    (evidence::reason(reason))
                }
            }
            @if outcome.is_none() { p.reason { (words("The run ended before this scenario did.", "이 시나리오가 끝나기 전에 실행이 끝났습니다.")) } }
            ol.steps {
                @for one in &scenario.steps { (step(one, scenario.attempts)) }
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
            @if let Some(reason) = step.outcome.reason() { (evidence::reason(reason)) }
            (evidence::all(&step.evidence, shown))
        }
    }
}
