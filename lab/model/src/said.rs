//! What is said in both languages.

use std::fmt;

use serde::{Serialize, Serializer};

/// What is said in both languages. `Display` and JSON say it in English, [`Said::korean`]
/// in Korean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    english: String,
    korean: String,
}

impl Said {
    /// In English, and in Korean.
    pub fn both(english: impl Into<String>, korean: impl Into<String>) -> Self {
        Self {
            english: english.into(),
            korean: korean.into(),
        }
    }

    /// The same in Korean.
    pub fn korean(&self) -> &str {
        &self.korean
    }
}

/// What is alike in both: a figure, a name, a command, what another program says.
impl From<String> for Said {
    fn from(alike: String) -> Self {
        Self::both(alike.clone(), alike)
    }
}

impl From<&str> for Said {
    fn from(alike: &str) -> Self {
        alike.to_owned().into()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.english)
    }
}
