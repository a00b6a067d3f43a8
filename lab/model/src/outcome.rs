//! How a scenario, a component or a stage ended.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::{cause::Cause, hindrance::Hindrance};

/// How something ended. A failure is a value here, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// It did what was expected.
    Passed,
    /// It did not.
    Failed {
        /// The first cause.
        reason: Cause,
    },
    /// It failed at first and passed when tried again.
    Flaky {
        /// Why the first try failed.
        reason: Cause,
    },
    /// It could not run here; never counted as passed.
    NotRun {
        /// What kept it.
        reason: Hindrance,
    },
}

impl Outcome {
    /// Whether this is [`Outcome::Failed`].
    pub const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// The outcome's word, as reports show it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Flaky { .. } => "flaky",
            Self::NotRun { .. } => "not-run",
        }
    }

    /// Why it failed, where it did at first.
    pub const fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Failed { reason } | Self::Flaky { reason } => Some(reason),
            Self::Passed | Self::NotRun { .. } => None,
        }
    }

    /// The reason in English, where there is one.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Passed => None,
            Self::Failed { reason } | Self::Flaky { reason } => Some(reason.to_string()),
            Self::NotRun { reason } => Some(reason.to_string()),
        }
    }
}

/// An error with all its causes, on one line.
pub fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
