//! The claim on a cluster that is to be made.

use lab_engine::Engine;

use crate::{ClusterError, Lease, down, folder::Folder};

/// Writes the lease of a name that no cluster in the list has. One that stands all the
/// same is a cluster being made by another process, one on somebody else's cluster, or
/// what is left of one whose containers are gone.
pub(crate) async fn claim(engine: &Engine, lease: Lease) -> Result<Lease, ClusterError> {
    let name = &lease.cluster;
    let folder = Folder::of(name)?;
    while let Some(standing) = folder.claim(&lease)? {
        let is_elsewhere = standing.existing.is_some() && !standing.is_over();
        if standing.is_being_made() || is_elsewhere {
            return Err(ClusterError::NameTaken {
                name: name.to_string(),
            });
        }
        down(engine, name).await?;
    }
    Ok(lease)
}
