//! Why a run of a comparison does not count.

use std::fmt;

use lab_model::void::Void;
use serde::{Deserialize, Serialize};

use super::sample::Unusable;
use crate::record::FailureClass;

/// Why a run, or the canary, failed. `Display` says it in English, [`Failure::korean`] in
/// Korean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Failure {
    /// Not every answer was right.
    Errors {
        /// How many were not.
        errors: u64,
        /// What most of them were.
        class: FailureClass,
        /// The first of those, in the words of the server or of what noticed it.
        example: String,
    },
    /// The figures say nothing of the server.
    Void {
        /// Why.
        void: Void,
    },
    /// No run can have such a figure.
    Unusable {
        /// What it is a figure of.
        figure: String,
        /// The figure.
        value: f64,
    },
    /// No null server can answer so.
    Null {
        /// Its answers per second.
        rate: f64,
    },
    /// Anything else, in the words of what failed.
    #[serde(untagged)]
    Told(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors {
                errors,
                class,
                example,
            } => write!(f, "{errors} errors, most of them {class}: {example}"),
            Self::Void { void } => void.fmt(f),
            Self::Unusable { figure, value } => {
                write!(f, "{figure} is {value}, which no run can have")
            }
            Self::Null { rate } => write!(f, "the null server gave {rate} answers/s"),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Failure {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::Errors {
                errors,
                class,
                example,
            } => format!("오류 {errors}건, 대부분 {}: {example}", class.korean()),
            Self::Void { void } => void.korean(),
            Self::Unusable { figure, value } => {
                format!("`{figure}` 값이 {value}: 어떤 실행에서도 나올 수 없는 값")
            }
            Self::Null { rate } => format!("빈 서버의 응답이 초당 {rate}건"),
            Self::Told(text) => text.clone(),
        }
    }
}

impl From<Unusable> for Failure {
    fn from(unusable: Unusable) -> Self {
        Self::Unusable {
            figure: unusable.name.to_owned(),
            value: unusable.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_words_in_both_languages() {
        let failures = [
            Failure::Errors {
                errors: 3,
                class: FailureClass::Status(503),
                example: "overloaded".to_owned(),
            },
            Failure::Void {
                void: Void::Busy {
                    used: 0.57,
                    most: 0.5,
                },
            },
            Failure::Unusable {
                figure: "p50".to_owned(),
                value: 0.0,
            },
            Failure::Null { rate: 0.0 },
            Failure::Told("the server is gone".to_owned()),
        ];
        let said = failures.iter().fold(String::new(), |said, it| {
            format!("{said}{it}\n  {}\n", it.korean())
        });
        insta::assert_snapshot!(said);
        let json = serde_json::to_string(&failures).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<Failure>>(&json).unwrap(),
            failures
        );
    }
}
