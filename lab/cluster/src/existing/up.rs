//! Begins to use a cluster that is there. Nothing is made on it yet: that begins with a
//! namespace.

use lab_engine::Engine;
use tokio_util::sync::CancellationToken;

use super::{
    examine::{Examined, examine},
    list::open,
};
use crate::{
    Cluster, ClusterError, ClusterSpec, Lease, claim::claim, folder::Folder, lease::OnExisting,
};

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
    let lease = claim(engine, lease(spec, &examined)).await?;
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
        existing: Some(OnExisting {
            context: examined.context.name.clone(),
            server: examined.context.server.clone(),
            namespaces: Vec::new(),
            registry: spec.registry.as_ref().map(ToString::to_string),
        }),
        ..Lease::of(spec)
    }
}
