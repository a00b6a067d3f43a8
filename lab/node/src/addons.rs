//! What every cluster has from the start: the pod network of its node, the DNS
//! Service, a default `StorageClass`.

use lab_k8s::{
    KubeError,
    k8s_openapi::api::{core::v1 as core, storage::v1::StorageClass},
    kube::{
        Api, Client, Resource, ResourceExt,
        api::{Patch, PatchParams},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{dns, host::Host, layout};

/// The name under which the node's program owns fields.
const MANAGER: &str = "lab-node";

/// Applies everything; safe to repeat.
pub(crate) async fn apply(client: &Client, host: &Host) -> Result<(), KubeError> {
    let system = "kube-system";
    let in_system = async {
        // The API server makes it too, but later.
        apply_one::<core::Namespace>(Api::all(client.clone()), "Namespace", namespace(system))
            .await?;
        tokio::try_join!(
            apply_one::<core::Service>(
                Api::namespaced(client.clone(), system),
                "Service",
                dns_service()
            ),
            apply_one::<core::Endpoints>(
                Api::namespaced(client.clone(), system),
                "Endpoints",
                dns_endpoints(host)
            ),
        )
    };
    tokio::try_join!(
        apply_one::<core::Node>(Api::all(client.clone()), "node", node(host)),
        apply_one::<StorageClass>(Api::all(client.clone()), "StorageClass", storage_class()),
        in_system,
    )?;
    Ok(())
}

async fn apply_one<K>(api: Api<K>, kind: &str, object: Value) -> Result<(), KubeError>
where
    K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let params = PatchParams::apply(MANAGER).force();
    let applied = api
        .patch(name, &params, &Patch::Apply(&object))
        .await
        .map_err(KubeError::doing(format!("apply the {kind} `{name}`")))?;
    tracing::debug!(kind, name = applied.name_any(), "applied");
    Ok(())
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The kubelet becomes Ready only with a pod network. Waiting for the controller
/// manager to hand one out would cost a second.
fn node(host: &Host) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": host.name,
            "labels": {
                "node-role.kubernetes.io/control-plane": "",
                "node-role.kubernetes.io/master": "",
            },
        },
        "spec": {
            "podCIDR": layout::NODE_POD_NETWORK,
            "podCIDRs": [layout::NODE_POD_NETWORK],
        },
        // The kubelet of 1.20 writes into these maps and falls over without them.
        "status": {"capacity": {"pods": "0"}, "allocatable": {"pods": "0"}},
    })
}

fn storage_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": layout::STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": layout::PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    })
}

fn dns_service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kube-dns",
            "labels": {"k8s-app": "kube-dns", "kubernetes.io/name": "KubeDNS"},
        },
        "spec": {
            "clusterIP": dns::DNS_ADDRESS.to_string(),
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": dns::PORT},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": dns::PORT},
            ],
        },
    })
}

fn dns_endpoints(host: &Host) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": "kube-dns",
            "labels": {"k8s-app": "kube-dns", "kubernetes.io/name": "KubeDNS"},
        },
        "subsets": [{
            "addresses": [{"ip": host.address.to_string()}],
            "ports": [
                {"name": "dns", "port": dns::PORT, "protocol": "UDP"},
                {"name": "dns-tcp", "port": dns::PORT, "protocol": "TCP"},
            ],
        }],
    })
}
