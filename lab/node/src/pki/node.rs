//! What makes a machine a node: one key, which never leaves it, and certificates
//! for what it is to others.

use std::net::Ipv4Addr;
use std::path::Path;

use rcgen::{KeyPair, PublicKeyData, SignatureAlgorithm};
use serde::{Deserialize, Serialize};

use super::{
    PkiError,
    authority::{Authority, Credentials, paths},
    certificate_error, kubeconfig, write,
};
use crate::layout;

/// A P-256 public key: the byte 4, then two coordinates.
const POINT_BYTES: usize = 65;
const UNCOMPRESSED: u8 = 4;

/// A node's key.
pub(crate) struct NodeKey(KeyPair);

impl NodeKey {
    pub(crate) fn generate() -> Result<Self, PkiError> {
        let key = KeyPair::generate().map_err(certificate_error("node"))?;
        Ok(Self(key))
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key_raw().to_vec())
    }
}

/// The part of a node's key that may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Reads a key that another node sent.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let well_formed = bytes.len() == POINT_BYTES && bytes[0] == UNCOMPRESSED;
        well_formed.then(|| Self(bytes.to_vec()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// Certificates of one node, PEM. Worth nothing without its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeCertificates {
    /// Who signed the others.
    authority: String,
    /// The kubelet as a server.
    serving: String,
    /// The kubelet as a client of the API server.
    kubelet: String,
    /// kube-proxy.
    proxy: String,
    /// The node's own program.
    program: String,
}

impl Authority {
    /// Certificates for a node of that name and address.
    pub(crate) fn admit(
        &self,
        name: &str,
        address: Ipv4Addr,
        key: &PublicKey,
    ) -> Result<NodeCertificates, PkiError> {
        let node = format!("system:node:{name}");
        let names = vec![name.to_owned(), address.to_string()];
        let program = format!("lab:node:{name}");
        Ok(NodeCertificates {
            authority: self.certificate.clone(),
            serving: self.server_certificate(&node, names, key)?,
            kubelet: self.client_certificate(&node, Some("system:nodes"), key)?,
            proxy: self.client_certificate("system:kube-proxy", None, key)?,
            program: self.client_certificate(&program, Some(layout::NODES_GROUP), key)?,
        })
    }
}

impl NodeCertificates {
    /// Writes what the node's programs read. `api` is the API server's URL.
    pub(crate) fn keep(&self, key: &NodeKey, api: &str) -> Result<(), PkiError> {
        let folder = Path::new(layout::PKI);
        let key = key.0.serialize_pem();
        let (kubelet_key, kubelet_certificate) = paths(folder, "kubelet");
        write(&kubelet_key, &key)?;
        write(&kubelet_certificate, &self.serving)?;
        write(&folder.join("ca.crt"), &self.authority)?;
        for (path, certificate) in [
            (layout::KUBELET_KUBECONFIG, &self.kubelet),
            (layout::PROXY_KUBECONFIG, &self.proxy),
            (layout::NODE_KUBECONFIG, &self.program),
        ] {
            let client = Credentials {
                certificate: certificate.clone(),
                key: key.clone(),
            };
            write(Path::new(path), &kubeconfig(api, &self.authority, &client))?;
        }
        Ok(())
    }
}
