//! How a scenario, a component or a stage ended.

use std::{borrow::Cow, error::Error};

use serde::{Deserialize, Serialize};

use crate::hindrance::Hindrance;

/// How something ended. A failure is a value here, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// It did what was expected.
    Passed,
    /// It did not; `reason` is the first cause, in plain words.
    Failed {
        /// The first cause.
        reason: String,
    },
    /// It failed at first and passed when tried again.
    Flaky {
        /// Why the first try failed.
        reason: String,
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

    /// The reason in English, where there is one.
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Passed => None,
            Self::Failed { reason } | Self::Flaky { reason } => Some(reason.into()),
            Self::NotRun { reason } => Some(reason.to_string().into()),
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
