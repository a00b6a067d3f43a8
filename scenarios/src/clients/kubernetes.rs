//! What the scenarios need of the Kubernetes API: pods, secrets, and Deployments as they are.

use std::{collections::BTreeMap, fmt};

use crate::failure::Failure;
use lab_k8s::{
    k8s_openapi::api::{
        apps::v1::{Deployment, ReplicaSet},
        core::v1::{Pod, Secret},
    },
    kube::{
        self, Api, Client,
        api::{AttachParams, DeleteParams, ListParams, PostParams},
        core::{Request, Status},
    },
};
use tokio::io::AsyncReadExt as _;

/// A namespace of a cluster.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
    namespace: String,
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Kubernetes {
    /// A namespace, through this client.
    pub fn new(client: Client, namespace: impl Into<String>) -> Self {
        Self {
            client,
            namespace: namespace.into(),
        }
    }

    /// Its pods.
    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(super) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(super) fn replica_sets(&self) -> Api<ReplicaSet> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// A Deployment.
    pub async fn deployment(&self, name: &str) -> Result<Deployment, Failure> {
        Ok(self.deployments().get(name).await?)
    }

    /// The pods that a Deployment selects.
    pub async fn pods_of(&self, deployment: &Deployment) -> Result<Vec<Pod>, Failure> {
        let labels = deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.selector.match_labels.as_ref())
            .ok_or_else(|| Failure::new("the Deployment selects by no labels"))?;
        let selector = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(",");
        let found = self
            .pods()
            .list(&ListParams::default().labels(&selector))
            .await?;
        Ok(found.items)
    }

    /// Kills a pod: no grace, no farewell. One that is gone already is as good.
    pub async fn kill(&self, pod: &str) -> Result<(), Failure> {
        let at_once = DeleteParams::default().grace_period(0);
        match self.pods().delete(pod, &at_once).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what is left of pods that a node gave up.
    pub async fn remove_evicted(&self) -> Result<(), Failure> {
        let failed = ListParams::default().fields("status.phase=Failed");
        for pod in self.pods().list(&failed).await? {
            let reason = pod.status.and_then(|status| status.reason);
            if let (Some(name), Some("Evicted")) = (&pod.metadata.name, reason.as_deref()) {
                self.kill(name).await?;
            }
        }
        Ok(())
    }

    /// What a command in a pod's container wrote.
    pub async fn exec(
        &self,
        pod: &str,
        container: &str,
        command: &[&str],
    ) -> Result<String, Failure> {
        let params = AttachParams::default().container(container).stderr(false);
        let command = command.iter().copied();
        let mut running = self.pods().exec(pod, command, &params).await?;
        let mut told = String::new();
        if let Some(mut output) = running.stdout() {
            output.read_to_string(&mut told).await?;
        }
        running.join().await?;
        Ok(told)
    }

    /// A Secret's entries, as text.
    pub async fn secret(&self, name: &str) -> Result<BTreeMap<String, String>, Failure> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let secret = secrets
            .get(name)
            .await
            .map_err(|error| Failure::from(error).context(format!("Secret `{name}`")))?;
        Ok(secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
            .collect())
    }

    /// Sends a Pod's manifest as it is written, in YAML. The outer error is a
    /// request that was not answered, the inner one the API's refusal.
    pub async fn send_pod(
        &self,
        manifest: &str,
        dry_run: bool,
    ) -> Result<Result<(), Box<Status>>, Failure> {
        let url = format!("/api/v1/namespaces/{}/pods", self.namespace);
        let params = PostParams {
            dry_run,
            ..PostParams::default()
        };
        let mut request = Request::new(url).create(&params, manifest.as_bytes().to_vec())?;
        request
            .headers_mut()
            .insert("content-type", "application/yaml".parse()?);
        match self.client.request_text(request).await {
            Ok(_) => Ok(Ok(())),
            Err(kube::Error::Api(status)) => Ok(Err(status)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Why a pod will not get running by itself, where that is so. Not
/// `lab_k8s::readiness::hopeless`: an evicted pod ends an installation, while here its
/// Deployment makes another; and a task's pod is not given restarts.
pub fn hopeless(pod: &Pod) -> Option<String> {
    unschedulable(pod).or_else(|| {
        let name = pod.metadata.name.as_deref().unwrap_or("?");
        let status = pod.status.as_ref()?;
        let waiting = status
            .init_container_statuses
            .iter()
            .flatten()
            .chain(status.container_statuses.iter().flatten())
            .filter_map(|container| container.state.as_ref()?.waiting.as_ref())
            .find(|waiting| {
                matches!(
                    waiting.reason.as_deref(),
                    Some(
                        "ErrImagePull"
                            | "ImagePullBackOff"
                            | "ErrImageNeverPull"
                            | "InvalidImageName"
                            | "CreateContainerConfigError"
                            | "CrashLoopBackOff"
                    )
                )
            })?;
        Some(format!(
            "pod `{name}`: {}: {}",
            waiting.reason.as_deref().unwrap_or("waiting"),
            waiting.message.as_deref().unwrap_or("no message")
        ))
    })
}

/// The scheduler's words where it found no node for a pod.
pub fn unschedulable(pod: &Pod) -> Option<String> {
    let name = pod.metadata.name.as_deref().unwrap_or("?");
    let condition = pod
        .status
        .as_ref()?
        .conditions
        .iter()
        .flatten()
        .find(|condition| {
            condition.type_ == "PodScheduled"
                && condition.reason.as_deref() == Some("Unschedulable")
        })?;
    Some(format!(
        "pod `{name}` is unschedulable: {}",
        condition.message.as_deref().unwrap_or("no message")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "train-1"}, "status": status})).unwrap()
    }

    #[test]
    fn unschedulable_pod_is_hopeless_in_the_schedulers_words() {
        let pod = pod(&json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient memory."}]}));
        assert_eq!(
            hopeless(&pod).unwrap(),
            "pod `train-1` is unschedulable: 0/1 nodes are available: 1 Insufficient memory."
        );
    }

    #[test]
    fn missing_image_is_hopeless() {
        let pod = pod(&json!({"phase": "Pending", "containerStatuses": [{
            "name": "base", "ready": false, "restartCount": 0, "image": "x", "imageID": "",
            "state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}]}));
        assert_eq!(
            hopeless(&pod).unwrap(),
            "pod `train-1`: ErrImagePull: no such image"
        );
    }

    #[test]
    fn pod_that_starts_is_not_hopeless() {
        let pod = pod(&json!({"phase": "Pending", "containerStatuses": [{
            "name": "base", "ready": false, "restartCount": 0, "image": "x", "imageID": "",
            "state": {"waiting": {"reason": "ContainerCreating"}}}]}));
        assert_eq!(hopeless(&pod), None);
    }
}
