//! Takes a cluster down without the program, so that it goes also where kind is gone.

use std::{collections::BTreeSet, time::Duration};

use futures::future::try_join_all;
use lab_engine::Engine;
use lab_model::name::ClusterName;
use tokio::time::sleep;

use super::{maker, names};
use crate::{ClusterError, folder::Folder, node::names::filter};

/// Looks that must find nothing where kind was ended at work: the engine may still make
/// what was asked of it the moment before.
const CLEAN_LOOKS: u32 = 3;
const LOOKS_AT_MOST: u32 = 30;
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Removes everything that kind's label, the lab's or the lease names. What is not
/// there is success.
///
/// # Errors
/// When the engine cannot remove something; the lease then stays.
pub(crate) async fn down(engine: &Engine, name: &ClusterName) -> Result<(), ClusterError> {
    let folder = Folder::of(name)?;
    let lease = folder.lease();
    let was_at_work = match lease.as_ref().and_then(|it| it.maker.as_deref()) {
        Some(maker) => maker::end(maker).await,
        None => false,
    };
    let leased = lease.iter().flat_map(|it| {
        let agents = it.agents.iter().cloned();
        agents.chain([it.container.clone()])
    });
    try_join_all(leased.map(async |it| engine.remove_container(&it).await)).await?;
    remove_containers(engine, name, was_at_work).await?;
    let networks = engine.list_networks_by_label(&filter(name)).await?;
    let mut networks: BTreeSet<String> = networks.into_iter().map(|it| it.name).collect();
    networks.extend(lease.iter().map(|it| it.network.clone()));
    try_join_all(networks.iter().map(|it| engine.remove_network(it))).await?;
    folder.remove(lease.as_ref())
}

/// Removes what carries kind's label, with its volumes, until nothing does.
async fn remove_containers(
    engine: &Engine,
    name: &ClusterName,
    was_at_work: bool,
) -> Result<(), ClusterError> {
    let enough = if was_at_work { CLEAN_LOOKS } else { 1 };
    let mut clean_looks = 0;
    for look in 0..LOOKS_AT_MOST {
        if look > 0 {
            sleep(LOOK_EVERY).await;
        }
        let found = names::containers(engine, name).await?;
        clean_looks = if found.is_empty() { clean_looks + 1 } else { 0 };
        if clean_looks == enough {
            return Ok(());
        }
        try_join_all(found.iter().map(|it| engine.remove_container(&it.name))).await?;
    }
    Err(ClusterError::StillLeft {
        what: format!("containers of kind's cluster `{}`", names::in_kind(name)),
    })
}
