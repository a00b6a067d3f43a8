//! What nobody answers for: clusters of dead runs, and parts without a cluster.

use std::collections::BTreeSet;

use lab_engine::{ContainerSummary, Engine};
use lab_model::name::{ClusterName, label};

use super::{down, names};
use crate::{ClusterError, Leftover, lease::Folder, owner};

/// What is left of runs that are over, and of clusters whose time is up. With
/// `all`, every cluster, running or not.
///
/// # Errors
/// When the engine does not answer.
pub async fn leftovers(engine: &Engine, all: bool) -> Result<Vec<Leftover>, ClusterError> {
    let (containers, owned) = tokio::try_join!(
        engine.list_containers_by_label(label::CLUSTER),
        engine.list_containers_by_label(label::OWNER),
    )?;
    let mut living: BTreeSet<ClusterName> = BTreeSet::new();
    let mut left: BTreeSet<Leftover> = BTreeSet::new();
    for container in &containers {
        let Some(name) = cluster_of(container) else {
            left.insert(Leftover::Container(container.name.clone()));
            continue;
        };
        if all || is_left(container, &name) {
            left.insert(Leftover::Cluster(name));
        } else {
            living.insert(name);
        }
    }
    for name in Folder::all()? {
        let being_made = Folder::of(&name)?
            .lease()
            .is_some_and(|lease| owner::lives(&lease.owner));
        if being_made && !all {
            living.insert(name);
        } else if !living.contains(&name) {
            left.insert(Leftover::Cluster(name));
        }
    }
    left.extend(
        owned
            .iter()
            .filter(|container| !container.labels.contains_key(label::CLUSTER))
            .filter(|container| is_ownerless(container))
            .map(|container| Leftover::Container(container.name.clone())),
    );
    left.extend(parts(engine, &living, &left).await?);
    Ok(left.into_iter().collect())
}

/// Removes leftovers; what is not there any more is success.
///
/// # Errors
/// When the engine cannot remove something.
pub async fn remove(engine: &Engine, left: &[Leftover]) -> Result<(), ClusterError> {
    for leftover in left {
        match leftover {
            Leftover::Cluster(name) => down(engine, name).await?,
            Leftover::Container(name) => engine.remove_container(name).await?,
            Leftover::Volume(name) => engine.remove_volume(name).await?,
            Leftover::Network(name) => engine.remove_network(name).await?,
        }
    }
    Ok(())
}

/// Volumes and networks of clusters that are neither living nor left as a whole.
async fn parts(
    engine: &Engine,
    living: &BTreeSet<ClusterName>,
    left: &BTreeSet<Leftover>,
) -> Result<Vec<Leftover>, ClusterError> {
    let (mut volumes, mut networks) = tokio::try_join!(
        engine.list_volumes_by_label(label::CLUSTER),
        engine.list_networks_by_label(label::CLUSTER),
    )?;
    let clusters = left.iter().filter_map(|leftover| match leftover {
        Leftover::Cluster(name) => Some(name),
        _ => None,
    });
    for name in living.iter().chain(clusters) {
        let filter = names::filter(name);
        let (of_it, nets) = tokio::try_join!(
            engine.list_volumes_by_label(&filter),
            engine.list_networks_by_label(&filter),
        )?;
        volumes.retain(|volume| !of_it.contains(volume));
        networks.retain(|network| !nets.contains(network));
    }
    let volumes = volumes.into_iter().map(Leftover::Volume);
    Ok(volumes
        .chain(networks.into_iter().map(Leftover::Network))
        .collect())
}

/// A cluster of a run goes with the run's process; one without stays until its
/// time is up.
fn is_left(container: &ContainerSummary, name: &ClusterName) -> bool {
    let of_a_run = container.labels.contains_key(label::RUN);
    let expired = Folder::of(name)
        .ok()
        .and_then(|folder| folder.lease())
        .is_some_and(|lease| lease.is_expired());
    expired || (of_a_run && !owner_lives(container))
}

/// Images of the lab carry an empty owner, which their containers inherit.
fn is_ownerless(container: &ContainerSummary) -> bool {
    let owner = container.labels.get(label::OWNER);
    owner.is_some_and(|owner| !owner.is_empty() && !owner::lives(owner))
}

fn owner_lives(container: &ContainerSummary) -> bool {
    container
        .labels
        .get(label::OWNER)
        .is_some_and(|owner| owner::lives(owner))
}

fn cluster_of(container: &ContainerSummary) -> Option<ClusterName> {
    container.labels.get(label::CLUSTER)?.parse().ok()
}
