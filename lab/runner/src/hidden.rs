//! Takes secrets out of facts before anybody sees them.

use base64::{Engine, prelude::BASE64_STANDARD};
use lab_model::event::Fact;
use serde_json::Value;

/// What stands where a secret stood.
const MASK: &str = "[hidden]";
/// Texts shorter than this are words, not secrets: taking them out would tear others.
const SHORTEST: usize = 12;

/// Texts that are never told, as they are and in base64.
#[derive(Default)]
pub(crate) struct Hidden {
    texts: Vec<String>,
}

impl Hidden {
    /// Hides more texts.
    pub(crate) fn add(&mut self, secrets: Vec<String>) {
        for secret in secrets.into_iter().filter(|it| it.len() >= SHORTEST) {
            for text in [BASE64_STANDARD.encode(&secret), secret] {
                if !self.texts.contains(&text) {
                    self.texts.push(text);
                }
            }
        }
        // A secret that holds another goes first, so that nothing of it is left.
        self.texts.sort_by_key(|it| std::cmp::Reverse(it.len()));
    }

    /// The fact, with a mask where a secret stood.
    pub(crate) fn take_out(&self, fact: Fact) -> Fact {
        if self.texts.is_empty() {
            return fact;
        }
        let Ok(mut value) = serde_json::to_value(&fact) else {
            return fact;
        };
        if !self.mask(&mut value) {
            return fact;
        }
        // Only text was changed; where a name must not hold a mask, nothing is told of it.
        serde_json::from_value(value).unwrap_or_else(|_| Fact::Noted {
            text: format!("a fact was left out: it held a secret {MASK}"),
        })
    }

    /// Masks every text below a value; tells whether there was something to mask.
    fn mask(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let mut masked = false;
                for secret in self.texts.iter().filter(|it| !it.is_empty()) {
                    if text.contains(secret.as_str()) {
                        *text = text.replace(secret.as_str(), MASK);
                        masked = true;
                    }
                }
                masked
            }
            Value::Array(items) => items.iter_mut().fold(false, |any, it| self.mask(it) || any),
            Value::Object(entries) => entries
                .values_mut()
                .fold(false, |any, it| self.mask(it) || any),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(secrets: &[&str], text: &str) -> String {
        let mut hidden = Hidden::default();
        hidden.add(secrets.iter().map(|it| (*it).to_owned()).collect());
        let fact = hidden.take_out(Fact::Noted {
            text: text.to_owned(),
        });
        match fact {
            Fact::Noted { text } => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_secret_is_masked_as_it_is_and_in_base64() {
        let text = "psql://u:q9\"X\\2mM4tPz0@db and cTkiWFwybU00dFB6MA==";
        assert_eq!(
            told(&["q9\"X\\2mM4tPz0"], text),
            "psql://u:[hidden]@db and [hidden]"
        );
    }

    #[test]
    fn a_secret_within_a_secret_leaves_nothing_of_either() {
        let secrets = ["abcdefghijkl", "{\"key\": \"abcdefghijkl\"}"];
        assert_eq!(
            told(&secrets, "x {\"key\": \"abcdefghijkl\"} y"),
            "x [hidden] y"
        );
    }

    #[test]
    fn short_words_are_not_torn_out() {
        assert_eq!(told(&["admin"], "admin logs in"), "admin logs in");
    }
}
