//! What every cluster has from the start: its server's Node, the roles of its
//! nodes, the DNS Service, a default `StorageClass`.

use lab_k8s::{
    KubeError,
    k8s_openapi::api::{
        core::v1 as core,
        rbac::v1::{ClusterRole, ClusterRoleBinding},
        storage::v1::StorageClass,
    },
    kube::{
        Api, Client, Resource, ResourceExt,
        api::{Patch, PatchParams},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{dns, host::Host, layout, nodes};

/// The name under which the node's program owns fields.
const MANAGER: &str = "lab-node";
const NODE_ROLE: &str = "lab:node";

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
        nodes::apply_server(client, host),
        apply_one::<ClusterRole>(Api::all(client.clone()), "ClusterRole", node_role()),
        apply_one::<ClusterRoleBinding>(
            Api::all(client.clone()),
            "ClusterRoleBinding",
            node_role_binding()
        ),
        apply_one::<StorageClass>(Api::all(client.clone()), "StorageClass", storage_class()),
        in_system,
    )?;
    Ok(())
}

/// Makes one object what it is to be; safe to repeat.
pub(crate) async fn apply_one<K>(api: Api<K>, kind: &str, object: Value) -> Result<(), KubeError>
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

/// What the program of every node does: find the other nodes, keep its volumes.
fn node_role() -> Value {
    let rule = |group: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NODE_ROLE},
        "rules": [
            rule("", "nodes", &["get", "list", "watch"]),
            rule("", "persistentvolumeclaims", &["get", "list", "watch"]),
            rule("", "persistentvolumes", &["get", "list", "watch", "create", "delete"]),
        ],
    })
}

fn node_role_binding() -> Value {
    let api_group = "rbac.authorization.k8s.io";
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NODE_ROLE},
        "roleRef": {"apiGroup": api_group, "kind": "ClusterRole", "name": NODE_ROLE},
        "subjects": [{"apiGroup": api_group, "kind": "Group", "name": layout::NODES_GROUP}],
    })
}

/// A volume is a folder of one node, so its claim waits until a pod is placed.
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
        "volumeBindingMode": "WaitForFirstConsumer",
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
