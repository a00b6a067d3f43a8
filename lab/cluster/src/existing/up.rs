//! Begins to use a cluster that is there. Nothing is made on it yet: that begins with a
//! namespace.

use lab_engine::{Engine, owner};
use lab_model::provider::Provider;
use tokio_util::sync::CancellationToken;

use super::{
    examine::{Examined, examine},
    list::open,
};
use crate::{Cluster, ClusterError, ClusterSpec, Lease, folder::Folder, lease::OnExisting, node};

/// Looks at the cluster, and remembers it under a name with a kubeconfig of its own.
///
/// # Errors
/// Those of [`examine()`](super::examine()), and when the name is taken.
pub async fn up(
    engine: &Engine,
    spec: &ClusterSpec,
    cancel: &CancellationToken,
) -> Result<Cluster, ClusterError> {
    let wish = spec.existing.clone().unwrap_or_default();
    let examined = tokio::select! {
        examined = examine(&spec.name, &wish) => examined?,
        () = cancel.cancelled() => return Err(ClusterError::Interrupted),
    };
    let folder = Folder::of(&spec.name)?;
    let lease = claim(engine, spec, &examined, &folder).await?;
    let opened = remember(lease, &examined, &folder);
    let opened = match opened {
        Ok(()) => open(&spec.name).await,
        Err(error) => Err(error),
    };
    if opened.is_err() {
        // The first cause is what counts; nothing is on the cluster yet.
        let _ = super::down(&spec.name).await;
    }
    opened
}

/// Writes the lease, where the name is free or only what a dead process left has it.
async fn claim(
    engine: &Engine,
    spec: &ClusterSpec,
    examined: &Examined,
    folder: &Folder,
) -> Result<Lease, ClusterError> {
    let taken = || ClusterError::NameTaken {
        name: spec.name.to_string(),
    };
    if folder.lease().is_none() && node::known(engine, &spec.name).await.is_ok() {
        return Err(taken());
    }
    let lease = lease(spec, examined);
    while let Some(standing) = folder.claim(&lease)? {
        if !standing.is_over() {
            return Err(taken());
        }
        crate::down(engine, &spec.name).await?;
    }
    Ok(lease)
}

fn remember(mut lease: Lease, examined: &Examined, folder: &Folder) -> Result<(), ClusterError> {
    let text = serde_json::to_string_pretty(examined.context.kubeconfig());
    let text = text.map_err(|error| ClusterError::State {
        path: folder.kubeconfig().display().to_string(),
        source: error.into(),
    })?;
    folder.write_kubeconfig(&text)?;
    lease.version = Some(examined.version.clone());
    lease.renew();
    folder.write_lease(&lease)
}

fn lease(spec: &ClusterSpec, examined: &Examined) -> Lease {
    Lease {
        cluster: spec.name.clone(),
        provider: Provider::Existing,
        run: spec.run.clone(),
        owner: owner::this_process(),
        maker: None,
        users: spec.user.iter().cloned().collect(),
        ttl_seconds: spec.ttl.map(|ttl| ttl.as_secs()),
        expires_unix_seconds: None,
        container: String::new(),
        agents: Vec::new(),
        volumes: Vec::new(),
        network: String::new(),
        version: None,
        faults: Vec::new(),
        existing: Some(OnExisting {
            context: examined.context.name.clone(),
            server: examined.context.server.clone(),
            namespaces: Vec::new(),
            registry: spec.registry.as_ref().map(ToString::to_string),
        }),
    }
}
