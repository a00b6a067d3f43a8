//! Why something failed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::help;

/// Why something failed. `Display` says it in English, [`Cause::korean`] in Korean; what
/// an error or a check says is alike in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Cause {
    /// A step that nothing knows how to do.
    UnknownStep,
    /// A step of a scenario.
    Step {
        /// Its keyword and text.
        step: String,
        /// Why it failed.
        cause: Box<Cause>,
    },
    /// An error that somebody can do something about.
    Error {
        /// It, with its own causes.
        error: String,
        /// What to do.
        help: String,
        /// What kind of error it is, for example `lab::cluster::unknown`; empty in older
        /// records.
        #[serde(default)]
        code: String,
    },
    /// In the words of what failed.
    #[serde(untagged)]
    Told(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownStep => f.write_str("no step function matches this step"),
            Self::Step { step, cause } => write!(f, "{step}: {cause}"),
            Self::Error { error, help, .. } => write!(f, "{error}\nhint: {help}"),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Cause {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::UnknownStep => "이 단계에 맞는 단계 함수가 없습니다".to_owned(),
            Self::Step { step, cause } => format!("{step}: {}", cause.korean()),
            Self::Error { error, help, code } => {
                let korean = help::korean(code, help);
                format!("{error}\n도움: {}", korean.as_ref().unwrap_or(help))
            }
            Self::Told(text) => text.clone(),
        }
    }
}

impl From<String> for Cause {
    fn from(words: String) -> Self {
        Self::Told(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_both_languages;

    fn every() -> Vec<Cause> {
        vec![
            Cause::UnknownStep,
            Cause::Step {
                step: "Then no request failed".to_owned(),
                cause: Box::new(Cause::UnknownStep),
            },
            Cause::Error {
                error: "no engine answers".to_owned(),
                help: "start Docker".to_owned(),
                code: String::new(),
            },
            Cause::Error {
                error: "there is no cluster `demo`".to_owned(),
                help: "`lab list` shows the clusters there are; `lab up demo` makes one".to_owned(),
                code: "lab::cluster::unknown".to_owned(),
            },
            Cause::Told("3 requests failed".to_owned()),
        ]
    }

    #[test]
    fn each_has_its_words_in_both_languages() {
        let said = in_both_languages(&every(), Cause::korean);
        insta::assert_snapshot!(said);
    }

    #[test]
    fn what_is_recorded_is_read_and_so_are_words_of_older_records() {
        let json = serde_json::to_string(&every()).unwrap();
        assert!(json.ends_with(r#"},"3 requests failed"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Vec<Cause>>(&json).unwrap(), every());
    }
}
