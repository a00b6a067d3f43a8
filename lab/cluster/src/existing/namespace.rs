//! Namespaces of our own, and the labels by which what is ours is known.

use std::collections::BTreeMap;

use lab_k8s::{
    Kube, KubeError,
    k8s_openapi::api::core::v1::Namespace,
    kube::{
        Api, Error,
        api::{ObjectMeta, PostParams},
    },
};
use lab_model::name::label;

use super::ExistingError;
use crate::{Cluster, ClusterError, Lease, folder::Folder};

/// Makes a namespace for this cluster, unless it has it: written to the lease first.
/// It takes pods when this is done.
/// Gives the labels that everything in it and for it must carry.
///
/// # Errors
/// When a namespace of that name is somebody else's, or the API server refuses.
pub async fn own_namespace(
    cluster: &Cluster,
    name: &str,
) -> Result<BTreeMap<String, String>, ClusterError> {
    let folder = Folder::of(&cluster.name)?;
    let unknown = || ClusterError::Unknown {
        name: cluster.name.to_string(),
    };
    let lease = folder.lease().ok_or_else(unknown)?;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
    let all: Api<Namespace> = Api::all(kube.client());
    let found = all.get_opt(name).await;
    let found = found.map_err(KubeError::doing(format!("look for namespace `{name}`")))?;
    if let Some(found) = found {
        must_be_ours(&found, name, &lease)?;
        return Ok(labels(&lease));
    }
    folder.change(|lease| {
        let ours = lease.existing.as_mut().map(|it| &mut it.namespaces);
        ours.is_some_and(|ours| {
            if !ours.iter().any(|it| it == name) {
                ours.push(name.to_owned());
            }
            true
        })
    })?;
    let namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels(&lease)),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    match all.create(&PostParams::default(), &namespace).await {
        Err(Error::Api(answer)) if answer.is_already_exists() => {
            // Somebody was quicker by a moment.
            let found = all.get(name).await;
            let found = found.map_err(KubeError::doing(format!("read namespace `{name}`")))?;
            must_be_ours(&found, name, &lease)?;
        }
        Err(error) => {
            return Err(KubeError::doing(format!("make namespace `{name}`"))(error).into());
        }
        Ok(_) => {}
    }
    kube.takes_pods(name).await?;
    Ok(labels(&lease))
}

/// The labels of everything that a lease answers for. The owner tells it from what
/// another person's cluster of the same name has.
pub(super) fn labels(lease: &Lease) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (label::CLUSTER.to_owned(), lease.cluster.to_string()),
        (label::OWNER.to_owned(), as_label(&lease.owner)),
    ]);
    if let Some(run) = &lease.run {
        labels.insert(label::RUN.to_owned(), run.to_string());
    }
    labels
}

/// What selects everything that a lease answers for, and nothing else.
pub(super) fn selector(lease: &Lease) -> String {
    let labels = labels(lease);
    let terms: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    terms.join(",")
}

/// Kubernetes allows no colons in labels.
fn as_label(owner: &str) -> String {
    owner.replace(':', ".")
}

fn must_be_ours(found: &Namespace, name: &str, lease: &Lease) -> Result<(), ExistingError> {
    let none = BTreeMap::new();
    let there = found.metadata.labels.as_ref().unwrap_or(&none);
    let is_ours = labels(lease)
        .iter()
        .all(|(key, value)| there.get(key) == Some(value));
    if is_ours {
        return Ok(());
    }
    let whose = match there.get(label::CLUSTER) {
        Some(other) => format!("it belongs to another lab's cluster `{other}`"),
        None => "it has no label of lab".to_owned(),
    };
    let existing = lease.existing.as_ref();
    Err(ExistingError::ForeignNamespace {
        namespace: name.to_owned(),
        context: existing.map(|it| it.context.clone()).unwrap_or_default(),
        whose,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::tests::kept;

    fn namespace(labels: BTreeMap<String, String>) -> Namespace {
        Namespace {
            metadata: ObjectMeta {
                labels: Some(labels),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        }
    }

    #[test]
    fn labels_are_what_kubernetes_allows() {
        let mut lease = kept();
        lease.owner = "4194304:999999999999:6f0dfe1c-3f4c-4a47-a4f4-0c9f0e3c9f0e".into();

        for (key, value) in labels(&lease) {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            assert!(
                value.len() <= 63 && value.chars().all(fits),
                "{key}={value}"
            );
        }
        assert!(
            selector(&lease).starts_with("lab.cluster=demo,lab.owner=4194304."),
            "{}",
            selector(&lease)
        );
    }

    #[test]
    fn a_cluster_of_the_same_name_is_still_anothers() {
        let ours = kept();
        let mut theirs = kept();
        theirs.owner = "7:7:their-boot".to_owned();

        must_be_ours(&namespace(labels(&ours)), "n", &ours).unwrap();
        let error = must_be_ours(&namespace(labels(&theirs)), "n", &ours).unwrap_err();

        assert!(
            error.to_string().ends_with("another lab's cluster `demo`"),
            "{error}"
        );
        must_be_ours(&namespace(BTreeMap::new()), "n", &ours).unwrap_err();
    }
}
