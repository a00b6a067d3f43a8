//! Waits until a namespace takes pods.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use kube::{
    Api, Error,
    api::{ObjectMeta, PostParams},
};

use crate::client::{Kube, KubeError};

/// Between two questions, at first and at most.
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(1);
/// Controllers that wait longer for a processor than this do not get one at all.
const AT_MOST: Duration = Duration::from_mins(1);

impl Kube {
    /// Waits until pods can be made in a namespace.
    ///
    /// A namespace is there a moment before its default ServiceAccount is (and, before
    /// Kubernetes 1.24, that one's token); pods are refused until then. Asked by a dry
    /// run, so nothing is made. A pod that is refused for any other reason, by a policy
    /// for example, ends the wait: those who make real pods are told of it.
    ///
    /// # Errors
    /// When the API server does not answer, or has not made the ServiceAccount after a
    /// minute.
    pub async fn takes_pods(&self, namespace: &str) -> Result<(), KubeError> {
        let container = Container {
            name: "none".to_owned(),
            image: Some("none".to_owned()),
            ..Container::default()
        };
        let pod = Pod {
            metadata: ObjectMeta {
                generate_name: Some("lab-asks-".to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec {
                containers: vec![container],
                ..PodSpec::default()
            }),
            ..Pod::default()
        };
        let pods: Api<Pod> = Api::namespaced(self.client(), namespace);
        let dry_run = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let ask = async || pods.create(&dry_run, &pod).await;
        let patience = ExponentialBuilder::default()
            .with_min_delay(SOONEST)
            .with_max_delay(LATEST)
            .with_total_delay(Some(AT_MOST))
            .without_max_times();
        match ask.retry(patience).when(lacks_account).await {
            Err(error) if lacks_account(&error) || !matches!(error, Error::Api(_)) => Err(
                KubeError::doing(format!("make a pod in `{namespace}`"))(error),
            ),
            _ => Ok(()),
        }
    }
}

/// Whether a pod was refused because its ServiceAccount, or that one's token, is not
/// there yet. Kubernetes has no reason code for it, only these words: "No API token found
/// for service account" (1.20) and "error looking up service account" (all).
fn lacks_account(error: &Error) -> bool {
    match error {
        Error::Api(answer) => answer.message.contains("service account"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn refused(message: &str, reason: &str, code: u16) -> Error {
        Error::Api(Box::new(Status::failure(message, reason).with_code(code)))
    }

    #[test]
    fn what_is_made_in_a_moment_is_waited_for() {
        let no_token = "No API token found for service account \"default\", retry after the \
            token is automatically created and added to the service account";
        let none = "pods \"web\" is forbidden: error looking up service account demo/default: \
            serviceaccount \"default\" not found";
        let quota = "pods \"web\" is forbidden: exceeded quota: few";

        assert!(lacks_account(&refused(no_token, "ServerTimeout", 500)));
        assert!(lacks_account(&refused(none, "Forbidden", 403)));
        assert!(!lacks_account(&refused(quota, "Forbidden", 403)));
    }
}
