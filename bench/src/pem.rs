//! What PEM files hold: certificates, private keys.

use std::{error::Error, fs, io, path::Path};

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use serde::{Deserialize, Serialize};

/// A certificate that is told as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate(
    #[serde(with = "crate::export::bytes")] pub(crate) CertificateDer<'static>,
);

/// Why a file does not give what it should.
#[derive(Debug)]
pub(crate) enum Fault {
    Read(io::Error),
    /// It has none of that.
    Empty,
    Broken(Box<dyn Error + Send + Sync>),
}

/// The certificates in a file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, Fault> {
    let text = fs::read(path).map_err(Fault::Read)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let read = read.map_err(|error| Fault::Broken(error.into()))?;
    if read.is_empty() {
        return Err(Fault::Empty);
    }
    Ok(read.into_iter().map(Certificate).collect())
}

/// The first private key in a file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = fs::read(path).map_err(Fault::Read)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => Fault::Empty,
        other => Fault::Broken(other.into()),
    })
}

/// What is wrong with a certificate, in rustls' words but without its head, which says that
/// a peer sent it.
pub(crate) fn why(error: rustls::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        rustls::Error::InvalidCertificate(why) => why.to_string().into(),
        other => other.into(),
    }
}
