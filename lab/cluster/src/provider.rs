//! One way to clusters of every provider: each call goes to the one that made, or is
//! to make, the cluster.

use lab_engine::Engine;
use lab_image::Images;
use lab_model::{event::Emitter, name::ClusterName, provider::Provider};
use tokio_util::sync::CancellationToken;

use crate::{Cluster, ClusterError, ClusterSpec, ClusterSummary, folder::Folder, node};

/// Makes a cluster and waits until its nodes are Ready and its DNS answers.
///
/// # Errors
/// When the name is taken, the provider lacks something, or the cluster does not come
/// up. Then, and when `cancel` fires, nothing is left of it.
pub async fn up(
    engine: &Engine,
    images: &Images,
    spec: &ClusterSpec,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<Cluster, ClusterError> {
    match spec.provider {
        Provider::Node | Provider::K3s => node::up(engine, images, spec, emitter, cancel).await,
    }
}

/// The running cluster of that name.
///
/// # Errors
/// When there is none, or it does not run.
pub async fn open(engine: &Engine, name: &ClusterName) -> Result<Cluster, ClusterError> {
    match Folder::of(name)?.provider() {
        Provider::Node | Provider::K3s => node::open(engine, name).await,
    }
}

/// Removes everything a cluster owns. What is not there is success.
///
/// # Errors
/// When something cannot be removed; the lease then stays.
pub async fn down(engine: &Engine, name: &ClusterName) -> Result<(), ClusterError> {
    match Folder::of(name)?.provider() {
        Provider::Node | Provider::K3s => node::down(engine, name).await,
    }
}

/// Every cluster there is, by name.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine) -> Result<Vec<ClusterSummary>, ClusterError> {
    node::list(engine).await
}
