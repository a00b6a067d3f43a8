//! Finds clusters that are there, by kind's own label.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use lab_engine::{ContainerDetails, ContainerSummary, Engine};
use lab_k8s::Kube;
use lab_model::{name::ClusterName, provider::Provider};

use super::{kubeconfig, names};
use crate::{Cluster, ClusterError, ClusterSummary, folder::Folder};

/// Names of the clusters that have a container.
pub(crate) async fn all(engine: &Engine) -> Result<Vec<ClusterName>, ClusterError> {
    let containers = names::all(engine).await?;
    Ok(containers.into_iter().map(|(name, _)| name).collect())
}

/// Every cluster that the engine knows, by name.
pub(crate) async fn list(engine: &Engine) -> Result<Vec<ClusterSummary>, ClusterError> {
    let mut clusters: BTreeMap<ClusterName, Vec<ContainerSummary>> = BTreeMap::new();
    for (name, container) in names::all(engine).await? {
        clusters.entry(name).or_default().push(container);
    }
    try_join_all(clusters.into_iter().map(async |(name, nodes)| {
        let server = engine.container(&names::server(&name)).await?;
        let broken = nodes.iter().find(|node| node.state != "running");
        let shown = broken.or(nodes.first());
        Ok(ClusterSummary {
            name,
            provider: Provider::Kind,
            nodes: nodes.len(),
            state: shown.map(|node| node.state.clone()).unwrap_or_default(),
            started: server.map(|server| server.started_at).unwrap_or_default(),
        })
    }))
    .await
}

/// The running cluster of that name.
///
/// # Errors
/// When there is none, or it does not run.
pub(crate) async fn open(engine: &Engine, name: &ClusterName) -> Result<Cluster, ClusterError> {
    let details = running(engine, name).await?;
    let folder = Folder::of(name)?;
    let api = details.ports.get(&names::API_PORT).copied();
    kubeconfig::follow_port(name, &folder, api.ok_or_else(|| not_running(name))?)?;
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
    let containers = names::containers(engine, name).await?;
    Ok(Cluster {
        name: name.clone(),
        provider: Provider::Kind,
        kubeconfig: folder.kubeconfig(),
        node_ports,
        version,
        nodes: containers.into_iter().map(|it| it.name).collect(),
    })
}

async fn running(engine: &Engine, name: &ClusterName) -> Result<ContainerDetails, ClusterError> {
    match engine.container(&names::server(name)).await? {
        Some(details) if details.running => Ok(details),
        Some(_) => Err(not_running(name)),
        None => Err(ClusterError::Unknown {
            name: name.to_string(),
        }),
    }
}

fn not_running(name: &ClusterName) -> ClusterError {
    ClusterError::NotRunning {
        name: name.to_string(),
    }
}
