//! Why a step failed: the chain of causes as one line of plain text.

use std::{error::Error, fmt};

/// Why a step failed. Made from any error by `?`; the causes are joined by `: `.
///
/// It is not an [`Error`] itself, so that every error converts into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

/// What a step function returns.
pub(crate) type StepResult = Result<(), Failure>;

impl Failure {
    /// A failure with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The same failure, with its cause after it.
    #[must_use]
    pub fn because(self, cause: impl fmt::Display) -> Self {
        Self(format!("{}: {cause}", self.0))
    }

    /// The same failure, saying first what was being done.
    #[must_use]
    pub fn context(self, doing: impl fmt::Display) -> Self {
        Self(format!("{doing}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            let part = source.to_string();
            // Some libraries repeat their cause in their own text.
            if !text.contains(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
            cause = source.source();
        }
        Self(text)
    }
}

/// Fails the step with this text unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        let holds: bool = $condition;
        if !holds {
            return Err($crate::failure::Failure::new(format!($($text)+)));
        }
    };
}
pub(crate) use ensure;

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to ask MLflow")]
    struct Outer(#[source] io::Error);

    #[test]
    fn joins_the_causes() {
        let failure = Failure::from(Outer(io::Error::other("connection refused")));
        assert_eq!(
            failure.to_string(),
            "failed to ask MLflow: connection refused"
        );
    }

    #[test]
    fn context_comes_first() {
        let failure = Failure::new("it is down").context("waiting for Triton");
        assert_eq!(failure.to_string(), "waiting for Triton: it is down");
    }
}
