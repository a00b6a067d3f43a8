//! Takes secrets out of text: those that are known, and what looks like one.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use regex::Regex;

/// What stands where a secret stood.
pub const MASK: &str = "[hidden]";
/// Texts shorter than this are words, not secrets: taking them out would tear others.
const SHORTEST: usize = 12;

/// A value behind a name that says it: `"password": "…"`, `FERNET_KEY=…`, `Bearer …`.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let names = "password|passwd|passphrase|token|(?:secret|api|access|private|fernet)[_-]?key";
    pattern(&format!(
        r#"(?ix) (?P<before>
            (?: {names} ) \\? ["']? \s* [:=] \s* \\? ["']?
            | \b (?: bearer | basic ) \s+
        ) (?P<value> [^\s"'\\,;&{{}}@]{{8,}} )"#
    ))
});

/// A password within an address.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"']*:)(?P<value>[^\s/@"']+)@"#)
});

/// What only a machine writes: long, with letters of both cases and digits. Programs quote
/// the objects that they could not handle, and cut them off anywhere.
static OPAQUE: LazyLock<Regex> = LazyLock::new(|| pattern("[A-Za-z0-9_-]{20,}=*"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that was written here is one")
}

/// Texts that are never told, as they are and in base64.
#[derive(Debug, Default)]
pub struct Secrets {
    texts: Vec<String>,
}

impl Secrets {
    /// Hides more texts.
    pub fn add(&mut self, secrets: Vec<String>) {
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

    /// The text with a mask where a secret stood; none where there is nothing to mask.
    pub fn mask(&self, text: &str) -> Option<String> {
        let mut masked: Option<String> = None;
        for secret in &self.texts {
            let text = masked.as_deref().unwrap_or(text);
            if text.contains(secret.as_str()) {
                masked = Some(text.replace(secret.as_str(), MASK));
            }
        }
        let text = masked.as_deref().unwrap_or(text);
        mask_named(text).or(masked)
    }
}

/// Masks what a name, or its place in an address, says to be a secret.
fn mask_named(text: &str) -> Option<String> {
    if !NAMED.is_match(text) && !ADDRESS.is_match(text) {
        return None;
    }
    let masked = NAMED.replace_all(text, format!("${{before}}{MASK}"));
    let masked = ADDRESS.replace_all(&masked, format!("${{before}}{MASK}@"));
    Some(masked.into_owned()).filter(|masked| masked != text)
}

/// The words of a program that was given secrets which nobody can list: some are made
/// while it works, and never kept. Whatever looks like one is masked.
pub fn without_secrets(words: &str) -> String {
    let words = mask_named(words).unwrap_or_else(|| words.to_owned());
    let masked = OPAQUE.replace_all(&words, |found: &regex::Captures<'_>| {
        let word = &found[0];
        if is_opaque(word) { MASK } else { word }.to_owned()
    });
    masked.into_owned()
}

/// Whether nobody has made up this word: it has letters of both cases, and digits or the
/// end of base64 too, or hardly two letters of one case in a row.
fn is_opaque(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|it| kind(&it));
    let kind = |letter: u8| match letter {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    };
    let pairs = word.as_bytes().windows(2);
    let turns = pairs.filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && (has(u8::is_ascii_digit) || word.ends_with('=') || 3 * turns >= word.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(secrets: &[&str], text: &str) -> String {
        let mut hidden = Secrets::default();
        hidden.add(secrets.iter().map(|it| (*it).to_owned()).collect());
        hidden.mask(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn a_secret_is_masked_as_it_is_and_in_base64() {
        let text = "said q9\"X\\2mM4tPz0 and cTkiWFwybU00dFB6MA==";
        assert_eq!(
            told(&["q9\"X\\2mM4tPz0"], text),
            "said [hidden] and [hidden]"
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

    #[test]
    fn what_a_name_says_to_be_secret_is_masked() {
        for (text, masked) in [
            (
                r#"{"password":"x7x7x7x7","port":1}"#,
                r#"{"password":"[hidden]","port":1}"#,
            ),
            (
                r#"\"password\":\"x7x7x7x7\""#,
                r#"\"password\":\"[hidden]\""#,
            ),
            ("FERNET_KEY=x7x7x7x7 x", "FERNET_KEY=[hidden] x"),
            (
                "Authorization: Bearer x7x7x7x7.y",
                "Authorization: Bearer [hidden]",
            ),
            (
                "psql://u:x7x7x7x7@db/airflow",
                "psql://u:[hidden]@db/airflow",
            ),
            (
                "webserver-secret-key: x7x7x7x7",
                "webserver-secret-key: [hidden]",
            ),
        ] {
            assert_eq!(told(&[], text), masked);
            assert_eq!(told(&[], masked), masked);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "Error: INSTALLATION FAILED: secrets \"airflow-admin\" already exists",
            "pod triton-6d9f7c: CreateContainerConfigError, image lab/triton@sha256:0123456789abcdef0123456789abcdef",
            "unable to build kubernetes objects from release manifest: error validating \"\": \
             ValidationError(Deployment.spec): unknown field \"replica\" in io.k8s.api.apps.v1.DeploymentSpec",
            "spec.affinity.requiredDuringSchedulingIgnoredDuringExecution: Required value",
            "http://127.0.0.1:30800/v2/models/digits/ready",
            "the token has expired; password: short",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }

    proptest! {
        // As the chart makes passwords, and keys of 32 bytes, and a Secret's data of them.
        #[test]
        fn nothing_of_a_generated_secret_is_told(
            secret in "[A-Za-z][0-9][A-Z][a-z][A-Za-z0-9]{28}",
            name in "[a-z]{1,9}",
        ) {
            for secret in [BASE64_STANDARD.encode(&secret), secret] {
                for words in [
                    format!("Secret in version \"v1\" cannot be handled as a Secret: bigger context \
                             ...|\"data\":{{\"{name}\":\"{secret}\",\"x\":1}}|..."),
                    format!("--set {name}={secret} is refused"),
                    format!("{name} {secret}"),
                ] {
                    let told = without_secrets(&words);
                    prop_assert!(!told.contains(&secret[..20]), "{told}");
                    prop_assert!(told.contains(MASK));
                }
            }
        }
    }
}
