//! Takes a cluster down.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use lab_engine::{Engine, Labelled};
use lab_model::name::ClusterName;

use super::names;
use crate::{ClusterError, folder::Folder};

/// Removes everything that carries the cluster's label or stands in its lease.
/// What is not there is success.
///
/// # Errors
/// When the engine cannot remove something; the lease then stays.
pub async fn down(engine: &Engine, name: &ClusterName) -> Result<(), ClusterError> {
    let folder = Folder::of(name)?;
    let lease = folder.lease();
    let filter = names::filter(name);
    let (containers, volumes, networks) = tokio::try_join!(
        engine.list_containers_by_label(&filter),
        engine.list_volumes_by_label(&filter),
        engine.list_networks_by_label(&filter),
    )?;
    let mut containers: BTreeSet<String> = containers
        .into_iter()
        .map(|container| container.name)
        .collect();
    let name_of = |it: Labelled| it.name;
    let mut volumes: BTreeSet<String> = volumes.into_iter().map(name_of).collect();
    let mut networks: BTreeSet<String> = networks.into_iter().map(name_of).collect();
    if let Some(lease) = &lease {
        containers.insert(lease.container.clone());
        containers.extend(lease.agents.iter().cloned());
        volumes.extend(lease.volumes.iter().cloned());
        networks.insert(lease.network.clone());
    }
    try_join_all(containers.iter().map(|it| engine.remove_container(it))).await?;
    // What a container used can be removed only after it.
    tokio::try_join!(
        try_join_all(volumes.iter().map(|it| engine.remove_volume(it))),
        try_join_all(networks.iter().map(|it| engine.remove_network(it))),
    )?;
    folder.remove(lease.as_ref())
}
