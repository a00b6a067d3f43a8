//! The cluster's Node objects: each gets the addresses of its pods before its
//! kubelet starts, because the kubelet becomes Ready only with a pod network and
//! the controller that hands them out sleeps ten seconds first.

use std::collections::BTreeSet;

use lab_k8s::{
    KubeError,
    k8s_openapi::api::core::v1::Node,
    kube::{Api, Client, ResourceExt, api::ListParams},
};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::{addons::apply_one, host::Host};

/// A node could not be written into the cluster.
#[derive(Debug, Error)]
pub(crate) enum RegisterError {
    /// The API server refused.
    #[error(transparent)]
    Kube(#[from] KubeError),
    /// Every part of the pod network is taken.
    #[error("no addresses for pods are left")]
    Full,
}

/// The pod network of the server, the first node.
pub(crate) fn server_network() -> String {
    network(0)
}

/// A part of `layout::POD_NETWORK`.
fn network(number: u8) -> String {
    format!("10.42.{number}.0/24")
}

/// Writes the server's own Node.
pub(crate) async fn apply_server(client: &Client, host: &Host) -> Result<(), KubeError> {
    let labels = json!({
        "node-role.kubernetes.io/control-plane": "",
        "node-role.kubernetes.io/master": "",
    });
    apply(client, &host.name, &server_network(), labels).await
}

/// Registers agents, one after the other.
pub(crate) struct Registry {
    client: Client,
    one_by_one: Mutex<()>,
}

impl Registry {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            one_by_one: Mutex::new(()),
        }
    }

    /// The pod network of that agent: the one it had, or one that nobody has.
    pub(crate) async fn register(&self, name: &str) -> Result<String, RegisterError> {
        let _turn = self.one_by_one.lock().await;
        let nodes = Api::<Node>::all(self.client.clone())
            .list(&ListParams::default())
            .await
            .map_err(KubeError::doing("list the nodes"))?;
        let pod_network = |node: &Node| node.spec.as_ref().and_then(|spec| spec.pod_cidr.clone());
        let own = nodes.iter().find(|node| node.name_any() == name);
        if let Some(network) = own.and_then(pod_network) {
            return Ok(network);
        }
        let taken = nodes.iter().filter_map(pod_network).collect();
        let network = first_free(&taken).ok_or(RegisterError::Full)?;
        apply(&self.client, name, &network, json!({})).await?;
        Ok(network)
    }
}

fn first_free(taken: &BTreeSet<String>) -> Option<String> {
    (1..=u8::MAX).map(network).find(|it| !taken.contains(it))
}

async fn apply(
    client: &Client,
    name: &str,
    pod_network: &str,
    labels: Value,
) -> Result<(), KubeError> {
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": pod_network, "podCIDRs": [pod_network]},
        // The kubelet of 1.20 writes into these maps and falls over without them.
        "status": {"capacity": {"pods": "0"}, "allocatable": {"pods": "0"}},
    });
    apply_one::<Node>(Api::all(client.clone()), "node", node).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_gets_a_network_of_its_own() {
        let mut taken = BTreeSet::from([server_network()]);
        for expected in ["10.42.1.0/24", "10.42.2.0/24"] {
            let free = first_free(&taken).unwrap();
            assert_eq!(free, expected);
            taken.insert(free);
        }
        taken.remove("10.42.1.0/24");
        assert_eq!(first_free(&taken).as_deref(), Some("10.42.1.0/24"));
    }

    #[test]
    fn no_network_is_given_twice() {
        assert_eq!(first_free(&(0..=u8::MAX).map(network).collect()), None);
    }
}
