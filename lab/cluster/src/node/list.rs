//! Finds clusters that are there.

use std::collections::BTreeMap;

use futures::{StreamExt, future::try_join_all};
use lab_engine::{ContainerDetails, ContainerSummary, Engine, LogRange};
use lab_k8s::Kube;
use lab_model::name::{ClusterName, label};

use super::{contract, kubeconfig, names};
use crate::{Cluster, ClusterError, ClusterSummary, folder::Folder};

/// Every cluster the engine knows, by name.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine) -> Result<Vec<ClusterSummary>, ClusterError> {
    let containers = engine.list_containers_by_label(label::CLUSTER).await?;
    let mut clusters: BTreeMap<ClusterName, Vec<ContainerSummary>> = BTreeMap::new();
    for container in containers {
        let name = container.labels.get(label::CLUSTER);
        if let Some(name) = name.and_then(|name| name.parse().ok()) {
            clusters.entry(name).or_default().push(container);
        }
    }
    try_join_all(clusters.into_iter().map(async |(name, nodes)| {
        let server = engine.container(&names::container(&name)).await?;
        let broken = nodes.iter().find(|node| node.state != "running");
        let shown = broken.or(nodes.first());
        Ok(ClusterSummary {
            nodes: nodes.len(),
            state: shown.map(|node| node.state.clone()).unwrap_or_default(),
            started: server.map(|server| server.started_at).unwrap_or_default(),
            provider: Folder::of(&name)?.provider(),
            name,
        })
    }))
    .await
}

/// Checks that there is a cluster of that name, or something left of one.
///
/// # Errors
/// When there is none.
pub async fn known(engine: &Engine, name: &ClusterName) -> Result<(), ClusterError> {
    let filter = names::filter(name);
    let leased = Folder::of(name)?.lease().is_some();
    if leased
        || !engine.list_containers_by_label(&filter).await?.is_empty()
        || !engine.list_volumes_by_label(&filter).await?.is_empty()
    {
        return Ok(());
    }
    Err(unknown(name))
}

/// The running cluster of that name.
///
/// # Errors
/// When there is none, or it does not run.
pub async fn open(engine: &Engine, name: &ClusterName) -> Result<Cluster, ClusterError> {
    let details = running(engine, name).await?;
    let folder = Folder::of(name)?;
    let api = published(&details, name)?;
    kubeconfig::keep(engine, name, &folder, api).await?;
    let known = folder.lease().and_then(|lease| lease.version);
    let version = if let Some(version) = known {
        version
    } else {
        let kube = Kube::from_kubeconfig_file(&folder.kubeconfig()).await?;
        kube.version().await?
    };
    let node_ports: BTreeMap<u16, u16> = details
        .ports
        .into_iter()
        .filter(|(inside, _)| *inside != contract::API_PORT)
        .collect();
    Ok(Cluster {
        name: name.clone(),
        provider: folder.provider(),
        kubeconfig: folder.kubeconfig(),
        node_ports,
        version,
        nodes: nodes(engine, name).await?,
    })
}

/// Names of a cluster's nodes as its containers say, the server first.
pub(super) async fn nodes(
    engine: &Engine,
    name: &ClusterName,
) -> Result<Vec<String>, ClusterError> {
    let containers = engine
        .list_containers_by_label(&names::filter(name))
        .await?;
    let mut nodes: Vec<String> = containers
        .iter()
        .map(|container| names::node_of(&container.name))
        .collect();
    nodes.sort_unstable();
    Ok(nodes)
}

/// Checks that a cluster has these nodes.
pub(super) async fn require_nodes(
    engine: &Engine,
    name: &ClusterName,
    wanted: &[&str],
) -> Result<(), ClusterError> {
    let nodes = nodes(engine, name).await?;
    if nodes.is_empty() {
        return Err(unknown(name));
    }
    wanted
        .iter()
        .try_for_each(|node| require(name, &nodes, node))
}

fn require(name: &ClusterName, nodes: &[String], node: &str) -> Result<(), ClusterError> {
    if nodes.iter().any(|it| it == node) {
        return Ok(());
    }
    Err(ClusterError::UnknownNode {
        name: name.to_string(),
        node: node.to_owned(),
        nodes: nodes.join(", "),
    })
}

/// Which lines of a log are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogWish {
    /// Of which node; of the server when absent.
    pub node: Option<String>,
    /// How many of the last lines.
    pub tail: usize,
    /// All lines, and on as they are written.
    pub follow: bool,
}

/// Hands the lines of a node's log to `show`: errors of its components and the
/// steps of its own program.
///
/// # Errors
/// When there is no such cluster or node, or the engine breaks off.
pub async fn logs(
    engine: &Engine,
    name: &ClusterName,
    wish: &LogWish,
    mut show: impl FnMut(&str),
) -> Result<(), ClusterError> {
    let container = container_with(engine, name, wish.node.as_deref()).await?;
    let range = if wish.follow {
        LogRange::Follow
    } else {
        LogRange::Tail(u32::try_from(wish.tail).unwrap_or(u32::MAX))
    };
    let mut lines = std::pin::pin!(engine.logs(&container, range));
    while let Some(line) = lines.next().await {
        show(&line?.text);
    }
    Ok(())
}

/// The container of a node, which must be one of the cluster's; the server's when `node`
/// is none.
pub(super) async fn container_with(
    engine: &Engine,
    name: &ClusterName,
    node: Option<&str>,
) -> Result<String, ClusterError> {
    let nodes = nodes(engine, name).await?;
    let server = nodes.first().ok_or_else(|| unknown(name))?;
    let node = node.unwrap_or(server);
    require(name, &nodes, node)?;
    Ok(names::container_of(name, node))
}

/// The port of the API server on this machine.
pub(super) async fn api_port(engine: &Engine, name: &ClusterName) -> Result<u16, ClusterError> {
    published(&running(engine, name).await?, name)
}

async fn running(engine: &Engine, name: &ClusterName) -> Result<ContainerDetails, ClusterError> {
    match engine.container(&names::container(name)).await? {
        Some(details) if details.running => Ok(details),
        Some(_) => Err(not_running(name)),
        None => Err(unknown(name)),
    }
}

fn published(details: &ContainerDetails, name: &ClusterName) -> Result<u16, ClusterError> {
    let port = details.ports.get(&contract::API_PORT).copied();
    port.ok_or_else(|| not_running(name))
}

fn unknown(name: &ClusterName) -> ClusterError {
    ClusterError::Unknown {
        name: name.to_string(),
    }
}

fn not_running(name: &ClusterName) -> ClusterError {
    ClusterError::NotRunning {
        name: name.to_string(),
    }
}
