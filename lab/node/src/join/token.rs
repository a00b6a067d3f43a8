//! The token that admits a node: `K10<hash of the authority>::server:<secret>`, as
//! k3s writes it. The hash tells an agent the right server before it shows the
//! secret.

use std::fmt;

use sha2::{Digest, Sha256};

const FORMAT: &str = "K10";
const HASH_DIGITS: usize = 64;

/// A secret that is never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// A new one, of 256 random bits.
    pub(crate) fn new() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()))
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// For the one place that sends or keeps it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares digests, so that the time taken tells nothing of the secret.
    pub(crate) fn is(&self, shown: &str) -> bool {
        Sha256::digest(&self.0) == Sha256::digest(shown)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a node is given to join a cluster, or to found one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// SHA-256 of the authority's certificate as the server gives it out.
    pub(crate) authority: Option<String>,
    pub(crate) secret: Secret,
}

impl Token {
    /// Reads a whole token or a secret alone.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let Some((authority, user_and_secret)) = pinned(text) else {
            return Some(Self {
                authority: None,
                secret: Secret::from_text(text)?,
            });
        };
        let (_, secret) = user_and_secret.split_once(':')?;
        Some(Self {
            authority: Some(authority.to_owned()),
            secret: Secret::from_text(secret)?,
        })
    }

    /// The token as a file holds it.
    pub(crate) fn to_text(&self) -> String {
        match &self.authority {
            Some(hash) => format!("{FORMAT}{hash}::server:{}\n", self.secret.reveal()),
            None => format!("{}\n", self.secret.reveal()),
        }
    }
}

fn pinned(text: &str) -> Option<(&str, &str)> {
    let (hash, rest) = text.strip_prefix(FORMAT)?.split_once("::")?;
    let well_formed = hash.len() == HASH_DIGITS && hash.bytes().all(|it| it.is_ascii_hexdigit());
    well_formed.then_some((hash, rest))
}

/// How a token names an authority.
pub(crate) fn hash(certificate: &str) -> String {
    hex::encode(Sha256::digest(certificate))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(
            hash in proptest::option::of("[0-9a-f]{64}"),
            secret in "[a-z0-9:]{1,80}",
        ) {
            let token = Token { authority: hash, secret: Secret(secret) };

            prop_assert_eq!(Token::parse(&token.to_text()), Some(token));
        }

        #[test]
        fn no_text_is_too_odd_to_read(text in "\\PC*") {
            let _ = Token::parse(&text);
        }
    }

    #[test]
    fn a_token_of_k3s_is_understood() {
        let text = format!("K10{}::server:0123abcd\n", "ab".repeat(32));
        let token = Token::parse(&text).unwrap();

        assert_eq!(token.authority, Some("ab".repeat(32)));
        assert!(token.secret.is("0123abcd"));
        assert!(!token.secret.is("0123abce"));
    }

    #[test]
    fn nothing_admits_nobody() {
        assert_eq!(Token::parse(" \n"), None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let token = Token::parse("hunter2").unwrap();
        assert!(!format!("{token:?}").contains("hunter2"));
    }

    #[test]
    fn every_secret_is_another() {
        assert_ne!(Secret::new(), Secret::new());
    }
}
