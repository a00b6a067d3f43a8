//! Whose certificates are believed: those of this machine's authorities, and of a file's;
//! and which one is shown in turn.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use miette::Diagnostic;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::Verifier;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    identity::Identity,
    pem::{self, Certificate, Fault},
};

/// Authorities that are believed when they say who a server is: this machine's (those of
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`, where they are set), and more. And what a server is
/// shown that wants to know who speaks to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust(Arc<Believed>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Believed {
    more: Vec<Certificate>,
    shown: Option<Identity>,
    /// Made when TLS is first spoken: reading this machine's authorities takes longer than
    /// many a window's request.
    #[serde(skip)]
    config: OnceLock<ClientConfig>,
}

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
        let broken = |source| TrustError::Broken {
            path: path.to_owned(),
            source,
        };
        let more = pem::certificates(path).map_err(|fault| match fault {
            Fault::Read(source) => TrustError::Read {
                path: path.to_owned(),
                source,
            },
            Fault::Empty => TrustError::Empty {
                path: path.to_owned(),
            },
            Fault::Broken(source) => broken(source),
        })?;
        for Certificate(certificate) in &more {
            let added = RootCertStore::empty().add(certificate.clone());
            added.map_err(|error| broken(pem::why(error)))?;
        }
        Ok(Self::of(more, None))
    }

    /// The same, and this is shown to servers that ask for it.
    pub fn showing(self, identity: Identity) -> Self {
        Self::of(self.0.more.clone(), Some(identity))
    }

    fn of(more: Vec<Certificate>, shown: Option<Identity>) -> Self {
        Self(Arc::new(Believed {
            more,
            shown,
            config: OnceLock::new(),
        }))
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
            .with_custom_certificate_verifier(Arc::new(verifier));
        Ok(match &self.0.shown {
            None => config.with_no_client_auth(),
            Some(identity) => config.with_client_cert_resolver(identity.resolver()),
        })
    }
}

impl PartialEq for Believed {
    fn eq(&self, other: &Self) -> bool {
        (&self.more, &self.shown) == (&other.more, &other.shown)
    }
}

impl Eq for Believed {}
