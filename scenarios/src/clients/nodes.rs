//! The cluster's nodes: which are ready, which hold data.

use std::{collections::BTreeSet, fmt};

use lab_k8s::{
    k8s_openapi::api::{
        core::v1::{Node, PersistentVolume},
        node::v1::RuntimeClass,
    },
    kube::{Api, Client, api::ListParams},
};

use crate::failure::Failure;

/// What a node is told apart by; the provisioner of volumes writes it, too.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// What pods ask for that need one of NVIDIA's GPUs.
pub const GPU: &str = "nvidia.com/gpu";

/// The nodes of a cluster.
#[derive(Clone)]
pub struct Nodes {
    client: Client,
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").finish_non_exhaustive()
    }
}

impl Nodes {
    /// The nodes of a cluster, through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Whether a condition of a node holds, for example `Ready`.
    pub async fn has(&self, node: &str, condition: &str) -> Result<bool, Failure> {
        let node = Api::<Node>::all(self.client.clone()).get(node).await?;
        Ok(holds(&node, condition))
    }

    /// How many GPUs all nodes together have for pods, held or not.
    pub async fn gpus(&self) -> Result<u64, Failure> {
        let nodes = Api::<Node>::all(self.client.clone());
        let list = nodes.list(&ListParams::default()).await?;
        Ok(list.iter().map(gpus).sum())
    }

    /// Whether pods may name that runtime.
    pub async fn has_runtime_class(&self, name: &str) -> Result<bool, Failure> {
        let classes = Api::<RuntimeClass>::all(self.client.clone());
        Ok(classes.get_opt(name).await?.is_some())
    }

    /// The nodes on whose disks volumes lie.
    pub async fn with_volumes(&self) -> Result<BTreeSet<String>, Failure> {
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        let list = volumes.list(&ListParams::default()).await?;
        Ok(list.iter().flat_map(lies_on).collect())
    }
}

fn gpus(node: &Node) -> u64 {
    let allocatable = node.status.as_ref().and_then(|it| it.allocatable.as_ref());
    let gpus = allocatable.and_then(|it| it.get(GPU));
    gpus.and_then(|it| it.0.parse().ok()).unwrap_or(0)
}

fn holds(node: &Node, condition: &str) -> bool {
    let conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let mut named = conditions.filter(|it| it.type_ == condition);
    named.any(|it| it.status == "True")
}

/// The nodes that a volume is bound to.
fn lies_on(volume: &PersistentVolume) -> Vec<String> {
    let terms = volume
        .spec
        .iter()
        .filter_map(|spec| spec.node_affinity.as_ref()?.required.as_ref())
        .flat_map(|required| &required.node_selector_terms);
    terms
        .flat_map(|term| term.match_expressions.iter().flatten())
        .filter(|expression| expression.key == HOSTNAME)
        .flat_map(|expression| expression.values.clone().unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_volume_lies_on_the_node_it_is_bound_to() {
        let volume = serde_json::from_value(json!({"metadata": {"name": "v"}, "spec": {
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": ["demo-agent-1"]},
            ]}]}},
        }}))
        .unwrap();
        assert_eq!(lies_on(&volume), ["demo-agent-1"]);
    }

    #[test]
    fn gpus_that_pods_may_have_are_counted() {
        let node = |allocatable| {
            serde_json::from_value(
                json!({"status": {"capacity": {GPU: "4"}, "allocatable": allocatable}}),
            )
            .unwrap()
        };
        assert_eq!(gpus(&node(json!({GPU: "3", "cpu": "2"}))), 3);
        assert_eq!(gpus(&node(json!({"cpu": "2"}))), 0);
    }

    #[test]
    fn a_condition_that_is_unknown_does_not_hold() {
        let node = serde_json::from_value(json!({"metadata": {"name": "n"}, "status": {
            "conditions": [
                {"type": "Ready", "status": "Unknown"},
                {"type": "DiskPressure", "status": "True"},
            ],
        }}))
        .unwrap();
        assert!(!holds(&node, "Ready"));
        assert!(holds(&node, "DiskPressure"));
        assert!(!holds(&node, "MemoryPressure"));
    }
}
