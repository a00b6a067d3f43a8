//! Volumes on the node's disk: a folder for each claim of the default
//! `StorageClass` whose first pod the scheduler puts on this node, writable by every
//! user because pods run as whom they like.

use std::{fs, io, os::unix::fs::PermissionsExt, path::PathBuf};

use futures::StreamExt;
use lab_k8s::{
    k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim},
    kube::{
        Api, Client, ResourceExt,
        api::{DeleteParams, PostParams},
        runtime::{WatchStreamExt, watcher},
    },
};
use serde_json::json;

use crate::{layout, supervisor::say};

/// Where the scheduler writes the node it chose.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// Where a volume says the node it lies on.
const ON_NODE: &str = "lab.local/node";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// Serves this node's claims and removes its released volumes, for ever.
pub(crate) async fn provision(client: &Client, node: &str) {
    tokio::join!(serve_claims(client, node), remove_released(client, node));
}

async fn serve_claims(client: &Client, node: &str) {
    let claims = watcher(
        Api::<PersistentVolumeClaim>::all(client.clone()),
        watcher::Config::default(),
    )
    .default_backoff()
    .applied_objects();
    let mut claims = std::pin::pin!(claims);
    while let Some(claim) = claims.next().await {
        let Ok(claim) = claim else { continue };
        if !is_ours(&claim, node) {
            continue;
        }
        if let Err(error) = make_volume(client, node, &claim).await {
            say("storage", &error).await;
        }
    }
}

/// Unbound, of our class, and for a pod on this node.
fn is_ours(claim: &PersistentVolumeClaim, node: &str) -> bool {
    let selected = claim.annotations().get(SELECTED_NODE);
    let pending = claim
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        == Some("Pending");
    claim.spec.as_ref().is_some_and(|spec| {
        pending
            && selected.is_some_and(|selected| selected == node)
            && spec.volume_name.is_none()
            && spec.storage_class_name.as_deref() == Some(layout::STORAGE_CLASS)
    })
}

async fn make_volume(
    client: &Client,
    node: &str,
    claim: &PersistentVolumeClaim,
) -> Result<(), String> {
    let (namespace, name) = (claim.namespace().unwrap_or_default(), claim.name_any());
    let volume = format!("pvc-{}", claim.uid().unwrap_or_default());
    let path = PathBuf::from(layout::STORAGE).join(&volume);
    make_folder(&path).map_err(|error| format!("failed to make `{}`: {error}", path.display()))?;
    let spec = claim.spec.as_ref();
    let object = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": volume,
            "annotations": {PROVISIONED_BY: layout::PROVISIONER, ON_NODE: node},
        },
        "spec": {
            "storageClassName": layout::STORAGE_CLASS,
            "persistentVolumeReclaimPolicy": "Delete",
            "capacity": {"storage": spec
                .and_then(|spec| spec.resources.as_ref()?.requests.as_ref()?.get("storage").cloned())},
            "accessModes": spec.and_then(|spec| spec.access_modes.clone()),
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "namespace": namespace, "name": name, "uid": claim.uid(),
            },
            "hostPath": {"path": path, "type": "Directory"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]},
            ]}]}},
        },
    });
    let object: PersistentVolume =
        serde_json::from_value(object).map_err(|error| error.to_string())?;
    match Api::all(client.clone())
        .create(&PostParams::default(), &object)
        .await
    {
        Err(error) if !is_conflict(&error) => Err(format!(
            "failed to make the volume of `{namespace}/{name}`: {error}"
        )),
        _ => Ok(()),
    }
}

fn make_folder(path: &PathBuf) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))
}

async fn remove_released(client: &Client, node: &str) {
    let api = Api::<PersistentVolume>::all(client.clone());
    let volumes = watcher(api.clone(), watcher::Config::default())
        .default_backoff()
        .applied_objects();
    let mut volumes = std::pin::pin!(volumes);
    while let Some(volume) = volumes.next().await {
        let Ok(volume) = volume else { continue };
        let released = volume
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref())
            == Some("Released");
        let says = |key, value| volume.annotations().get(key).is_some_and(|it| it == value);
        let ours = says(PROVISIONED_BY, layout::PROVISIONER) && says(ON_NODE, node);
        if !released || !ours {
            continue;
        }
        if let Err(error) = remove_volume(&api, &volume.name_any()).await {
            say("storage", &error).await;
        }
    }
}

async fn remove_volume(api: &Api<PersistentVolume>, name: &str) -> Result<(), String> {
    let path = PathBuf::from(layout::STORAGE).join(name);
    match tokio::fs::remove_dir_all(&path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(format!("failed to remove `{}`: {error}", path.display()));
        }
        _ => {}
    }
    match api.delete(name, &DeleteParams::default()).await {
        Err(error) if !is_missing(&error) => {
            Err(format!("failed to remove the volume `{name}`: {error}"))
        }
        _ => Ok(()),
    }
}

fn is_conflict(error: &lab_k8s::kube::Error) -> bool {
    matches!(error, lab_k8s::kube::Error::Api(status) if status.code == 409)
}

fn is_missing(error: &lab_k8s::kube::Error) -> bool {
    matches!(error, lab_k8s::kube::Error::Api(status) if status.code == 404)
}
