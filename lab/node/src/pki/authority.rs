//! A certificate authority: kept on disk, signs for server, clients and nodes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
};

use super::{PkiError, certificate_error, write};

/// A certificate with its key, PEM.
pub(crate) struct Credentials {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// Signs certificates.
pub(crate) struct Authority {
    /// Its own certificate, PEM.
    pub(crate) certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The authority kept as `<file>.key` and `<file>.crt` in that folder, made
    /// where there is none.
    pub(crate) fn open(folder: &Path, file: &str, name: &str) -> Result<Self, PkiError> {
        let (key_path, certificate_path) = paths(folder, file);
        let kept = fs::read_to_string(&key_path).and_then(|key| {
            fs::read_to_string(&certificate_path).map(|certificate| (key, certificate))
        });
        let (key, certificate) = if let Ok((key, certificate)) = kept {
            let key = KeyPair::from_pem(&key).map_err(certificate_error(name))?;
            (key, certificate)
        } else {
            let key = KeyPair::generate().map_err(certificate_error(name))?;
            let certificate = authority_params(name)
                .self_signed(&key)
                .map_err(certificate_error(name))?
                .pem();
            write(&key_path, &key.serialize_pem())?;
            write(&certificate_path, &certificate)?;
            (key, certificate)
        };
        Ok(Self {
            certificate,
            issuer: Issuer::new(authority_params(name), key),
        })
    }

    /// A client with a key of its own.
    pub(super) fn client(&self, user: &str, group: Option<&str>) -> Result<Credentials, PkiError> {
        let key = KeyPair::generate().map_err(certificate_error(user))?;
        Ok(Credentials {
            certificate: self.client_certificate(user, group, &key)?,
            key: key.serialize_pem(),
        })
    }

    /// A server with a key of its own.
    pub(super) fn server(&self, name: &str, names: Vec<String>) -> Result<Credentials, PkiError> {
        let key = KeyPair::generate().map_err(certificate_error(name))?;
        Ok(Credentials {
            certificate: self.server_certificate(name, names, &key)?,
            key: key.serialize_pem(),
        })
    }

    /// A client that has a key.
    pub(super) fn client_certificate(
        &self,
        user: &str,
        group: Option<&str>,
        key: &impl PublicKeyData,
    ) -> Result<String, PkiError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(user, group);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(user, &params, key)
    }

    /// A server that has a key.
    pub(super) fn server_certificate(
        &self,
        name: &str,
        names: Vec<String>,
        key: &impl PublicKeyData,
    ) -> Result<String, PkiError> {
        let mut params = CertificateParams::new(names).map_err(certificate_error(name))?;
        params.distinguished_name = distinguished(name, None);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(name, &params, key)
    }

    fn sign(
        &self,
        name: &str,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<String, PkiError> {
        let certificate = params
            .signed_by(key, &self.issuer)
            .map_err(certificate_error(name))?;
        Ok(certificate.pem())
    }
}

/// Where a key and its certificate lie.
pub(super) fn paths(folder: &Path, file: &str) -> (PathBuf, PathBuf) {
    (
        folder.join(format!("{file}.key")),
        folder.join(format!("{file}.crt")),
    )
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(name, None);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    params
}

fn distinguished(name: &str, group: Option<&str>) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    if let Some(group) = group {
        distinguished.push(DnType::OrganizationName, group);
    }
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
impl Authority {
    /// A server's certificate and key, as files of a test.
    pub(crate) fn make_server(&self, folder: &Path, name: &str) {
        let server = self.server(name, vec![name.to_owned()]).unwrap();
        fs::write(folder.join("server.crt"), server.certificate).unwrap();
        fs::write(folder.join("server.key"), server.key).unwrap();
    }
}
