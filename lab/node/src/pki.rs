//! Certificates and kubeconfigs of one cluster. Authorities and the
//! service-account key live as long as the cluster's state; the rest is made
//! anew at each start, because the container's address may have changed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use lab_k8s::k8s_openapi::ByteString;
use miette::Diagnostic;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde_json::json;
use thiserror::Error;

use crate::{files, host::Host, layout};

/// A certificate or key could not be made or kept.
#[derive(Debug, Error, Diagnostic)]
pub enum PkiError {
    /// Key generation or signing failed.
    #[error("failed to make the certificate of `{name}`")]
    #[diagnostic(
        code(lab::node::certificate),
        help("`lab down NAME` and `lab up NAME` make a new authority")
    )]
    Certificate {
        /// Whose certificate.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// A file could not be read or written.
    #[error("failed to keep `{path}`")]
    #[diagnostic(code(lab::node::pki_file))]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

fn certificate_error(name: &str) -> impl FnOnce(rcgen::Error) -> PkiError {
    let name = name.to_owned();
    move |source| PkiError::Certificate { name, source }
}

/// A client of the API server and the kubeconfig it gets.
struct Client {
    kubeconfig: &'static str,
    user: String,
    group: Option<&'static str>,
}

/// Makes what is missing and writes everything below `/etc/kubernetes` and the
/// administrator's kubeconfig.
pub(crate) fn make(host: &Host) -> Result<(), PkiError> {
    let ca = Authority::open("ca", "kubernetes-ca")?;
    let front_proxy = Authority::open("front-proxy-ca", "front-proxy-ca")?;
    service_account_key()?;

    let api_names = vec![
        "kubernetes".to_owned(),
        "kubernetes.default".to_owned(),
        "kubernetes.default.svc".to_owned(),
        format!("kubernetes.default.svc.{}", layout::CLUSTER_DOMAIN),
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        layout::KUBERNETES_ADDRESS.to_string(),
        host.address.to_string(),
        host.name.clone(),
    ];
    ca.issue_server("apiserver", "kube-apiserver", api_names)?;
    ca.issue_server(
        "kubelet",
        &format!("system:node:{}", host.name),
        vec![host.name.clone(), host.address.to_string()],
    )?;
    for component in ["controller-manager", "scheduler"] {
        // Without one each makes an RSA key first, which takes half a second.
        let names = vec!["localhost".to_owned(), host.address.to_string()];
        ca.issue_server(component, &format!("kube-{component}"), names)?;
    }
    ca.issue_client(
        "apiserver-kubelet-client",
        "kube-apiserver-kubelet-client",
        Some("system:masters"),
    )?;
    front_proxy.issue_client("front-proxy-client", "front-proxy-client", None)?;

    for client in clients(host) {
        let credentials = ca.client(&client.user, client.group)?;
        let kubeconfig = kubeconfig(&ca.certificate, &credentials);
        write(Path::new(client.kubeconfig), &kubeconfig)?;
    }
    Ok(())
}

fn clients(host: &Host) -> [Client; 5] {
    let client = |kubeconfig, user: &str, group| Client {
        kubeconfig,
        user: user.to_owned(),
        group,
    };
    [
        client(
            layout::KUBECONFIG,
            "kubernetes-admin",
            Some("system:masters"),
        ),
        client(
            "/etc/kubernetes/controller-manager.kubeconfig",
            "system:kube-controller-manager",
            None,
        ),
        client(
            "/etc/kubernetes/scheduler.kubeconfig",
            "system:kube-scheduler",
            None,
        ),
        client(
            "/etc/kubernetes/proxy.kubeconfig",
            "system:kube-proxy",
            None,
        ),
        client(
            "/etc/kubernetes/kubelet.kubeconfig",
            &format!("system:node:{}", host.name),
            Some("system:nodes"),
        ),
    ]
}

/// A certificate with its key, PEM.
struct Credentials {
    certificate: String,
    key: String,
}

struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn open(file: &str, name: &str) -> Result<Self, PkiError> {
        let (key_path, certificate_path) = paths(file);
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

    fn issue(&self, name: &str, params: &CertificateParams) -> Result<Credentials, PkiError> {
        let key = KeyPair::generate().map_err(certificate_error(name))?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(certificate_error(name))?;
        Ok(Credentials {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    fn client(&self, user: &str, group: Option<&str>) -> Result<Credentials, PkiError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(user, group);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(user, &params)
    }

    fn issue_client(&self, file: &str, user: &str, group: Option<&str>) -> Result<(), PkiError> {
        keep(file, &self.client(user, group)?)
    }

    fn issue_server(&self, file: &str, name: &str, names: Vec<String>) -> Result<(), PkiError> {
        let mut params = CertificateParams::new(names).map_err(certificate_error(name))?;
        params.distinguished_name = distinguished(name, None);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        keep(file, &self.issue(name, &params)?)
    }
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

/// The key that signs service-account tokens; a new one would void those in use.
fn service_account_key() -> Result<(), PkiError> {
    let (key_path, _) = paths("service-account");
    if key_path.exists() {
        return Ok(());
    }
    let key = KeyPair::generate().map_err(certificate_error("service-account"))?;
    let public = PathBuf::from(layout::PKI).join("service-account.pub");
    write(&public, &key.public_key_pem())?;
    write(&key_path, &key.serialize_pem())
}

fn keep(file: &str, credentials: &Credentials) -> Result<(), PkiError> {
    let (key_path, certificate_path) = paths(file);
    write(&key_path, &credentials.key)?;
    write(&certificate_path, &credentials.certificate)
}

fn paths(file: &str) -> (PathBuf, PathBuf) {
    let folder = PathBuf::from(layout::PKI);
    (
        folder.join(format!("{file}.key")),
        folder.join(format!("{file}.crt")),
    )
}

fn write(path: &Path, text: &str) -> Result<(), PkiError> {
    files::write_private(path, text).map_err(|source| PkiError::File {
        path: path.display().to_string(),
        source,
    })
}

/// A kubeconfig with everything in it. JSON is YAML.
fn kubeconfig(authority: &str, client: &Credentials) -> String {
    // Serializes as base64.
    let encode = |text: &str| ByteString(text.as_bytes().to_vec());
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "default", "cluster": {
            "server": "https://127.0.0.1:6443",
            "certificate-authority-data": encode(authority),
        }}],
        "users": [{"name": "default", "user": {
            "client-certificate-data": encode(&client.certificate),
            "client-key-data": encode(&client.key),
        }}],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
        "current-context": "default",
    });
    format!("{kubeconfig:#}\n")
}
