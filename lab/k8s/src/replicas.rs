//! How many pods serve behind a Service.

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::Pod,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    client::{Kube, KubeError},
    forward::{Target, places},
};

/// A Deployment whose pods a Service leads to.
#[derive(Clone)]
pub struct Replicas {
    kube: Kube,
    namespace: String,
    deployment: String,
    wanted: u32,
}

impl Replicas {
    /// Those behind a Service. `None` where it has no pod, or one that no Deployment owns.
    ///
    /// # Errors
    /// When the API server does not answer, or does not let this user look.
    pub async fn behind(kube: &Kube, service: &Target) -> Result<Option<Self>, KubeError> {
        let namespace = &service.namespace;
        let Some((pod, _)) = places(kube, service).await?.into_iter().next() else {
            return Ok(None);
        };
        let found = owner(kube, namespace, &pod).await;
        let found = found.map_err(KubeError::doing(format!("find the owner of pod `{pod}`")))?;
        Ok(found.map(|deployment| Self {
            kube: kube.clone(),
            namespace: namespace.clone(),
            wanted: wanted(&deployment),
            deployment: deployment.name_any(),
        }))
    }

    /// The Deployment's name.
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// How many there were to be when this was read.
    pub const fn wanted(&self) -> u32 {
        self.wanted
    }

    /// Asks for so many; that they are ready is not waited for.
    ///
    /// # Errors
    /// When the API server does not answer, or refuses.
    pub async fn ask_for(&self, count: u32) -> Result<(), KubeError> {
        let deployments = Api::namespaced(self.kube.client(), &self.namespace);
        let name = &self.deployment;
        let scaled = scale(&deployments, name, count.into()).await;
        scaled.map_err(KubeError::doing(format!(
            "scale Deployment `{name}` to {count}"
        )))
    }
}

/// Asks for so many replicas of a Deployment.
///
/// # Errors
/// When the API server does not answer, or refuses.
pub async fn scale(deployments: &Api<Deployment>, name: &str, count: i64) -> kube::Result<()> {
    let scale = Patch::Merge(json!({"spec": {"replicas": count}}));
    let params = PatchParams::default();
    deployments.patch_scale(name, &params, &scale).await?;
    Ok(())
}

/// One where nothing is said: Kubernetes' own default.
fn wanted(deployment: &Deployment) -> u32 {
    let said = deployment.spec.as_ref().and_then(|it| it.replicas);
    said.and_then(|it| it.try_into().ok()).unwrap_or(1)
}

/// The Deployment that owns the `ReplicaSet` that owns a pod.
async fn owner(kube: &Kube, namespace: &str, pod: &str) -> kube::Result<Option<Deployment>> {
    let pods: Api<Pod> = Api::namespaced(kube.client(), namespace);
    let Some(set) = owned_by::<ReplicaSet>(&pods.get(pod).await?) else {
        return Ok(None);
    };
    let sets: Api<ReplicaSet> = Api::namespaced(kube.client(), namespace);
    let Some(deployment) = owned_by::<Deployment>(&sets.get(&set).await?) else {
        return Ok(None);
    };
    let deployments: Api<Deployment> = Api::namespaced(kube.client(), namespace);
    deployments.get(&deployment).await.map(Some)
}

/// The name of the owner of a kind.
fn owned_by<K: Resource<DynamicType = ()>>(owned: &impl ResourceExt) -> Option<String> {
    let owners = owned.owner_references().iter();
    let mut named = owners.filter(|it| it.kind == K::kind(&()));
    named.next().map(|it| it.name.clone())
}
