//! Leaves a cluster that is there: what is ours goes, the rest stays.

use std::time::Duration;

use lab_k8s::{Kube, removal::RemovalError};
use lab_model::name::ClusterName;

use super::{ExistingError, namespace::selector};
use crate::{ClusterError, Lease, folder::Folder, lease::OnExisting};

/// How long nothing may change on the way to the end of a namespace: longer than any pod
/// of the stacks may take to stop.
const IDLE_LIMIT: Duration = Duration::from_secs(90);

/// Removes our namespaces, with all that is in them, and what stands beside them, waits
/// for its end, and forgets the cluster. What is not there is success.
///
/// # Errors
/// When the API server does not answer or something hangs; the lease then stays.
pub async fn down(name: &ClusterName) -> Result<(), ClusterError> {
    let folder = Folder::of(name)?;
    let Some(lease) = folder.lease() else {
        return folder.remove(None);
    };
    if let Some(existing) = &lease.existing
        // Where nothing was ever made, nobody need be asked.
        && !existing.namespaces.is_empty()
    {
        let removed = remove(&folder, &lease).await;
        removed.map_err(|source| not_removed(&lease, existing, &folder, source))?;
    }
    folder.remove(Some(&lease))
}

async fn remove(folder: &Folder, lease: &Lease) -> Result<(), RemovalError> {
    let kube = Kube::from_kubeconfig_file(&folder.kubeconfig()).await?;
    kube.remove_labelled(&selector(lease), IDLE_LIMIT).await
}

fn not_removed(
    lease: &Lease,
    existing: &OnExisting,
    folder: &Folder,
    source: RemovalError,
) -> ExistingError {
    let kubeconfig = folder.kubeconfig();
    let folder = kubeconfig.parent().unwrap_or(&kubeconfig);
    ExistingError::NotRemoved {
        name: lease.cluster.to_string(),
        context: existing.context.clone(),
        server: existing.server.clone(),
        folder: folder.display().to_string(),
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use lab_k8s::removal::BESIDE_NAMESPACES;

    /// Kinds of the charts that lie in a namespace and go with it.
    const IN_NAMESPACES: [&str; 8] = [
        "ConfigMap",
        "Deployment",
        "PersistentVolumeClaim",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    ];

    fn kinds(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                kinds(&path, found);
            } else if path.extension().is_some_and(|it| it == "yaml") {
                let text = fs::read_to_string(&path).unwrap();
                let kinds = text.lines().filter_map(|it| it.strip_prefix("kind: "));
                found.extend(kinds.map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_kind_of_the_charts_is_removed() {
        let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/charts");
        let mut found = BTreeSet::new();

        kinds(&charts, &mut found);

        let removed = IN_NAMESPACES.into_iter().chain(BESIDE_NAMESPACES);
        assert_eq!(found, removed.map(str::to_owned).collect());
    }
}
