//! What verdicts and places are called, in one place for every output.

use lab_model::outcome::Outcome;

use crate::{
    figures::counted,
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
