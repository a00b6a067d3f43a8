//! A client from a kubeconfig.

use std::{collections::BTreeMap, path::Path, time::Duration};

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{Node, Pod, Secret},
};
use kube::{
    Api, Client, Config, ResourceExt,
    api::ListParams,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use miette::Diagnostic;
use thiserror::Error;

use crate::{evidence::PodState, readiness::Workload};

/// Time to connect to the API server. On loopback a connection that takes longer
/// than this is a server that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Keys of Secrets whose values anybody may see.
const PUBLIC_KEYS: [&str; 3] = ["username", "namespace", "ca.crt"];

/// What can go wrong between the lab and the Kubernetes API.
#[derive(Debug, Error, Diagnostic)]
pub enum KubeError {
    /// The kubeconfig cannot be used.
    #[error("failed to read the kubeconfig")]
    #[diagnostic(
        code(lab::k8s::kubeconfig),
        help("`lab list` shows the clusters there are; `lab kubeconfig NAME` prints the path")
    )]
    Kubeconfig(#[source] Box<KubeconfigError>),
    /// The client could not be made.
    #[error("failed to make a Kubernetes client")]
    #[diagnostic(code(lab::k8s::client))]
    Client(#[source] Box<kube::Error>),
    /// A request failed.
    #[error("failed to {doing}")]
    #[diagnostic(
        code(lab::k8s::request),
        help("`lab status NAME` tells whether the cluster still answers")
    )]
    Request {
        /// What was being done, for example "list the pods of `mlops-platform`".
        doing: String,
        /// The API's answer.
        #[source]
        source: Box<kube::Error>,
    },
    /// Something that was removed is still there.
    #[error("{what} is still there {} s after it was removed", waited.as_secs())]
    #[diagnostic(
        code(lab::k8s::not_gone),
        help("Kubernetes goes on removing it; `lab status NAME` tells whether the nodes are well")
    )]
    NotGone {
        /// What it is.
        what: String,
        /// How long its end was waited for.
        waited: Duration,
    },
}

impl KubeError {
    /// For `map_err`: names what was being done.
    pub fn doing(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Request {
            doing,
            source: Box::new(source),
        }
    }
}

/// A connection to one cluster's API.
#[derive(Clone)]
pub struct Kube {
    client: Client,
}

impl Kube {
    /// Connects with the current context of a kubeconfig file.
    ///
    /// # Errors
    /// When the file cannot be read or names a server that cannot be used.
    /// The server itself is not asked anything yet.
    pub async fn from_kubeconfig_file(path: &Path) -> Result<Self, KubeError> {
        let kubeconfig =
            Kubeconfig::read_from(path).map_err(|source| KubeError::Kubeconfig(source.into()))?;
        Self::from_kubeconfig(kubeconfig).await
    }

    /// Connects with the current context of a kubeconfig's text.
    ///
    /// # Errors
    /// As [`Self::from_kubeconfig_file`].
    pub async fn from_kubeconfig_text(text: &str) -> Result<Self, KubeError> {
        let kubeconfig =
            Kubeconfig::from_yaml(text).map_err(|source| KubeError::Kubeconfig(source.into()))?;
        Self::from_kubeconfig(kubeconfig).await
    }

    /// Connects with the current context of a parsed kubeconfig.
    ///
    /// # Errors
    /// When the kubeconfig names a server or credentials that cannot be used.
    pub async fn from_kubeconfig(kubeconfig: Kubeconfig) -> Result<Self, KubeError> {
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(|source| KubeError::Kubeconfig(source.into()))?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // A site's proxy must never stand between the lab and its own loopback cluster.
        config.proxy_url = None;
        let client = Client::try_from(config).map_err(|source| KubeError::Client(source.into()))?;
        Ok(Self { client })
    }

    /// The client, for typed `Api`s.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The API server's version, for example `v1.20.2`.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn version(&self) -> Result<String, KubeError> {
        let info = self
            .client
            .apiserver_version()
            .await
            .map_err(KubeError::doing("ask the API server for its version"))?;
        Ok(info.git_version)
    }

    /// Names of the cluster's nodes.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn node_names(&self) -> Result<Vec<String>, KubeError> {
        let nodes: Api<Node> = Api::all(self.client());
        let list = nodes
            .list(&ListParams::default())
            .await
            .map_err(KubeError::doing("list the nodes"))?;
        Ok(list.iter().map(ResourceExt::name_any).collect())
    }

    /// Every pod of the cluster.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn pods(&self) -> Result<Vec<PodState>, KubeError> {
        let pods: Api<Pod> = Api::all(self.client());
        let list = pods
            .list(&ListParams::default())
            .await
            .map_err(KubeError::doing("list the pods"))?;
        Ok(list.iter().map(PodState::of).collect())
    }

    /// Whether the cluster has that workload, ready or not.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn has(&self, namespace: &str, workload: &Workload) -> Result<bool, KubeError> {
        let client = self.client();
        let found = match workload {
            Workload::Deployment(name) => {
                let all: Api<Deployment> = Api::namespaced(client, namespace);
                all.get_opt(name).await.map(|found| found.is_some())
            }
            Workload::StatefulSet(name) => {
                let all: Api<StatefulSet> = Api::namespaced(client, namespace);
                all.get_opt(name).await.map(|found| found.is_some())
            }
        };
        found.map_err(KubeError::doing(format!(
            "look for a workload in `{namespace}`"
        )))
    }

    /// A Secret's text values, decoded. Never put them into events or errors.
    ///
    /// # Errors
    /// When there is no such Secret or the API server does not answer.
    pub async fn secret(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<BTreeMap<String, String>, KubeError> {
        let secrets: Api<Secret> = Api::namespaced(self.client(), namespace);
        let secret = secrets.get(name).await.map_err(KubeError::doing(format!(
            "read Secret `{namespace}/{name}`"
        )))?;
        let data = secret.data.unwrap_or_default();
        Ok(data
            .into_iter()
            .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
            .collect())
    }

    /// What must never be told of a namespace: the values of its Secrets, decoded.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn secret_texts(&self, namespace: &str) -> Result<Vec<String>, KubeError> {
        let secrets: Api<Secret> = Api::namespaced(self.client(), namespace);
        let doing = format!("read the Secrets of `{namespace}`");
        let list = secrets.list(&ListParams::default()).await;
        let list = list.map_err(KubeError::doing(doing))?;
        Ok(list.items.iter().flat_map(texts).collect())
    }
}

/// The values of a Secret that are secret. Names are not, nor certificates; and Helm's
/// own record of a release is no text that anybody would print.
fn texts(secret: &Secret) -> Vec<String> {
    if secret.type_.as_deref() == Some("helm.sh/release.v1") {
        return Vec::new();
    }
    let data = secret.data.iter().flatten();
    data.filter(|(key, _)| !PUBLIC_KEYS.contains(&key.as_str()))
        .map(|(_, value)| String::from_utf8_lossy(&value.0).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_certificates_are_no_secrets() {
        let secret = |kind: &str| {
            let data = json!({"username": "YWRtaW4=", "password": "aHVudGVy", "ca.crt": "eA=="});
            serde_json::from_value(json!({"type": kind, "data": data})).unwrap()
        };
        assert_eq!(texts(&secret("Opaque")), ["hunter"]);
        assert_eq!(texts(&secret("helm.sh/release.v1")), [] as [&str; 0]);
    }
}
