//! What nodes tell of themselves: the images they have, and what pods on them use.

use std::{collections::BTreeSet, time::Duration};

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Node;
use kube::{
    Api, ResourceExt,
    api::{GetParams, ListParams},
    core::Request,
};
use lab_model::event::PodSample;
use serde::Deserialize;

use crate::client::{Kube, KubeError};

/// As many images a kubelet tells of, the largest first, unless it is told otherwise.
const TOLD_AT_MOST: usize = 50;

/// The images of a node that takes pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeImages {
    /// The node.
    pub node: String,
    /// Names of its images.
    pub references: BTreeSet<String>,
    /// Whether those are all: a kubelet leaves out the smallest of many.
    pub is_whole: bool,
}

/// What pods use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PodUsage {
    /// Memory that their processes hold, bytes.
    pub memory_bytes: u64,
    /// CPU time since they started, nanoseconds.
    pub cpu_nanoseconds: u64,
}

/// The part of a kubelet's summary that is read.
#[derive(Debug, Deserialize)]
struct Summary {
    #[serde(default)]
    pods: Vec<PodStats>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStats {
    pod_ref: PodRef,
    #[serde(default)]
    containers: Vec<ContainerStats>,
}

#[derive(Debug, Deserialize)]
struct PodRef {
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct ContainerStats {
    memory: Option<Memory>,
    cpu: Option<Cpu>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    rss_bytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cpu {
    usage_core_nano_seconds: Option<u64>,
}

impl Kube {
    /// The images of each node that takes pods, as its kubelet tells them: twice a minute.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn node_images(&self) -> Result<Vec<NodeImages>, KubeError> {
        let nodes: Api<Node> = Api::all(self.client());
        let list = nodes.list(&ListParams::default()).await;
        let list = list.map_err(KubeError::doing("list the nodes"))?;
        Ok(list
            .iter()
            .filter(|it| takes_pods(it))
            .map(images)
            .collect())
    }

    /// What the pods of those namespaces use, as the kubelets of all nodes tell it.
    ///
    /// # Errors
    /// When the API server does not answer, or does not let this user ask kubelets.
    pub async fn pod_usage(&self, namespaces: &[String]) -> Result<PodUsage, KubeError> {
        Ok(sum(&self.summaries().await?, namespaces))
    }

    /// What each pod of a namespace uses, as the kubelets of all nodes tell it.
    ///
    /// # Errors
    /// When the API server does not answer, or does not let this user ask kubelets.
    pub async fn pod_samples(&self, namespace: &str) -> Result<Vec<PodSample>, KubeError> {
        let summaries = self.summaries().await?;
        let pods = summaries.iter().flat_map(|it| &it.pods);
        let ours = pods.filter(|it| it.pod_ref.namespace == namespace);
        Ok(ours.map(sample).collect())
    }

    async fn summaries(&self) -> Result<Vec<Summary>, KubeError> {
        let summaries = self.node_names().await?.into_iter().map(async |node| {
            let stats = Request::new(format!("/api/v1/nodes/{node}/proxy/stats"));
            let request = stats
                .get("summary", &GetParams::default())
                .map_err(kube::Error::BuildRequest)?;
            self.client().request::<Summary>(request).await
        });
        try_join_all(summaries)
            .await
            .map_err(KubeError::doing("ask the kubelets what pods use"))
    }
}

fn takes_pods(node: &Node) -> bool {
    let spec = node.spec.as_ref();
    let is_closed = spec.and_then(|it| it.unschedulable).unwrap_or(false);
    let taints = spec.and_then(|it| it.taints.as_deref()).unwrap_or_default();
    !is_closed && taints.iter().all(|it| it.effect == "PreferNoSchedule")
}

fn images(node: &Node) -> NodeImages {
    let status = node.status.as_ref();
    let images = status.and_then(|it| it.images.as_deref());
    let images = images.unwrap_or_default();
    NodeImages {
        node: node.name_any(),
        references: images
            .iter()
            .flat_map(|it| &it.names)
            .flatten()
            .cloned()
            .collect(),
        is_whole: images.len() < TOLD_AT_MOST,
    }
}

fn sum(summaries: &[Summary], namespaces: &[String]) -> PodUsage {
    let mut usage = PodUsage::default();
    let pods = summaries.iter().flat_map(|it| &it.pods);
    let ours = pods.filter(|it| namespaces.contains(&it.pod_ref.namespace));
    for pod in ours.map(of_pod) {
        usage.memory_bytes += pod.memory_bytes;
        usage.cpu_nanoseconds += pod.cpu_nanoseconds;
    }
    usage
}

/// What the containers of a pod use together.
fn of_pod(pod: &PodStats) -> PodUsage {
    let mut usage = PodUsage::default();
    for container in &pod.containers {
        let memory = container.memory.as_ref().and_then(|it| it.rss_bytes);
        let cpu = container.cpu.as_ref();
        usage.memory_bytes += memory.unwrap_or_default();
        usage.cpu_nanoseconds += cpu
            .and_then(|it| it.usage_core_nano_seconds)
            .unwrap_or_default();
    }
    usage
}

fn sample(pod: &PodStats) -> PodSample {
    let usage = of_pod(pod);
    PodSample {
        namespace: pod.pod_ref.namespace.clone(),
        pod: pod.pod_ref.name.clone(),
        memory_bytes: usage.memory_bytes,
        cpu_seconds: Duration::from_nanos(usage.cpu_nanoseconds).as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(spec: &serde_json::Value, count: usize) -> Node {
        let names =
            |number| json!({"names": [format!("docker.io/lab/x:{number}")], "sizeBytes": 1});
        let images: Vec<_> = (0..count).map(names).collect();
        serde_json::from_value(
            json!({"metadata": {"name": "n"}, "spec": spec, "status": {"images": images}}),
        )
        .unwrap()
    }

    #[test]
    fn a_node_that_takes_no_pods_needs_no_images() {
        let taint = |effect: &str| json!({"taints": [{"key": "k", "effect": effect}]});
        assert!(takes_pods(&node(&json!({}), 0)));
        assert!(takes_pods(&node(&taint("PreferNoSchedule"), 0)));
        assert!(!takes_pods(&node(&taint("NoSchedule"), 0)));
        assert!(!takes_pods(&node(&json!({"unschedulable": true}), 0)));
    }

    #[test]
    fn a_kubelet_with_many_images_does_not_tell_all() {
        let few = images(&node(&json!({}), 2));
        let many = images(&node(&json!({}), 50));

        assert!(few.is_whole && !many.is_whole);
        assert!(few.references.contains("docker.io/lab/x:1"));
    }

    #[test]
    fn only_pods_of_those_namespaces_count() {
        let summary: Summary = serde_json::from_value(json!({
            "node": {"nodeName": "n"},
            "pods": [
                {"podRef": {"name": "a", "namespace": "ours"}, "containers": [
                    {"name": "x", "memory": {"rssBytes": 100}, "cpu": {"usageCoreNanoSeconds": 7}},
                    {"name": "y", "memory": {}, "cpu": {}},
                ]},
                {"podRef": {"name": "b", "namespace": "theirs"}, "containers": [
                    {"name": "x", "memory": {"rssBytes": 900}, "cpu": {"usageCoreNanoSeconds": 9}},
                ]},
            ],
        }))
        .unwrap();

        let alone = sample(&summary.pods[1]);
        let usage = sum(&[summary], &["ours".to_owned()]);

        assert_eq!((alone.pod.as_str(), alone.memory_bytes), ("b", 900));

        assert_eq!(
            usage,
            PodUsage {
                memory_bytes: 100,
                cpu_nanoseconds: 7
            }
        );
    }
}
