//! What is shown to servers that ask who speaks to them: a certificate, by whoever has its key.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use miette::Diagnostic;
use rustls::{
    client::ResolvesClientCert,
    crypto::ring,
    pki_types::PrivateKeyDer,
    sign::{CertifiedKey, SingleCertAndKey},
};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use crate::pem::{self, Certificate, Fault};

/// A client's certificate and its private key. It is told to generators, which show it too,
/// and else to nobody: `Debug` has nothing of it.
#[derive(Deserialize)]
#[serde(try_from = "Told")]
pub struct Identity {
    key: PrivateKeyDer<'static>,
    shown: Arc<CertifiedKey>,
}

/// As generators are told it.
#[derive(Serialize, Deserialize)]
struct Told {
    chain: Vec<Certificate>,
    #[serde(with = "crate::export::bytes")]
    key: Vec<u8>,
}

/// Why a client's certificate cannot be shown.
#[derive(Debug, Error, Diagnostic)]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("failed to read `{}`", path.display())]
    #[diagnostic(
        code(lab::bench::cert_missing),
        help(
            "`--cert` takes a PEM file with the client's certificate, `--key` one with its private key"
        )
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no certificate.
    #[error("`{}` holds no certificate in the form of PEM", path.display())]
    #[diagnostic(
        code(lab::bench::cert_empty),
        help(
            "it must have a line `-----BEGIN CERTIFICATE-----`; \
             `openssl x509 -inform der -in FILE -out cert.pem` makes PEM of DER"
        )
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file holds a certificate that is none.
    #[error("`{}` holds a certificate that is none", path.display())]
    #[diagnostic(
        code(lab::bench::cert_broken),
        help("`openssl x509 -in FILE -noout -text` shows what is wrong with it")
    )]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file holds no private key.
    #[error("`{}` holds no private key in the form of PEM that can be read without a password", path.display())]
    #[diagnostic(
        code(lab::bench::key_empty),
        help(
            "it must have a line `-----BEGIN PRIVATE KEY-----`; \
             `openssl pkey -in FILE -out key.pem` makes that of DER and of a key with a password"
        )
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The file holds a key that is none, or of a kind that is not known here.
    #[error("`{}` holds a private key that cannot be used", path.display())]
    #[diagnostic(
        code(lab::bench::key_broken),
        help(
            "RSA, ECDSA (P-256, P-384) and Ed25519 can be; `openssl pkey -in FILE -noout -text_pub` \
             shows which it is, or that it is none"
        )
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The key is another certificate's.
    #[error("the key of `{}` does not fit the certificate of `{}`", key.display(), certificate.display())]
    #[diagnostic(
        code(lab::bench::key_of_another),
        help(
            "`openssl pkey -in KEY -pubout` and `openssl x509 -in CERT -noout -pubkey` must print \
             the same; the client's own certificate must be the first of its file"
        )
    )]
    Differ {
        /// The key's file.
        key: PathBuf,
        /// The certificate's.
        certificate: PathBuf,
    },
}

impl Identity {
    /// A certificate, with those that lead to its authority behind it, and its key.
    ///
    /// # Errors
    /// When a file cannot be read or holds something else, or the two do not fit.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let path = certificate.to_owned();
        let chain = pem::certificates(certificate).map_err(|fault| match fault {
            Fault::Read(source) => IdentityError::Read { path, source },
            Fault::Empty => IdentityError::NoCertificate { path },
            Fault::Broken(source) => IdentityError::Certificate { path, source },
        })?;
        let path = key.to_owned();
        let read = pem::key(key).map_err(|fault| match fault {
            Fault::Read(source) => IdentityError::Read { path, source },
            Fault::Empty => IdentityError::NoKey { path },
            Fault::Broken(source) => IdentityError::Key { path, source },
        })?;
        Self::new(chain, read).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => IdentityError::Differ {
                key: key.to_owned(),
                certificate: certificate.to_owned(),
            },
            rustls::Error::InvalidCertificate(_) => IdentityError::Certificate {
                path: certificate.to_owned(),
                source: pem::why(error),
            },
            other => IdentityError::Key {
                path: key.to_owned(),
                source: other.into(),
            },
        })
    }

    fn new(chain: Vec<Certificate>, key: PrivateKeyDer<'static>) -> Result<Self, rustls::Error> {
        let chain = chain.into_iter().map(|it| it.0).collect();
        let shown = CertifiedKey::from_der(chain, key.clone_key(), &ring::default_provider())?;
        Ok(Self {
            key,
            shown: Arc::new(shown),
        })
    }

    /// What rustls shows it with.
    pub(crate) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.shown)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.shown.cert == other.shown.cert
    }
}

impl Eq for Identity {}

impl TryFrom<Told> for Identity {
    type Error = String;

    fn try_from(told: Told) -> Result<Self, String> {
        let key = PrivateKeyDer::try_from(told.key)?;
        Self::new(told.chain, key).map_err(|error| error.to_string())
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let chain = self.shown.cert.iter().cloned().map(Certificate);
        let told = Told {
            chain: chain.collect(),
            key: self.key.secret_der().to_vec(),
        };
        told.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::trust::Trust;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn generators_are_told_the_key_and_no_text_for_people_has_it() {
        let own = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        let (certificate, key) = (
            file(&own.cert.pem()),
            file(&own.signing_key.serialize_pem()),
        );
        let identity = Identity::read(certificate.path(), key.path()).unwrap();
        let trust = Trust::with_file(certificate.path())
            .unwrap()
            .showing(identity);
        // What is spoken with is shown with the rest from then on.
        trust.config().unwrap();

        let told = serde_json::to_string(&trust).unwrap();
        assert_eq!(serde_json::from_str::<Trust>(&told).unwrap(), trust);

        let secret = own.signing_key.serialize_der();
        let shown = format!("{trust:?}");
        assert!(shown.contains("Identity { .. }"), "{shown}");
        let bytes = format!("{:?}", &secret[secret.len() - 16..]);
        assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
        let pem = own.signing_key.serialize_pem();
        let line = pem.lines().nth(1).unwrap();
        assert!(!shown.contains(line), "{shown}");
    }
}
