//! What the things of a cluster are called and how they are labelled.

use std::collections::BTreeMap;

use lab_engine::Labels;
use lab_model::name::{ClusterName, label};

use super::contract;
use crate::{ClusterSpec, Lease, kind};

/// The server's container.
pub(super) fn container(name: &ClusterName) -> String {
    format!("lab-{name}")
}

/// An agent's container. No cluster's name has a dot, so no server is called so.
fn agent_container(name: &ClusterName, number: u8) -> String {
    format!("lab-{name}.agent-{number}")
}

/// What Kubernetes calls the node in that container.
pub(super) fn node_of(container: &str) -> String {
    let name = container.strip_prefix("lab-").unwrap_or(container);
    name.replace('.', "-")
}

/// The container of that node. Those that kind made are called like their nodes.
pub(super) fn container_of(cluster: &ClusterName, node: &str) -> String {
    if kind::is_node_of(cluster, node) {
        return node.to_owned();
    }
    match node
        .strip_prefix(cluster.as_str())
        .and_then(|rest| rest.strip_prefix('-'))
    {
        Some(agent) => format!("lab-{cluster}.{agent}"),
        None => container(cluster),
    }
}

/// The volumes of that container, and where they appear in it.
pub(super) fn volumes(container: &str) -> impl Iterator<Item = (String, &'static str)> {
    contract::VOLUMES
        .into_iter()
        .map(move |(part, path)| (format!("{container}-{part}"), path))
}

pub(super) fn network(name: &ClusterName) -> String {
    format!("lab-{name}")
}

/// The filter for everything of one cluster.
pub(crate) fn filter(name: &ClusterName) -> String {
    format!("{}={name}", label::CLUSTER)
}

/// The claim on everything a cluster will own.
pub(super) fn lease(spec: &ClusterSpec) -> Lease {
    let name = &spec.name;
    let container = container(name);
    let agents: Vec<String> = (1..spec.nodes)
        .map(|number| agent_container(name, number))
        .collect();
    let containers = std::iter::once(&container).chain(&agents);
    Lease {
        volumes: containers
            .flat_map(|container| volumes(container).map(|(volume, _)| volume))
            .collect(),
        container,
        agents,
        network: network(name),
        ..Lease::of(spec)
    }
}

/// The labels of everything a lease claims.
pub(crate) fn labels(lease: &Lease) -> Labels {
    let mut labels = BTreeMap::from([
        (label::CLUSTER.to_owned(), lease.cluster.to_string()),
        (label::OWNER.to_owned(), lease.owner.clone()),
    ]);
    if let Some(run) = &lease.run {
        labels.insert(label::RUN.to_owned(), run.to_string());
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_claims_every_node() {
        let mut spec = ClusterSpec::new("demo".parse().unwrap());
        spec.nodes = 3;

        let lease = lease(&spec);

        assert_eq!(lease.container, "lab-demo");
        assert_eq!(lease.agents, ["lab-demo.agent-1", "lab-demo.agent-2"]);
        assert_eq!(lease.volumes.len(), 3 + 3 + 3);
        assert!(lease.volumes.contains(&"lab-demo-k3s".to_owned()));
        assert!(
            lease
                .volumes
                .contains(&"lab-demo.agent-2-kubelet".to_owned())
        );
    }

    #[test]
    fn nodes_and_containers_name_each_other() {
        let cluster = "demo".parse().unwrap();
        for (container, node) in [("lab-demo", "demo"), ("lab-demo.agent-2", "demo-agent-2")] {
            assert_eq!(node_of(container), node);
            assert_eq!(container_of(&cluster, node), container);
        }
        for node in ["lab-demo-control-plane", "lab-demo-worker2"] {
            assert_eq!(container_of(&cluster, node), node, "kind made it");
        }
    }
}
