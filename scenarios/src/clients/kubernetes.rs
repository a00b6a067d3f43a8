//! What the scenarios need of the Kubernetes API: rollouts, pods, secrets.

use std::{collections::BTreeMap, fmt};

use crate::failure::Failure;
use lab_k8s::{
    k8s_openapi::api::{
        apps::v1::{Deployment, ReplicaSet},
        core::v1::{Pod, PodTemplateSpec, Secret},
    },
    kube::{
        self, Api, Client,
        api::{AttachParams, DeleteParams, ListParams, Patch, PatchParams, PostParams},
        core::{Request, Status},
    },
};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

/// Annotation that numbers the `ReplicaSet`s of a Deployment.
const REVISION: &str = "deployment.kubernetes.io/revision";

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

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollout {
    /// Every replica is the new one and available, and no old one is left.
    Complete,
    /// Not yet; what is missing.
    Going(String),
    /// It will not get there by itself; why.
    Stuck(String),
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

    fn deployments(&self) -> Api<Deployment> {
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

    /// How far the rollout of a Deployment is.
    pub async fn rollout(&self, name: &str) -> Result<Rollout, Failure> {
        let deployment = self.deployment(name).await?;
        if let Rollout::Complete = rollout_status(&deployment) {
            return Ok(Rollout::Complete);
        }
        let pods = self.pods_of(&deployment).await?;
        if let Some(reason) = pods.iter().find_map(hopeless) {
            return Ok(Rollout::Stuck(reason));
        }
        Ok(rollout_status(&deployment))
    }

    /// Restores the pod template before the current one, as `kubectl rollout undo`
    /// does.
    pub async fn undo_rollout(&self, name: &str) -> Result<(), Failure> {
        let mut deployment = self.deployment(name).await?;
        let mut template = self
            .template_before(&deployment)
            .await?
            .ok_or_else(|| Failure::new(format!("`{name}` has no revision to go back to")))?;
        if let Some(labels) = template
            .metadata
            .as_mut()
            .and_then(|metadata| metadata.labels.as_mut())
        {
            labels.remove("pod-template-hash");
        }
        if let Some(spec) = deployment.spec.as_mut() {
            spec.template = template;
        }
        self.deployments()
            .replace(name, &PostParams::default(), &deployment)
            .await?;
        Ok(())
    }

    /// The pod template before a Deployment's current one.
    pub async fn template_before(
        &self,
        deployment: &Deployment,
    ) -> Result<Option<PodTemplateSpec>, Failure> {
        let replica_sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &self.namespace);
        let found = replica_sets.list(&ListParams::default()).await?;
        let owned = found.items.into_iter().filter(|set| {
            let owners = set.metadata.owner_references.iter().flatten();
            owners
                .map(|owner| &owner.uid)
                .any(|uid| Some(uid) == deployment.metadata.uid.as_ref())
        });
        Ok(before_current(owned)
            .and_then(|set| set.spec)
            .and_then(|spec| spec.template))
    }

    /// Sets an environment variable wherever a Deployment's containers have it, which
    /// rolls it out.
    pub async fn set_env(&self, deployment: &str, name: &str, value: &str) -> Result<(), Failure> {
        let mut changed = self.deployment(deployment).await?;
        let pod = changed
            .spec
            .as_mut()
            .and_then(|spec| spec.template.spec.as_mut());
        let containers = pod.into_iter().flat_map(|pod| {
            pod.init_containers
                .iter_mut()
                .flatten()
                .chain(&mut pod.containers)
        });
        let mut found = false;
        for variable in containers.flat_map(|container| container.env.iter_mut().flatten()) {
            if variable.name == name {
                variable.value = Some(value.to_owned());
                found = true;
            }
        }
        if !found {
            return Err(Failure::new(format!(
                "no container of `{deployment}` has `{name}`"
            )));
        }
        self.deployments()
            .replace(deployment, &PostParams::default(), &changed)
            .await?;
        Ok(())
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

    /// Asks for so many pods of a Deployment.
    pub async fn scale(&self, deployment: &str, replicas: i32) -> Result<(), Failure> {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let params = PatchParams::default();
        self.deployments()
            .patch(deployment, &params, &patch)
            .await?;
        Ok(())
    }

    /// The Deployments that lack available pods.
    pub async fn unavailable(&self) -> Result<Vec<String>, Failure> {
        let all = self.deployments().list(&ListParams::default()).await?;
        let lacking = all
            .items
            .into_iter()
            .filter(|it| rollout_status(it) != Rollout::Complete);
        Ok(lacking.filter_map(|it| it.metadata.name).collect())
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

/// How far a rollout is by what the Deployment says of itself.
fn rollout_status(deployment: &Deployment) -> Rollout {
    let wanted = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1);
    let Some(status) = &deployment.status else {
        return Rollout::Going("not seen yet".to_owned());
    };
    if status.observed_generation < deployment.metadata.generation {
        return Rollout::Going("not seen yet".to_owned());
    }
    let late = status.conditions.iter().flatten().any(|condition| {
        condition.type_ == "Progressing"
            && condition.reason.as_deref() == Some("ProgressDeadlineExceeded")
    });
    if late {
        return Rollout::Stuck("the Deployment's progress deadline has passed".to_owned());
    }
    let updated = status.updated_replicas.unwrap_or(0);
    let available = status.available_replicas.unwrap_or(0);
    let all = status.replicas.unwrap_or(0);
    if updated == wanted && available == wanted && all == wanted {
        Rollout::Complete
    } else {
        Rollout::Going(format!(
            "{updated} of {wanted} updated, {available} available, {all} in all"
        ))
    }
}

/// The `ReplicaSet` before the current one.
fn before_current(sets: impl Iterator<Item = ReplicaSet>) -> Option<ReplicaSet> {
    let mut numbered: Vec<_> = sets
        .filter_map(|set| {
            let revision = set.metadata.annotations.as_ref()?.get(REVISION)?;
            Some((revision.parse::<u64>().ok()?, set))
        })
        .collect();
    numbered.sort_by_key(|(revision, _)| *revision);
    numbered.pop()?;
    numbered.pop().map(|(_, set)| set)
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

    fn deployment(status: &serde_json::Value) -> Deployment {
        serde_json::from_value(json!({"metadata": {"generation": 3},
            "spec": {"replicas": 1, "selector": {}, "template": {}}, "status": status}))
        .unwrap()
    }

    #[test]
    fn rollout_is_complete_only_without_old_replicas() {
        let done = json!({"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1,
            "availableReplicas": 1});
        assert_eq!(rollout_status(&deployment(&done)), Rollout::Complete);
        let old_left = json!({"observedGeneration": 3, "replicas": 2, "updatedReplicas": 1,
            "availableReplicas": 2});
        assert_eq!(
            rollout_status(&deployment(&old_left)),
            Rollout::Going("1 of 1 updated, 2 available, 2 in all".to_owned())
        );
        let stale = json!({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1,
            "availableReplicas": 1});
        assert_eq!(
            rollout_status(&deployment(&stale)),
            Rollout::Going("not seen yet".to_owned())
        );
    }

    #[test]
    fn undo_takes_the_revision_before() {
        let set = |name: &str, revision: &str| -> ReplicaSet {
            serde_json::from_value(json!({"metadata": {"name": name,
                "annotations": {REVISION: revision}}}))
            .unwrap()
        };
        let sets = [set("a", "2"), set("b", "10"), set("c", "9")];
        assert_eq!(
            before_current(sets.into_iter())
                .unwrap()
                .metadata
                .name
                .as_deref(),
            Some("c")
        );
        assert!(before_current([set("a", "1")].into_iter()).is_none());
    }
}
