//! What the person whose kubeconfig it is may do, asked before anything is made.

use futures::future::try_join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::{Api, api::PostParams};

use crate::client::{Kube, KubeError};

/// Something that is to be done to all things of a kind, in every namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The verb, for example `create`.
    pub verb: &'static str,
    /// The kind's group; empty for Kubernetes' first one.
    pub group: &'static str,
    /// The kind's plural, with its subresource where one is meant: `pods/log`.
    pub resource: &'static str,
}

impl Permission {
    /// Which of `verbs` on `resource` of `group`.
    pub fn each(
        group: &'static str,
        resource: &'static str,
        verbs: &[&'static str],
    ) -> impl Iterator<Item = Self> {
        verbs.iter().map(move |verb| Self {
            verb,
            group,
            resource,
        })
    }
}

impl Kube {
    /// Those of the permissions that this person does not have, as `kubectl auth can-i`
    /// names them.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn lacking(&self, wanted: &[Permission]) -> Result<Vec<String>, KubeError> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client());
        let answers = wanted.iter().map(async |permission| {
            let review = review(*permission);
            reviews.create(&PostParams::default(), &review).await
        });
        let answers = try_join_all(answers)
            .await
            .map_err(KubeError::doing("ask what this user may do"))?;
        let refused = wanted.iter().zip(answers).filter(|(_, answer)| {
            let status = answer.status.as_ref();
            !status.is_some_and(|status| status.allowed)
        });
        Ok(refused.map(|(it, _)| in_words(*it)).collect())
    }
}

fn review(permission: Permission) -> SelfSubjectAccessReview {
    let (resource, subresource) = match permission.resource.split_once('/') {
        Some((resource, part)) => (resource, Some(part.to_owned())),
        None => (permission.resource, None),
    };
    SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: Some(permission.verb.to_owned()),
                group: Some(permission.group.to_owned()),
                resource: Some(resource.to_owned()),
                subresource,
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    }
}

fn in_words(permission: Permission) -> String {
    let Permission {
        verb,
        group,
        resource,
    } = permission;
    match group {
        "" => format!("{verb} {resource}"),
        group => format!("{verb} {resource}.{group}"),
    }
}
