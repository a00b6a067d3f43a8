//! One way to clusters of every provider: each call goes to the one that made, or is
//! to make, the cluster.

use lab_engine::Engine;
use lab_image::Images;
use lab_model::{event::Emitter, name::ClusterName, provider::Provider};
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, ClusterError, ClusterSpec, ClusterSummary, Usage,
    existing::{self, ExistingError},
    folder::Folder,
    node::{self, LogWish},
};

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
        Provider::Node => node::up(engine, images, spec, emitter, cancel).await,
        Provider::Existing => existing::up(engine, spec, cancel).await,
    }
}

/// The running cluster of that name.
///
/// # Errors
/// When there is none, or it does not run.
pub async fn open(engine: &Engine, name: &ClusterName) -> Result<Cluster, ClusterError> {
    match Folder::of(name)?.provider() {
        Provider::Node => node::open(engine, name).await,
        Provider::Existing => existing::open(name).await,
    }
}

/// Removes everything a cluster owns. What is not there is success.
///
/// # Errors
/// When something cannot be removed; the lease then stays.
pub async fn down(engine: &Engine, name: &ClusterName) -> Result<(), ClusterError> {
    match Folder::of(name)?.provider() {
        Provider::Node => node::down(engine, name).await,
        Provider::Existing => existing::down(name).await,
    }
}

/// Every cluster there is, by name.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine) -> Result<Vec<ClusterSummary>, ClusterError> {
    let (made, used) = tokio::try_join!(node::list(engine), existing::list())?;
    let mut clusters: Vec<_> = made.into_iter().chain(used).collect();
    clusters.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(clusters)
}

/// What a cluster uses now.
///
/// # Errors
/// When it does not run, or does not tell.
pub async fn usage(engine: &Engine, cluster: &Cluster) -> Result<Usage, ClusterError> {
    match cluster.provider {
        Provider::Node => node::usage(engine, cluster).await,
        Provider::Existing => existing::usage(cluster).await,
    }
}

/// Hands the lines of a node's log to `show`.
///
/// # Errors
/// When there is no such cluster or node, the engine breaks off, or the nodes are others'.
pub async fn logs(
    engine: &Engine,
    name: &ClusterName,
    wish: &LogWish,
    show: impl FnMut(&str),
) -> Result<(), ClusterError> {
    match Folder::of(name)?.provider() {
        Provider::Node => node::logs(engine, name, wish, show).await,
        Provider::Existing => Err(ExistingError::NoNodeLogs {
            name: name.to_string(),
        }
        .into()),
    }
}
