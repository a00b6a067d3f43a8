//! How a cluster stands before anything is installed: whether a node takes pods, whether
//! its DNS answers them.

use k8s_openapi::api::core::v1::{Endpoints, Node, Pod};
use kube::{Api, ResourceExt, api::ListParams};
use lab_model::progress::{Doing, Step};

use crate::{
    client::{Kube, KubeError},
    readiness::{hopeless, waits_for},
};

/// Where every Kubernetes has its DNS, and how it is called.
const SYSTEM: &str = "kube-system";
const DNS: &str = "kube-dns";

/// How something of a cluster stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It can be used.
    Ready,
    /// It may become ready; why it is not.
    Waits(Doing),
    /// It never will be; why, in a few words.
    Hopeless(String),
}

impl Kube {
    /// Whether a node takes pods.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn node_standing(&self, name: &str) -> Result<Standing, KubeError> {
        let nodes: Api<Node> = Api::all(self.client());
        let node = nodes.get_opt(name).await;
        let node = node.map_err(KubeError::doing(format!("read Node `{name}`")))?;
        Ok(node_standing(node.as_ref()))
    }

    /// Whether somebody answers for the cluster's DNS.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn dns_standing(&self) -> Result<Standing, KubeError> {
        let doing = || KubeError::doing("look for the cluster's DNS");
        let endpoints: Api<Endpoints> = Api::namespaced(self.client(), SYSTEM);
        let endpoints = endpoints.get_opt(DNS).await.map_err(doing())?;
        if endpoints.is_some_and(|it| has_address(&it)) {
            return Ok(Standing::Ready);
        }
        let pods: Api<Pod> = Api::namespaced(self.client(), SYSTEM);
        let its = ListParams::default().labels(&format!("k8s-app={DNS}"));
        Ok(dns_standing(&pods.list(&its).await.map_err(doing())?.items))
    }
}

fn node_standing(node: Option<&Node>) -> Standing {
    let Some(node) = node else {
        return Standing::Waits(Step::NotJoined.into());
    };
    let status = node.status.as_ref();
    let conditions = status.and_then(|it| it.conditions.as_deref());
    let ready = conditions
        .unwrap_or_default()
        .iter()
        .find(|it| it.type_ == "Ready");
    if ready.is_none_or(|it| it.status != "True") {
        let message = ready.and_then(|it| it.message.clone());
        return Standing::Waits(Doing::NotReady { message });
    }
    let taints = node.spec.as_ref().and_then(|it| it.taints.as_deref());
    let closed = taints
        .unwrap_or_default()
        .iter()
        .find(|it| it.effect.starts_with("NoSchedule"));
    match closed {
        Some(taint) => Standing::Waits(Doing::TakesNoPods {
            taint: taint.key.clone(),
        }),
        None => Standing::Ready,
    }
}

fn has_address(endpoints: &Endpoints) -> bool {
    let subsets = endpoints.subsets.as_deref().unwrap_or_default();
    subsets
        .iter()
        .any(|it| it.addresses.as_ref().is_some_and(|all| !all.is_empty()))
}

/// Of a DNS that nobody answers for yet.
fn dns_standing(pods: &[Pod]) -> Standing {
    if let Some((pod, reason)) = pods.iter().find_map(|pod| Some((pod, hopeless(pod)?))) {
        return Standing::Hopeless(format!("pod {}: {reason}", pod.name_any()));
    }
    let waits = pods.iter().find_map(waits_for);
    Standing::Waits(match waits {
        Some(why) => Doing::WaitsForDns { why: Box::new(why) },
        None => Step::WaitForDns.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(ready: &str, taint: Option<&str>) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": "demo"},
            "spec": {"taints": taint.map(|key| json!([{"key": key, "effect": "NoSchedule"}]))},
            "status": {"conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": ready, "message": "no network"},
            ]},
        }))
        .unwrap()
    }

    fn dns(reason: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "coredns-1"},
            "status": {"containerStatuses": [{
                "name": "coredns", "image": "coredns:1", "imageID": "", "ready": false,
                "restartCount": 0, "state": {"waiting": {"reason": reason, "message": "no host"}},
            }]},
        }))
        .unwrap()
    }

    fn waits(doing: impl Into<Doing>) -> Standing {
        Standing::Waits(doing.into())
    }

    #[test]
    fn a_node_takes_pods_once_it_is_ready_and_open() {
        assert_eq!(node_standing(None), waits(Step::NotJoined));
        let says = |ready, taint| node_standing(Some(&node(ready, taint)));
        let message = Some("no network".to_owned());
        assert_eq!(says("False", None), waits(Doing::NotReady { message }));
        let taint = "new".to_owned();
        assert_eq!(
            says("True", Some("new")),
            waits(Doing::TakesNoPods { taint })
        );
        assert_eq!(says("True", None), Standing::Ready);
    }

    #[test]
    fn dns_needs_an_address_that_is_ready() {
        let endpoints = |subsets| Endpoints {
            subsets: serde_json::from_value(subsets).unwrap(),
            ..Endpoints::default()
        };
        assert!(has_address(&endpoints(
            json!([{"addresses": [{"ip": "10.42.0.2"}]}])
        )));
        let late = json!([{"notReadyAddresses": [{"ip": "10.42.0.2"}]}]);
        assert!(!has_address(&endpoints(late)));
        assert!(!has_address(&endpoints(json!(null))));
    }

    #[test]
    fn dns_without_its_image_is_beyond_hope() {
        assert_eq!(dns_standing(&[]), waits(Step::WaitForDns));
        assert_eq!(
            dns_standing(&[dns("ContainerCreating")]),
            waits(Doing::WaitsForDns {
                why: Box::new(Doing::ContainerWaits {
                    container: "coredns".to_owned(),
                    reason: "ContainerCreating".to_owned(),
                    message: Some("no host".to_owned()),
                })
            })
        );
        assert_eq!(
            dns_standing(&[dns("ErrImagePull")]),
            Standing::Hopeless(
                "pod coredns-1: image `coredns:1` of container `coredns`: ErrImagePull. no host"
                    .to_owned()
            )
        );
    }
}
