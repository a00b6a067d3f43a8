//! What is asked of a provider and what it answers.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use lab_image::Registry;
use lab_model::{
    gpu::Gpus,
    name::{ClusterName, RunId},
    provider::Provider,
};
use serde::Serialize;

use crate::{existing::Wish, node::ImageStore};

/// A cluster to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSpec {
    /// Its name.
    pub name: ClusterName,
    /// What makes it.
    pub provider: Provider,
    /// The run it belongs to; a cluster without one stays until `lab down`.
    pub run: Option<RunId>,
    /// How many nodes: one server, the others agents.
    pub nodes: u8,
    /// NodePorts to publish on 127.0.0.1.
    pub node_ports: Vec<u16>,
    /// The image of its nodes, where its provider leaves a choice; else the provider's own.
    pub node_image: Option<String>,
    /// How many of the machine's GPUs its server gets, where the provider leaves a choice.
    pub gpus: Gpus,
    /// Images its nodes have from the start.
    pub image_store: Option<ImageStore>,
    /// The process that uses it, named as in `lab_engine::owner`. When the last user
    /// is dead, it goes.
    pub user: Option<String>,
    /// How long it may stay, or how long after its last use where it has users.
    pub ttl: Option<Duration>,
    /// Which cluster that is there is meant, for the provider `existing`.
    pub existing: Option<Wish>,
    /// Where its nodes pull our images from, for the provider `existing`.
    pub registry: Option<Registry>,
}

impl ClusterSpec {
    /// One node of the locally built image, no published NodePorts, no end.
    pub const fn new(name: ClusterName) -> Self {
        Self {
            name,
            provider: Provider::Node,
            run: None,
            nodes: 1,
            node_ports: Vec::new(),
            node_image: None,
            gpus: Gpus::Auto,
            image_store: None,
            user: None,
            ttl: None,
            existing: None,
            registry: None,
        }
    }
}

/// A cluster that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// What made it.
    pub provider: Provider,
    /// The administrator's kubeconfig on this machine.
    pub kubeconfig: PathBuf,
    /// Published NodePorts and their ports on 127.0.0.1.
    pub node_ports: BTreeMap<u16, u16>,
    /// Kubernetes version, for example `v1.20.2`.
    pub version: String,
    /// Names of its nodes, the server first.
    pub nodes: Vec<String>,
}

/// A cluster in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterSummary {
    /// Its name.
    pub name: ClusterName,
    /// What made it.
    pub provider: Provider,
    /// How many nodes it has.
    pub nodes: usize,
    /// State of its containers, for example `running`; of one that does not run, if
    /// there is one.
    pub state: String,
    /// When its server was started, RFC 3339.
    pub started: String,
}

/// What a cluster uses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usage {
    /// Resident memory of its nodes and all their pods, bytes.
    pub memory_bytes: u64,
    /// CPU seconds since its nodes started.
    pub cpu_seconds: f64,
}

/// Something of a cluster that nobody answers for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Leftover {
    /// A cluster whose run is over or whose time is up, or what is left of one.
    Cluster(ClusterName),
    /// A container.
    Container(String),
    /// An image in the making.
    Image(String),
    /// A volume.
    Volume(String),
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster(name) => write!(f, "cluster {name}"),
            Self::Container(name) => write!(f, "container {name}"),
            Self::Image(name) => write!(f, "image {name}"),
            Self::Volume(name) => write!(f, "volume {name}"),
        }
    }
}
