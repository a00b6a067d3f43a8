//! A cluster for several processes: the first makes it, the others join.

use std::{fs::File, time::Duration};

use lab_engine::Engine;
use lab_image::Images;
use lab_model::{event::Emitter, name::ClusterName};
use tokio::{task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{Cluster, ClusterError, ClusterSpec, folder::Folder, open, up};

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The right to change a cluster's releases; dropping it gives it back.
#[derive(Debug)]
pub struct Releases {
    _lock: File,
}

/// Waits until no other process changes the cluster's releases. The kernel gives the
/// right back when its holder dies.
///
/// # Errors
/// When the cluster has no folder on this machine.
pub async fn releases(name: &ClusterName) -> Result<Releases, ClusterError> {
    let folder = Folder::of(name)?;
    let lock = spawn_blocking(move || folder.releases()).await;
    let lock = lock.map_err(|_| ClusterError::Interrupted)??;
    Ok(Releases { _lock: lock })
}

/// Joins the cluster of that name as a user, or makes it where there is none. One
/// that another process makes right now is waited for: it ends with that process.
///
/// # Errors
/// Those of [`up()`], and when the cluster that is there does not run.
pub async fn share(
    engine: &Engine,
    images: &Images,
    spec: &ClusterSpec,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<Cluster, ClusterError> {
    let folder = Folder::of(&spec.name)?;
    loop {
        if folder.join(spec.user.as_deref())? {
            return open(engine, &spec.name).await;
        }
        let being_made = || folder.lease().is_some_and(|lease| lease.is_being_made());
        match up(engine, images, spec, emitter, cancel).await {
            Err(ClusterError::NameTaken { .. }) if folder.lease().is_some() => {}
            other => return other,
        }
        while being_made() {
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = cancel.cancelled() => return Err(ClusterError::Interrupted),
            }
        }
    }
}
