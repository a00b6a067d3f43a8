//! Certificates of a test: made when it runs, gone when it ends.

use std::{io::Write, sync::Arc};

use lab_bench::trust::Trust;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tempfile::NamedTempFile;

/// An authority that nobody knows who is not told of it.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(issuer.pem().as_bytes()).unwrap();
        Self { issuer, file }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::with_file(self.file.path()).unwrap()
    }

    /// A server of this name or address, that speaks this protocol.
    pub(crate) fn server(&self, name: &str, protocol: &str) -> Arc<ServerConfig> {
        self.sign(
            &CertificateParams::new([name.to_owned()]).unwrap(),
            protocol,
        )
    }

    /// The same, whose certificate has expired.
    pub(crate) fn expired(&self, name: &str, protocol: &str) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        self.sign(&params, protocol)
    }

    /// A server that shows the authority's own certificate.
    pub(crate) fn itself(&self, protocol: &str) -> Arc<ServerConfig> {
        serve(self.issuer.der().clone(), self.issuer.key(), protocol)
    }

    /// A server that signed its own certificate, and who believes that.
    pub(crate) fn own(name: &str, protocol: &str) -> (Arc<ServerConfig>, Trust) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(certificate.pem().as_bytes()).unwrap();
        let trust = Trust::with_file(file.path()).unwrap();
        (serve(certificate.der().clone(), &key, protocol), trust)
    }

    /// A server that has a certificate for nobody, and says so with an alert.
    pub(crate) fn refusing() -> Arc<ServerConfig> {
        #[derive(Debug)]
        struct Nobody;

        impl ResolvesServerCert for Nobody {
            fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
                None
            }
        }

        Arc::new(builder().with_cert_resolver(Arc::new(Nobody)))
    }

    fn sign(&self, params: &CertificateParams, protocol: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        serve(certificate.der().clone(), &key, protocol)
    }
}

fn serve(certificate: CertificateDer<'static>, key: &KeyPair, protocol: &str) -> Arc<ServerConfig> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = builder().with_single_cert(vec![certificate], key.into());
    let mut config = config.unwrap();
    config.alpn_protocols = vec![protocol.into()];
    Arc::new(config)
}

fn builder() -> rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
}
