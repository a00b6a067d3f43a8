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
    gpu, kind,
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
    // Of another provider, perhaps, and then under names that this one does not look for.
    let clusters = list(engine).await?;
    if clusters.iter().any(|it| it.name == spec.name) {
        return Err(ClusterError::NameTaken {
            name: spec.name.to_string(),
        });
    }
    gpu::check(engine, spec).await?;
    match spec.provider {
        Provider::Node | Provider::K3s => node::up(engine, images, spec, emitter, cancel).await,
        Provider::Kind => kind::up(engine, spec, emitter, cancel).await,
        Provider::Existing => existing::up(engine, spec, cancel).await,
    }
}

/// The running cluster of that name.
///
/// # Errors
/// When there is none, or it does not run.
pub async fn open(engine: &Engine, name: &ClusterName) -> Result<Cluster, ClusterError> {
    match maker(engine, name).await? {
        Provider::Node | Provider::K3s => node::open(engine, name).await,
        Provider::Kind => kind::open(engine, name).await,
        Provider::Existing => existing::open(name).await,
    }
}

/// Removes everything a cluster owns. What is not there is success.
///
/// # Errors
/// When something cannot be removed; the lease then stays.
pub async fn down(engine: &Engine, name: &ClusterName) -> Result<(), ClusterError> {
    match maker(engine, name).await? {
        Provider::Node | Provider::K3s => node::down(engine, name).await,
        Provider::Kind => kind::down(engine, name).await,
        Provider::Existing => existing::down(name).await,
    }
}

/// What a cluster uses now.
///
/// # Errors
/// When it does not run, or does not tell.
pub async fn usage(engine: &Engine, cluster: &Cluster) -> Result<Usage, ClusterError> {
    match cluster.provider {
        Provider::Existing => existing::usage(cluster).await,
        _ => node::usage(engine, cluster).await,
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
    match maker(engine, name).await? {
        Provider::Node | Provider::K3s => node::logs(engine, name, wish, show).await,
        Provider::Kind => kind::logs(engine, name, wish, show).await,
        Provider::Existing => Err(ExistingError::NoNodeLogs {
            name: name.to_string(),
        }
        .into()),
    }
}

/// Checks that there is a cluster of that name, or something left of one.
///
/// # Errors
/// When there is none.
pub async fn known(engine: &Engine, name: &ClusterName) -> Result<(), ClusterError> {
    match maker(engine, name).await? {
        Provider::Node | Provider::K3s => node::known(engine, name).await,
        // Only a lease or a container tells of these.
        Provider::Kind | Provider::Existing => Ok(()),
    }
}

/// Every cluster there is, by name.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine) -> Result<Vec<ClusterSummary>, ClusterError> {
    let (mut clusters, of_kind, used) =
        tokio::try_join!(node::list(engine), kind::list(engine), existing::list())?;
    clusters.extend(of_kind);
    clusters.extend(used);
    clusters.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(clusters)
}

/// What made a cluster. Its lease says so; where that is gone, its containers do.
async fn maker(engine: &Engine, name: &ClusterName) -> Result<Provider, ClusterError> {
    if let Some(lease) = Folder::of(name)?.lease() {
        return Ok(lease.provider);
    }
    let is_of_kind = kind::all(engine).await?.contains(name);
    Ok(if is_of_kind {
        Provider::Kind
    } else {
        Provider::default()
    })
}
