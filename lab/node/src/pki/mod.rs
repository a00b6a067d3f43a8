//! Certificates and kubeconfigs of one cluster. Authorities and the
//! service-account key live as long as the cluster's state; the rest is made
//! anew at each start, because the container's address may have changed.

mod authority;
mod node;

use std::{io, path::Path};

use lab_k8s::k8s_openapi::ByteString;
use miette::Diagnostic;
use rcgen::KeyPair;
use serde_json::json;
use thiserror::Error;

pub(crate) use authority::Authority;
use authority::{Credentials, paths};
pub(crate) use node::{NodeCertificates, NodeKey, PublicKey};

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

/// Makes what is missing of a server's own, and the certificates that make it a
/// node like every other. Returns who signs for the others.
pub(crate) fn make(host: &Host) -> Result<Authority, PkiError> {
    let folder = Path::new(layout::PKI);
    let ca = Authority::open(folder, "ca", "kubernetes-ca")?;
    let front_proxy = Authority::open(folder, "front-proxy-ca", "front-proxy-ca")?;
    service_account_key(folder)?;

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
    keep("apiserver", &ca.server("kube-apiserver", api_names)?)?;
    for component in ["controller-manager", "scheduler"] {
        // Without one each makes an RSA key first, which takes half a second.
        let names = vec!["localhost".to_owned(), host.address.to_string()];
        keep(component, &ca.server(&format!("kube-{component}"), names)?)?;
    }
    keep(
        "apiserver-kubelet-client",
        &ca.client("kube-apiserver-kubelet-client", Some("system:masters"))?,
    )?;
    keep(
        "front-proxy-client",
        &front_proxy.client("front-proxy-client", None)?,
    )?;
    for (path, user, group) in [
        (
            layout::KUBECONFIG,
            "kubernetes-admin",
            Some("system:masters"),
        ),
        (
            layout::CONTROLLER_MANAGER_KUBECONFIG,
            "system:kube-controller-manager",
            None,
        ),
        (layout::SCHEDULER_KUBECONFIG, "system:kube-scheduler", None),
    ] {
        let client = ca.client(user, group)?;
        let text = kubeconfig(layout::OWN_API, &ca.certificate, &client);
        write(Path::new(path), &text)?;
    }
    let key = NodeKey::generate()?;
    ca.admit(&host.name, host.address, &key.public())?
        .keep(&key, layout::OWN_API)?;
    Ok(ca)
}

/// The key that signs service-account tokens; a new one would void those in use.
fn service_account_key(folder: &Path) -> Result<(), PkiError> {
    let (key_path, _) = paths(folder, "service-account");
    if key_path.exists() {
        return Ok(());
    }
    let key = KeyPair::generate().map_err(certificate_error("service-account"))?;
    write(&folder.join("service-account.pub"), &key.public_key_pem())?;
    write(&key_path, &key.serialize_pem())
}

fn keep(file: &str, credentials: &Credentials) -> Result<(), PkiError> {
    let (key_path, certificate_path) = paths(Path::new(layout::PKI), file);
    write(&key_path, &credentials.key)?;
    write(&certificate_path, &credentials.certificate)
}

fn write(path: &Path, text: &str) -> Result<(), PkiError> {
    files::write_private(path, text).map_err(|source| PkiError::File {
        path: path.display().to_string(),
        source,
    })
}

/// A kubeconfig with everything in it. JSON is YAML.
fn kubeconfig(api: &str, authority: &str, client: &Credentials) -> String {
    // Serializes as base64.
    let encode = |text: &str| ByteString(text.as_bytes().to_vec());
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "default", "cluster": {
            "server": api,
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
