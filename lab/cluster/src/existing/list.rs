//! Finds clusters that are there and in use, and what they use.

use std::{collections::BTreeMap, time::Duration};

use futures::future::try_join_all;
use lab_image::Registry;
use lab_k8s::Kube;
use lab_model::{name::ClusterName, provider::Provider};

use super::examine::answered;
use crate::{Cluster, ClusterError, ClusterSummary, Usage, folder::Folder, lease::OnExisting};

/// Every cluster of others that is in use here, by name.
///
/// # Errors
/// When the state folder cannot be read. One that does not answer is listed as such.
pub async fn list() -> Result<Vec<ClusterSummary>, ClusterError> {
    let names = Folder::all()?.into_iter();
    let used = names.filter(|name| existing(name).is_ok());
    try_join_all(used.map(async |name| {
        let opened = open(&name).await;
        Ok(ClusterSummary {
            nodes: opened.as_ref().map_or(0, |cluster| cluster.nodes.len()),
            state: if opened.is_ok() { "answers" } else { "mute" }.to_owned(),
            provider: Provider::Existing,
            // When it was started, others know.
            started: String::new(),
            name,
        })
    }))
    .await
}

/// The cluster that is used under that name.
///
/// # Errors
/// When there is none, or its API server does not answer.
pub async fn open(name: &ClusterName) -> Result<Cluster, ClusterError> {
    let existing = existing(name)?;
    let folder = Folder::of(name)?;
    let kubeconfig = folder.kubeconfig();
    let asking = async {
        let kube = Kube::from_kubeconfig_file(&kubeconfig).await?;
        tokio::try_join!(kube.node_names(), kube.version())
    };
    let (nodes, version) = answered(&existing.context, &existing.server, asking).await?;
    Ok(Cluster {
        name: name.clone(),
        provider: Provider::Existing,
        kubeconfig,
        node_ports: BTreeMap::new(),
        version,
        nodes,
    })
}

/// What our pods use, as the nodes tell it.
///
/// # Errors
/// When the API server does not answer.
pub async fn usage(cluster: &Cluster) -> Result<Usage, ClusterError> {
    let namespaces = existing(&cluster.name)?.namespaces;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
    let usage = kube.pod_usage(&namespaces).await?;
    Ok(Usage {
        memory_bytes: usage.memory_bytes,
        cpu_seconds: Duration::from_nanos(usage.cpu_nanoseconds).as_secs_f64(),
    })
}

/// Where the cluster's nodes pull our images from, where it was told.
///
/// # Errors
/// When there is no such cluster.
pub fn registry(name: &ClusterName) -> Result<Option<Registry>, ClusterError> {
    let kept = existing(name)?.registry;
    Ok(kept.map(|kept| kept.parse()).transpose()?)
}

/// Remembers where the cluster's nodes pull our images from.
///
/// # Errors
/// When there is no such cluster that lab did not make.
pub fn pull_from(name: &ClusterName, registry: &Registry) -> Result<(), ClusterError> {
    existing(name)?;
    Folder::of(name)?.change(|lease| {
        let existing = lease.existing.as_mut();
        existing.is_some_and(|existing| {
            existing.registry = Some(registry.to_string());
            true
        })
    })?;
    Ok(())
}

/// What the lease has of it.
pub(super) fn existing(name: &ClusterName) -> Result<OnExisting, ClusterError> {
    let lease = Folder::of(name)?.lease();
    let existing = lease.and_then(|lease| lease.existing);
    existing.ok_or_else(|| ClusterError::Unknown {
        name: name.to_string(),
    })
}
