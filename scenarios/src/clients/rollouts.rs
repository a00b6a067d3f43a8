//! How Deployments are rolled out, back and to how many pods.

use crate::failure::Failure;
use lab_k8s::{
    k8s_openapi::api::{
        apps::v1::{Deployment, ReplicaSet},
        core::v1::PodTemplateSpec,
    },
    kube::api::{ListParams, PostParams},
    replicas,
};

use super::kubernetes::{Kubernetes, hopeless};

/// Annotation that numbers the `ReplicaSet`s of a Deployment.
const REVISION: &str = "deployment.kubernetes.io/revision";

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
        let found = self.replica_sets().list(&ListParams::default()).await?;
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

    /// Asks for so many pods of a Deployment.
    pub async fn scale(&self, deployment: &str, replicas: i32) -> Result<(), Failure> {
        Ok(replicas::scale(&self.deployments(), deployment, replicas.into()).await?)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
