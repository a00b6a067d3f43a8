//! Colors on a terminal. Every color has a mark or a word beside it.

use lab_model::outcome::Outcome;

/// What is painted, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Good,
    Bad,
    Doubtful,
    Faint,
    Strong,
}

/// Paints, or does not where colors are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Painter {
    pub(crate) color: bool,
}

impl Painter {
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Good => "32",
            Paint::Bad => "31;1",
            Paint::Doubtful => "33",
            Paint::Faint => "2",
            Paint::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The outcome's mark: `✓ ✗ ↻ –`, and `?` where it never ended.
    pub(crate) fn mark(self, outcome: Option<&Outcome>) -> String {
        let paint = match outcome {
            Some(Outcome::Passed) => Paint::Good,
            Some(Outcome::Failed { .. }) => Paint::Bad,
            Some(Outcome::Flaky { .. } | Outcome::NotRun { .. }) | None => Paint::Doubtful,
        };
        self.paint(paint, mark(outcome))
    }
}

/// The outcome's mark without color.
pub(crate) const fn mark(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Passed) => "✓",
        Some(Outcome::Failed { .. }) => "✗",
        Some(Outcome::Flaky { .. }) => "↻",
        Some(Outcome::NotRun { .. }) => "–",
        None => "?",
    }
}
