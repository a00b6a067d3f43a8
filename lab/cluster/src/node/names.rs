//! What the things of a cluster are called and how they are labelled.

use std::collections::BTreeMap;

use lab_engine::{Labels, owner};
use lab_model::name::{ClusterName, label};

use crate::{ClusterSpec, Lease};

/// Folders of the node that outlive its container, and the volumes that hold them.
pub(super) const VOLUMES: [(&str, &str); 4] = [
    ("containerd", "/var/lib/containerd"),
    ("kubelet", "/var/lib/kubelet"),
    ("etcd", "/var/lib/etcd"),
    ("kubernetes", "/etc/kubernetes"),
];
/// The API server's port in the node.
pub(super) const API_PORT: u16 = 6443;

pub(super) fn container(name: &ClusterName) -> String {
    format!("lab-{name}")
}

pub(super) fn volume(name: &ClusterName, part: &str) -> String {
    format!("lab-{name}-{part}")
}

pub(super) fn network(name: &ClusterName) -> String {
    format!("lab-{name}")
}

/// The filter for everything of one cluster.
pub(super) fn filter(name: &ClusterName) -> String {
    format!("{}={name}", label::CLUSTER)
}

/// The claim on everything a cluster will own.
pub(super) fn lease(spec: &ClusterSpec) -> Lease {
    let name = &spec.name;
    Lease {
        cluster: name.clone(),
        provider: "node".to_owned(),
        run: spec.run.clone(),
        owner: owner::this_process(),
        expires_unix_seconds: spec.ttl.and_then(Lease::expiry),
        container: container(name),
        volumes: VOLUMES.map(|(part, _)| volume(name, part)).to_vec(),
        network: network(name),
        version: None,
    }
}

/// The labels of everything a lease claims.
pub(super) fn labels(lease: &Lease) -> Labels {
    let mut labels = BTreeMap::from([
        (label::CLUSTER.to_owned(), lease.cluster.to_string()),
        (label::OWNER.to_owned(), lease.owner.clone()),
    ]);
    if let Some(run) = &lease.run {
        labels.insert(label::RUN.to_owned(), run.to_string());
    }
    labels
}
