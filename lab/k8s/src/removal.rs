//! Removes namespaces and what stands beside them by a label, and waits until they are
//! gone. What does not carry the label is not touched.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::{
    core::v1::Namespace,
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ListParams},
    runtime::{WatchStreamExt, watcher, watcher::Event},
};
use miette::Diagnostic;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};

use crate::client::{Kube, KubeError};

/// Kinds without a namespace that are removed by the label; what else has a name of its
/// own goes with its namespace.
pub const BESIDE_NAMESPACES: [&str; 2] = ["ClusterRole", "ClusterRoleBinding"];

/// A server across the world answers a question within a second.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Something with the label is still there.
#[derive(Debug, Error, Diagnostic)]
pub enum RemovalError {
    /// The API does not answer, or refuses.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kube(#[from] KubeError),
    /// The API server takes the question and says nothing.
    #[error("the API server says nothing for {} s", waited.as_secs())]
    #[diagnostic(
        code(lab::k8s::removal_mute),
        help("run the command again when it answers")
    )]
    Mute {
        /// How long it was waited for.
        waited: Duration,
    },
    /// Namespaces do not go.
    #[error("nothing changed for {} s while waiting for the end of {hanging}", idle.as_secs())]
    #[diagnostic(
        code(lab::k8s::removal_stuck),
        help(
            "what a finalizer holds is let go by its controller, or by `kubectl edit`; then run the command again"
        )
    )]
    Stuck {
        /// How long nothing changed.
        idle: Duration,
        /// What is there still, and why.
        hanging: String,
    },
}

impl Kube {
    /// Removes everything that the label selector finds, and waits for its end as long
    /// as something changes. What is not there is success.
    ///
    /// # Errors
    /// When the API server does not answer or refuses, or when something hangs: then with
    /// what Kubernetes says of it.
    pub async fn remove_labelled(
        &self,
        selector: &str,
        idle_limit: Duration,
    ) -> Result<(), RemovalError> {
        let deleting = async {
            // First who may do what, so that nothing ours acts in what is being removed.
            self.delete_all::<ClusterRoleBinding>(selector).await?;
            self.delete_all::<ClusterRole>(selector).await?;
            self.delete_all::<Namespace>(selector).await
        };
        let deleted = timeout(ANSWER_WITHIN, deleting).await;
        deleted.map_err(|_| RemovalError::Mute {
            waited: ANSWER_WITHIN,
        })??;
        self.until_gone(selector, idle_limit).await
    }

    async fn delete_all<K>(&self, selector: &str) -> Result<(), KubeError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let kind = K::kind(&());
        let api: Api<K> = Api::all(self.client());
        let labelled = ListParams::default().labels(selector);
        let found = api.list_metadata(&labelled).await;
        let found = found.map_err(KubeError::doing(format!("list each {kind} of ours")))?;
        for object in found {
            let name = object.name_any();
            match api.delete(&name, &DeleteParams::background()).await {
                // A conflict: it is being removed already.
                Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => {}
                Err(error) => {
                    return Err(KubeError::doing(format!("remove {kind} `{name}`"))(error));
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    async fn until_gone(&self, selector: &str, idle_limit: Duration) -> Result<(), RemovalError> {
        let api: Api<Namespace> = Api::all(self.client());
        let labelled = watcher::Config::default().labels(selector);
        let mut changes = watcher(api, labelled).default_backoff().boxed();
        let mut there: BTreeMap<String, Namespace> = BTreeMap::new();
        let mut deadline = Instant::now() + idle_limit;
        loop {
            let Ok(change) = timeout_at(deadline, changes.try_next()).await else {
                return Err(RemovalError::Stuck {
                    idle: idle_limit,
                    hanging: in_words(&there),
                });
            };
            match change {
                // The watch begins anew by itself; how long it may try, the deadline says.
                Err(error) => tracing::debug!(%error, "watching namespaces"),
                Ok(Some(Event::Init)) => there.clear(),
                Ok(Some(Event::Apply(namespace) | Event::InitApply(namespace))) => {
                    let before = there.insert(namespace.name_any(), namespace.clone());
                    if before.map(|it| it.status) != Some(namespace.status) {
                        deadline = Instant::now() + idle_limit;
                    }
                }
                Ok(Some(Event::Delete(namespace))) => {
                    there.remove(&namespace.name_any());
                    deadline = Instant::now() + idle_limit;
                    if there.is_empty() {
                        return Ok(());
                    }
                }
                Ok(Some(Event::InitDone)) if there.is_empty() => return Ok(()),
                Ok(Some(Event::InitDone) | None) => {}
            }
        }
    }
}

/// Each namespace with what Kubernetes says of its end.
fn in_words(namespaces: &BTreeMap<String, Namespace>) -> String {
    let words: Vec<_> = namespaces.values().map(why).collect();
    if words.is_empty() {
        "namespaces that the API server does not tell of".to_owned()
    } else {
        words.join("; ")
    }
}

fn why(namespace: &Namespace) -> String {
    let name = namespace.name_any();
    let status = namespace.status.as_ref();
    let conditions = status.and_then(|it| it.conditions.as_deref());
    let reasons: Vec<_> = conditions
        .unwrap_or_default()
        .iter()
        .filter(|it| it.status == "True")
        .filter_map(|it| it.message.as_deref())
        .collect();
    let own = namespace.finalizers();
    if !reasons.is_empty() {
        format!("namespace `{name}` ({})", reasons.join(" "))
    } else if !own.is_empty() {
        format!("namespace `{name}` (its finalizers: {})", own.join(", "))
    } else {
        format!("namespace `{name}`")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn namespace(value: &serde_json::Value) -> Namespace {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn what_holds_a_namespace_is_told_in_kubernetes_words() {
        let held = namespace(&json!({
            "metadata": {"name": "mlops"},
            "status": {"phase": "Terminating", "conditions": [
                {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "fine"},
                {"type": "NamespaceFinalizersRemaining", "status": "True",
                 "message": "Some content in the namespace has finalizers remaining: a/b in 1 resource instances"},
            ]},
        }));

        assert_eq!(
            why(&held),
            "namespace `mlops` (Some content in the namespace has finalizers remaining: a/b in 1 resource instances)"
        );
    }

    #[test]
    fn a_finalizer_of_its_own_is_told_too() {
        let held =
            namespace(&json!({"metadata": {"name": "mlops", "finalizers": ["example/hold"]}}));

        assert_eq!(
            why(&held),
            "namespace `mlops` (its finalizers: example/hold)"
        );
    }
}
