//! What a node waits for while it comes up. None of these ends without the thing
//! waited for; whoever made the node sees that it stands still and ends it.

use std::{
    net::Ipv4Addr,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lab_k8s::{
    Kube,
    k8s_openapi::api::{core::v1::Node, rbac::v1::RoleBinding},
    kube::{Api, Client},
};
use tokio::{
    net::{TcpStream, UnixStream},
    time::{sleep, timeout},
};

use crate::{NodeError, layout};

/// How often a socket or an answer is looked for.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Made after every role and every cluster-wide binding.
const LAST_ROLE_BINDING: &str = "system::extension-apiserver-authentication-reader";

/// Waits until something listens on that port of the loopback.
pub(crate) async fn for_port(port: u16) {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .is_err()
    {
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until containerd listens.
pub(crate) async fn for_containerd() {
    while UnixStream::connect(layout::CONTAINERD_SOCKET)
        .await
        .is_err()
    {
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until the API server answers whoever that kubeconfig is of.
pub(crate) async fn for_api(kubeconfig: &str) -> Result<Client, NodeError> {
    let kube = Kube::from_kubeconfig_file(Path::new(kubeconfig)).await?;
    while !matches!(
        timeout(Duration::from_secs(2), kube.version()).await,
        Ok(Ok(_))
    ) {
        sleep(LOOK_EVERY).await;
    }
    Ok(kube.client())
}

/// Waits for the last of the roles that the API server makes when it starts.
pub(crate) async fn for_roles(client: &Client) {
    let bindings = Api::<RoleBinding>::namespaced(client.clone(), "kube-system");
    while !matches!(bindings.get_opt(LAST_ROLE_BINDING).await, Ok(Some(_))) {
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until this node may be read, which is when its role counts.
pub(crate) async fn for_own_node(client: &Client, name: &str) {
    let nodes = Api::<Node>::all(client.clone());
    while nodes.get(name).await.is_err() {
        sleep(LOOK_EVERY * 2).await;
    }
}

/// Waits until the node says, after that moment, that it is Ready and takes pods.
pub(crate) async fn for_ready_node(client: &Client, name: &str, since: SystemTime) {
    let nodes = Api::<Node>::all(client.clone());
    loop {
        if let Ok(node) = nodes.get(name).await
            && takes_pods(&node, since)
        {
            return;
        }
        sleep(LOOK_EVERY * 2).await;
    }
}

/// A node that was away is called Ready for a while; only what its kubelet said since
/// it started counts.
fn takes_pods(node: &Node, since: SystemTime) -> bool {
    let since = since
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.filter(|it| it.type_ == "Ready").any(|ready| {
        let said = ready.last_heartbeat_time.as_ref();
        let said = said.and_then(|time| u64::try_from(time.0.as_second()).ok());
        ready.status == "True" && said.is_some_and(|said| said >= since)
    });
    let tainted = node
        .spec
        .iter()
        .flat_map(|spec| spec.taints.iter().flatten())
        .any(|taint| taint.effect.starts_with("NoSchedule"));
    ready && !tainted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(ready: &str, taint: Option<&str>) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": "demo"},
            "spec": {"taints": taint.map(|effect| json!([{"key": "a", "effect": effect}]))},
            "status": {"conditions": [{
                "type": "Ready", "status": ready, "lastHeartbeatTime": "2026-11-24T14:00:00Z",
            }]},
        }))
        .unwrap()
    }

    #[test]
    fn a_ready_node_without_taints_takes_pods() {
        assert!(takes_pods(&node("True", None), UNIX_EPOCH));
        assert!(!takes_pods(&node("False", None), UNIX_EPOCH));
        assert!(!takes_pods(&node("True", Some("NoSchedule")), UNIX_EPOCH));
    }

    #[test]
    fn what_a_node_said_before_it_started_again_does_not_count() {
        let later = UNIX_EPOCH + Duration::from_secs(1_795_528_801);
        assert!(!takes_pods(&node("True", None), later));
    }
}
