//! What kind calls the things of a cluster, and which of them are the lab's.
//!
//! kind lets nobody label its containers. They are the lab's when the network that they
//! were created in, which the lab made, is called like the cluster.

use lab_engine::{ContainerSummary, Engine};
use lab_model::name::ClusterName;

use crate::{ClusterError, ClusterSpec, Lease};

/// kind's own label: the cluster, as kind knows it.
const CLUSTER_LABEL: &str = "io.x-k8s.kind.cluster";
/// So begin the names of all that the lab has kind make.
const PREFIX: &str = "lab-";
/// The API server's port in the node.
pub(super) const API_PORT: u16 = 6443;

/// The cluster, as kind knows it; its network, too.
pub(super) fn in_kind(name: &ClusterName) -> String {
    format!("{PREFIX}{name}")
}

/// The server's container, which is also what Kubernetes calls the node.
pub(super) fn server(name: &ClusterName) -> String {
    format!("{}-control-plane", in_kind(name))
}

/// The container of a worker, counted from 1. kind gives the first no number.
fn worker(name: &ClusterName, number: u8) -> String {
    let worker = format!("{}-worker", in_kind(name));
    match number {
        1 => worker,
        _ => format!("{worker}{number}"),
    }
}

/// Whether kind calls a node of that cluster so.
pub(crate) fn is_node_of(name: &ClusterName, node: &str) -> bool {
    let rest = node.strip_prefix(&in_kind(name));
    rest.is_some_and(|it| it.starts_with("-control-plane") || it.starts_with("-worker"))
}

/// The claim on everything a cluster will own. Its volumes have no names and go with
/// its containers.
pub(super) fn lease(spec: &ClusterSpec) -> Lease {
    let name = &spec.name;
    Lease {
        container: server(name),
        agents: (1..spec.nodes).map(|number| worker(name, number)).collect(),
        network: in_kind(name),
        ..Lease::of(spec)
    }
}

/// Containers of one cluster, the server first.
pub(super) async fn containers(
    engine: &Engine,
    name: &ClusterName,
) -> Result<Vec<ContainerSummary>, ClusterError> {
    let filter = format!("{CLUSTER_LABEL}={}", in_kind(name));
    let found = engine.list_containers_by_label(&filter).await?;
    let mut own: Vec<_> = found
        .into_iter()
        .filter(|it| it.network == in_kind(name))
        .collect();
    own.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(own)
}

/// Containers of every cluster.
pub(super) async fn all(
    engine: &Engine,
) -> Result<Vec<(ClusterName, ContainerSummary)>, ClusterError> {
    let found = engine.list_containers_by_label(CLUSTER_LABEL).await?;
    Ok(found
        .into_iter()
        .filter_map(|it| Some((cluster_of(&it)?, it)))
        .collect())
}

/// The lab's cluster that a container of kind belongs to.
fn cluster_of(container: &ContainerSummary) -> Option<ClusterName> {
    let in_kind = container.labels.get(CLUSTER_LABEL)?;
    let name = in_kind.strip_prefix(PREFIX)?.parse().ok()?;
    (container.network == *in_kind).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(cluster: &str, network: &str) -> ContainerSummary {
        ContainerSummary {
            id: "1".to_owned(),
            name: format!("{cluster}-control-plane"),
            image: "kindest/node".to_owned(),
            labels: [(CLUSTER_LABEL.to_owned(), cluster.to_owned())].into(),
            state: "running".to_owned(),
            network: network.to_owned(),
        }
    }

    #[test]
    fn a_lease_claims_every_container_as_kind_names_it() {
        let mut spec = ClusterSpec::new("demo".parse().unwrap());
        spec.nodes = 3;

        let lease = lease(&spec);

        assert_eq!(lease.container, "lab-demo-control-plane");
        assert_eq!(lease.agents, ["lab-demo-worker", "lab-demo-worker2"]);
        assert_eq!(lease.network, "lab-demo");
    }

    #[test]
    fn only_a_cluster_in_a_network_of_its_name_is_the_labs() {
        let demo = "demo".parse().unwrap();
        assert_eq!(cluster_of(&container("lab-demo", "lab-demo")), Some(demo));
        for (cluster, network) in [
            ("lab-demo", "kind"),
            ("demo", "demo"),
            ("lab-Demo", "lab-Demo"),
        ] {
            assert_eq!(cluster_of(&container(cluster, network)), None, "{cluster}");
        }
    }

    #[test]
    fn a_node_is_told_from_one_of_the_node_image() {
        let demo = "demo".parse().unwrap();
        assert!(is_node_of(&demo, "lab-demo-control-plane"));
        assert!(is_node_of(&demo, "lab-demo-worker2"));
        assert!(!is_node_of(&demo, "demo-agent-1"));
        assert!(!is_node_of(&demo, "lab-demo"));
    }

    #[test]
    fn the_longest_name_of_a_cluster_makes_a_host_name() {
        let longest = "a".repeat(40).parse().unwrap();
        assert!(server(&longest).len() <= 63);
    }
}
