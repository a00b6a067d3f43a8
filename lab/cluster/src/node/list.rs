//! Finds clusters that are there.

use std::collections::BTreeMap;

use futures::{StreamExt, future::try_join_all};
use lab_engine::{ContainerDetails, Engine, LogRange};
use lab_k8s::Kube;
use lab_model::name::{ClusterName, label};

use super::{kubeconfig, names};
use crate::{Cluster, ClusterError, ClusterSummary, lease::Folder};

/// Every cluster the engine knows, by name.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine) -> Result<Vec<ClusterSummary>, ClusterError> {
    let containers = engine.list_containers_by_label(label::CLUSTER).await?;
    let summaries = containers.into_iter().filter_map(|container| {
        let name: ClusterName = container.labels.get(label::CLUSTER)?.parse().ok()?;
        Some(async move {
            let details = engine.container(&container.name).await?;
            Ok::<_, ClusterError>(ClusterSummary {
                name,
                state: container.state,
                started: details.map(|it| it.started_at).unwrap_or_default(),
            })
        })
    });
    let mut summaries = try_join_all(summaries).await?;
    summaries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(summaries)
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
        .filter(|(inside, _)| *inside != names::API_PORT)
        .collect();
    Ok(Cluster {
        name: name.clone(),
        kubeconfig: folder.kubeconfig(),
        node_ports,
        version,
        nodes: vec![name.to_string()],
    })
}

/// Hands the lines of the node's log to `show`: errors of its components and the
/// steps of its own program.
///
/// # Errors
/// When there is no such cluster or the engine breaks off.
pub async fn logs(
    engine: &Engine,
    name: &ClusterName,
    tail: usize,
    follow: bool,
    mut show: impl FnMut(&str),
) -> Result<(), ClusterError> {
    let container = names::container(name);
    if engine.container(&container).await?.is_none() {
        return Err(unknown(name));
    }
    let range = if follow {
        LogRange::Follow
    } else {
        LogRange::Tail(u32::try_from(tail).unwrap_or(u32::MAX))
    };
    let mut lines = std::pin::pin!(engine.logs(&container, range));
    while let Some(line) = lines.next().await {
        show(&line?.text);
    }
    Ok(())
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
    let port = details.ports.get(&names::API_PORT).copied();
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
