//! Which fault is in which cluster. Each stands in the lease before it is made, so that
//! it is undone also when its maker dies: by the reaper or the next `lab` of any kind.

use lab_engine::{Engine, owner};
use lab_model::{fault::Fault, name::ClusterName};

use super::deeds;
use crate::{
    ClusterError,
    folder::Folder,
    lease::{Injected, Lease},
    node::list,
};

/// Does it, after the lease says so. This process answers for it.
///
/// # Errors
/// When there is no such cluster or node, another fault is in the way, or the node
/// refuses. The fault is then undone.
pub async fn inject(
    engine: &Engine,
    cluster: &ClusterName,
    fault: &Fault,
) -> Result<(), ClusterError> {
    inject_for(engine, cluster, fault, &owner::this_process()).await
}

/// The same, for another process, named as in `lab_engine::owner`.
///
/// # Errors
/// As [`inject`].
pub async fn inject_for(
    engine: &Engine,
    cluster: &ClusterName,
    fault: &Fault,
    owner: &str,
) -> Result<(), ClusterError> {
    list::require_nodes(engine, cluster, &fault.nodes()).await?;
    claim(cluster, fault, owner)?;
    let made = deeds::make(engine, cluster, fault).await;
    if made.is_err() {
        // The first cause is what counts; what cannot be undone stays leased.
        let _ = heal(engine, cluster, fault).await;
    }
    made
}

/// Undoes it. A cluster or a fault that is not there is success.
///
/// # Errors
/// When the node refuses; the lease then goes on naming the fault.
pub async fn heal(
    engine: &Engine,
    cluster: &ClusterName,
    fault: &Fault,
) -> Result<(), ClusterError> {
    let folder = Folder::of(cluster)?;
    if folder.lease().is_none() {
        return Ok(());
    }
    deeds::undo(engine, cluster, fault).await?;
    folder.change(|lease| {
        lease.faults.retain(|injected| injected.fault != *fault);
        true
    })?;
    Ok(())
}

/// Undoes whatever is in a cluster; tells what it was.
///
/// # Errors
/// When a node refuses.
pub async fn heal_all(engine: &Engine, cluster: &ClusterName) -> Result<Vec<Fault>, ClusterError> {
    heal_those(engine, cluster, |_| true).await
}

/// Undoes what this process left in a cluster, for example because it was interrupted.
///
/// # Errors
/// When a node refuses.
pub async fn heal_own(engine: &Engine, cluster: &ClusterName) -> Result<(), ClusterError> {
    let own = owner::this_process();
    heal_those(engine, cluster, |owner| owner == own).await?;
    Ok(())
}

/// Undoes what processes that are dead left in any cluster; tells what it was.
///
/// # Errors
/// When a node refuses.
pub async fn heal_dead(engine: &Engine) -> Result<Vec<(ClusterName, Fault)>, ClusterError> {
    let mut healed = Vec::new();
    for cluster in Folder::all()? {
        let faults = heal_those(engine, &cluster, |owner| !owner::lives(owner)).await?;
        healed.extend(faults.into_iter().map(|fault| (cluster.clone(), fault)));
    }
    Ok(healed)
}

/// The faults that are in a cluster.
///
/// # Errors
/// When the state folder cannot be found.
pub fn faults(cluster: &ClusterName) -> Result<Vec<Fault>, ClusterError> {
    let lease = Folder::of(cluster)?.lease();
    let faults = lease.map(|lease| lease.faults).unwrap_or_default();
    Ok(faults.into_iter().map(|it| it.fault).collect())
}

/// Writes it into the lease, unless one that stands there is in its way.
fn claim(cluster: &ClusterName, fault: &Fault, owner: &str) -> Result<(), ClusterError> {
    let mut standing = None;
    let is_leased = Folder::of(cluster)?.change(|lease| {
        standing = in_the_way(lease, fault);
        if standing.is_none() {
            lease.faults.push(Injected {
                fault: fault.clone(),
                owner: owner.to_owned(),
            });
        }
        standing.is_none()
    })?;
    let name = cluster.to_string();
    match standing {
        Some(standing) => Err(ClusterError::FaultStands {
            name,
            standing: standing.to_string(),
        }),
        None if is_leased => Ok(()),
        None => Err(ClusterError::Unknown { name }),
    }
}

fn in_the_way(lease: &Lease, fault: &Fault) -> Option<Fault> {
    let mut faults = lease.faults.iter().map(|injected| &injected.fault);
    faults.find(|standing| standing.excludes(fault)).cloned()
}

/// Undoes faults by their owners, the last one first: an earlier fault may stand in the
/// way of a later one.
async fn heal_those(
    engine: &Engine,
    cluster: &ClusterName,
    by: impl Fn(&str) -> bool,
) -> Result<Vec<Fault>, ClusterError> {
    let lease = Folder::of(cluster)?.lease();
    let faults = lease.map(|lease| lease.faults).unwrap_or_default();
    let chosen = faults.into_iter().rev().filter(|it| by(&it.owner));
    let mut healed = Vec::new();
    for Injected { fault, .. } in chosen {
        heal(engine, cluster, &fault).await?;
        healed.push(fault);
    }
    Ok(healed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::tests::kept;

    #[test]
    fn a_fault_is_in_the_way_of_its_like() {
        let paused = Fault::NodePaused {
            node: "demo-agent-1".to_owned(),
        };
        let mut lease = kept();
        assert_eq!(in_the_way(&lease, &paused), None);
        lease.faults.push(Injected {
            fault: paused.clone(),
            owner: owner::this_process(),
        });
        assert_eq!(in_the_way(&lease, &paused), Some(paused));
        assert_eq!(in_the_way(&lease, &Fault::ApiServerStopped), None);
    }
}
