//! Certificates of a test: made when it runs, gone when it ends.

use std::{io::Write, sync::Arc};

use lab_bench::{identity::Identity, trust::Trust};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::{
    ALL_VERSIONS, ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    server::{
        ClientHello, ResolvesServerCert, WantsServerCert, WebPkiClientVerifier,
        danger::ClientCertVerifier,
    },
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
        let file = file(&issuer.pem());
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
        let trust = Trust::with_file(file(&certificate.pem()).path()).unwrap();
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

        Arc::new(open().with_cert_resolver(Arc::new(Nobody)))
    }

    /// A server that asks who speaks to it.
    pub(crate) fn asking(&self, name: &str, protocol: &str, asks: &Asks) -> Arc<ServerConfig> {
        let mut authorities = RootCertStore::empty();
        authorities.add(self.issuer.der().clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(authorities.into(), provider());
        let clients = if asks.of_all {
            clients
        } else {
            clients.allow_unauthenticated()
        };
        let builder = builder(asks.versions, clients.build().unwrap());
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let (certificate, key) = self.signed(&params);
        serve_by(builder, certificate, &key, protocol)
    }

    /// A client that this authority knows.
    pub(crate) fn client(&self) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().signed_by(&key, &self.issuer);
        let (certificate, key) = (
            file(&certificate.unwrap().pem()),
            file(&key.serialize_pem()),
        );
        Identity::read(certificate.path(), key.path()).unwrap()
    }

    fn sign(&self, params: &CertificateParams, protocol: &str) -> Arc<ServerConfig> {
        let (certificate, key) = self.signed(params);
        serve(certificate, &key, protocol)
    }

    fn signed(&self, params: &CertificateParams) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), key)
    }
}

/// How a server asks who speaks to it.
pub(crate) struct Asks {
    /// It speaks to none that shows it nothing.
    pub(crate) of_all: bool,
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn builder(
    versions: &[&'static SupportedProtocolVersion],
    clients: Arc<dyn ClientCertVerifier>,
) -> ConfigBuilder<ServerConfig, WantsServerCert> {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(clients)
}

/// Of a server that speaks to anybody.
fn open() -> ConfigBuilder<ServerConfig, WantsServerCert> {
    builder(ALL_VERSIONS, WebPkiClientVerifier::no_client_auth())
}

fn serve(certificate: CertificateDer<'static>, key: &KeyPair, protocol: &str) -> Arc<ServerConfig> {
    serve_by(open(), certificate, key, protocol)
}

fn serve_by(
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    protocol: &str,
) -> Arc<ServerConfig> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = builder.with_single_cert(vec![certificate], key.into());
    let mut config = config.unwrap();
    config.alpn_protocols = vec![protocol.into()];
    Arc::new(config)
}
