//! Whose certificates are believed: those of this machine's authorities, and of a file's.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use miette::Diagnostic;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Authorities that are believed when they say who a server is: this machine's (those of
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`, where they are set), and more.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Authority>", into = "Vec<Authority>")]
pub struct Trust(Arc<Believed>);

#[derive(Debug, Default)]
struct Believed {
    more: Vec<Authority>,
    /// Made when TLS is first spoken: reading this machine's authorities takes longer than
    /// many a window's request.
    config: OnceLock<ClientConfig>,
}

/// The certificate of an authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Authority(#[serde(with = "crate::export::bytes")] CertificateDer<'static>);

/// Why a server's certificate cannot be checked at all.
#[derive(Debug, Error, Diagnostic)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("failed to read `{}`", path.display())]
    #[diagnostic(
        code(lab::bench::cacert_missing),
        help(
            "`--cacert` takes a file with the certificate of the authority that signed the server's"
        )
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("`{}` holds no certificate in the form of PEM", path.display())]
    #[diagnostic(
        code(lab::bench::cacert_empty),
        help(
            "it must have a line `-----BEGIN CERTIFICATE-----`; \
             `openssl x509 -inform der -in FILE -out ca.pem` makes PEM of DER"
        )
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file holds a certificate that is none.
    #[error("`{}` holds a certificate that is none", path.display())]
    #[diagnostic(
        code(lab::bench::cacert_broken),
        help("`openssl x509 -in FILE -noout -text` shows what is wrong with it")
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody is believed.
    #[error("this machine knows no authority whose certificates it could believe")]
    #[diagnostic(
        code(lab::bench::no_authorities),
        help(
            "pass the certificate of the server's authority: `--cacert FILE`; \
             `SSL_CERT_FILE` or Debian's package `ca-certificates` tell those of the world"
        )
    )]
    Nobody {
        /// Why.
        source: rustls::Error,
    },
}

impl Trust {
    /// This machine's authorities, and those whose certificates a PEM file holds.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no certificate, or one that is none.
    pub fn with_file(path: &Path) -> Result<Self, TrustError> {
        let pem = fs::read(path).map_err(|source| TrustError::Read {
            path: path.to_owned(),
            source,
        })?;
        let broken = |source| TrustError::Broken {
            path: path.to_owned(),
            source,
        };
        let mut more = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| broken(error.into()))?;
            let added = RootCertStore::empty().add(certificate.clone());
            added.map_err(|error| match error {
                rustls::Error::InvalidCertificate(why) => broken(why.to_string().into()),
                other => broken(other.into()),
            })?;
            more.push(Authority(certificate));
        }
        if more.is_empty() {
            return Err(TrustError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(more.into())
    }

    /// How TLS is spoken by who believes these: for all that is asked of a server, with load
    /// or beside it, the same.
    pub(crate) fn config(&self) -> Result<ClientConfig, TrustError> {
        if let Some(config) = self.0.config.get() {
            return Ok(config.clone());
        }
        let config = self
            .make()
            .map_err(|source| TrustError::Nobody { source })?;
        Ok(self.0.config.get_or_init(|| config).clone())
    }

    fn make(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let more = self.0.more.iter().map(|it| it.0.clone());
        let verifier = Verifier::new_with_extra_roots(more, Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(config)
    }
}

impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        self.0.more == other.0.more
    }
}

impl Eq for Trust {}

impl From<Vec<Authority>> for Trust {
    fn from(more: Vec<Authority>) -> Self {
        Self(Arc::new(Believed {
            more,
            config: OnceLock::new(),
        }))
    }
}

impl From<Trust> for Vec<Authority> {
    fn from(trust: Trust) -> Self {
        trust.0.more.clone()
    }
}
