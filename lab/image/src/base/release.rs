//! A suite's release file: its signature and the checksums it vouches for.

use std::collections::BTreeMap;

use pgp::composed::{CleartextSignedMessage, Deserializable, SignedPublicKey};

use super::BaseError;
use crate::fetch::Checked;

const KEYRING: &[u8] = include_bytes!("../../data/debian-archive-keyring.gpg");

/// What a verified release file vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    files: BTreeMap<String, Checked>,
}

impl Release {
    /// Reads an `InRelease` file fetched from `url`, if Debian signed it.
    pub(crate) fn verified(signed: &str, url: &str) -> Result<Self, BaseError> {
        let refused = || BaseError::Signature {
            url: url.to_owned(),
        };
        let (message, _) = CleartextSignedMessage::from_string(signed).map_err(|_| refused())?;
        if !keys()?.iter().any(|key| signed_by(&message, key)) {
            return Err(refused());
        }
        Self::parse(&message.signed_text(), url)
    }

    /// The checksum of a file below the suite's folder.
    pub(crate) fn file(&self, path: &str) -> Option<&Checked> {
        self.files.get(path)
    }

    fn parse(text: &str, url: &str) -> Result<Self, BaseError> {
        let files: BTreeMap<_, _> = text
            .lines()
            .skip_while(|line| !line.starts_with("SHA256:"))
            .skip(1)
            .take_while(|line| line.starts_with(' '))
            .filter_map(|line| {
                let mut words = line.split_ascii_whitespace();
                let (sha256, bytes, path) = (words.next()?, words.next()?, words.next()?);
                let checked = Checked {
                    sha256: sha256.to_owned(),
                    bytes: bytes.parse().ok()?,
                };
                Some((path.to_owned(), checked))
            })
            .collect();
        if files.is_empty() {
            return Err(BaseError::Format {
                file: url.to_owned(),
                message: "it lists no SHA256 checksums".to_owned(),
            });
        }
        Ok(Self { files })
    }
}

fn keys() -> Result<Vec<SignedPublicKey>, BaseError> {
    let broken = |error: pgp::errors::Error| BaseError::Keyring {
        message: error.to_string(),
    };
    let keys: Vec<_> = SignedPublicKey::from_bytes_many(KEYRING)
        .map_err(broken)?
        .collect::<Result<_, _>>()
        .map_err(broken)?;
    Ok(keys)
}

fn signed_by(message: &CleartextSignedMessage, key: &SignedPublicKey) -> bool {
    let by_primary = message.verify(&key.primary_key).is_ok();
    by_primary
        || key.public_subkeys.iter().any(|subkey| {
            subkey.verify_bindings(&key.primary_key).is_ok() && message.verify(subkey).is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = include_str!("../../tests/data/InRelease");

    #[test]
    fn accepts_what_debian_signed() {
        let release = Release::verified(SIGNED, "test").unwrap();

        let packages = release.file("main/binary-amd64/Packages.xz").unwrap();
        assert_eq!(packages.sha256.len(), 64);
    }

    #[test]
    fn refuses_a_changed_checksum() {
        let changed = SIGNED.replacen(
            "main/binary-amd64/Packages.xz",
            "main/binary-amd64/Packages.xy",
            1,
        );

        let error = Release::verified(&changed, "test").unwrap_err();

        assert!(matches!(error, BaseError::Signature { .. }));
    }

    #[test]
    fn refuses_an_unsigned_file() {
        let body: String = SIGNED
            .lines()
            .skip(3)
            .take_while(|line| !line.starts_with("-----BEGIN PGP SIGNATURE"))
            .flat_map(|line| [line, "\n"])
            .collect();

        assert!(matches!(
            Release::verified(&body, "test"),
            Err(BaseError::Signature { .. })
        ));
    }
}
