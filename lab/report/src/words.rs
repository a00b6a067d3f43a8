//! What verdicts and places are called, in one place for every output.

use lab_model::{
    benchmark::{Found, Highest},
    outcome::Outcome,
};

use crate::{
    figures::{counted, micros, rate},
    report::{Counts, NotRunKind, Place, Verdict},
    text::one_line,
};

/// The longest name in a line, characters.
const NAME_LIMIT: usize = 160;

/// The verdict as a headline.
pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Passed",
        Verdict::NothingVerified => "Nothing was verified",
        Verdict::ScenariosFailed => "Scenarios failed",
        Verdict::BudgetMissed => "Benchmark missed its budget",
        Verdict::SetupFailed => "Set-up failed",
        Verdict::CleanupIncomplete => "Clean-up is incomplete",
        Verdict::Interrupted => "Interrupted",
        Verdict::Error(2) => "Wrong use",
        Verdict::Error(_) => "Ended by an error",
    }
}

/// The verdict as a sign.
pub(crate) const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✓",
        Verdict::NothingVerified => "–",
        Verdict::Interrupted => "■",
        _ => "✗",
    }
}

/// `27 scenarios passed, 1 failed, 2 not run`.
pub(crate) fn counts(counts: Counts) -> String {
    if counts.all() == 0 {
        return "no scenario ran".to_owned();
    }
    let mut parts = vec![format!("{} passed", counted(counts.passed, "scenario"))];
    for (number, word) in [
        (counts.flaky, "passed at a later try"),
        (counts.failed, "failed"),
        (counts.not_run, "not run"),
        (counts.unfinished, "not finished"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    parts.join(", ")
}

/// The answer of a search in a sentence.
pub(crate) fn highest(highest: &Highest) -> String {
    let target = micros(highest.p99_micros);
    match highest.found {
        Found::Rate { rate: found } => format!(
            "Highest rate that kept p99 within {target} without errors, confirmed: {}/s.",
            rate(found)
        ),
        Found::Unconfirmed { rate: found } => format!(
            "The time ran out: {}/s kept p99 within {target}, but was not confirmed.",
            rate(found)
        ),
        Found::None => {
            format!("No rate that was tried kept p99 within {target} without errors.")
        }
    }
}

/// Where something failed: `scenario "…" (features/deploy.feature:31)`.
pub(crate) fn place(place: &Place) -> String {
    match place {
        Place::Stage(stage) => format!("stage {stage}"),
        Place::Component(name) => format!("component {}", one_line(name, NAME_LIMIT)),
        Place::Scenario { scenario, .. } => format!(
            "scenario \"{}\" (features/{}:{})",
            one_line(&scenario.name, NAME_LIMIT),
            one_line(&scenario.file, NAME_LIMIT),
            scenario.line
        ),
    }
}

/// The outcome's word as people say it.
pub(crate) const fn spoken(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Passed) => "passed",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::Flaky { .. }) => "passed at a later try",
        Some(Outcome::NotRun { .. }) => "not run",
        None => "not finished",
    }
}

/// What could not run.
pub(crate) const fn kind(kind: NotRunKind) -> &'static str {
    match kind {
        NotRunKind::Component => "component",
        NotRunKind::Scenario => "scenario",
        NotRunKind::Stage => "stage",
    }
}
