//! Waits for nodes.

use std::{collections::BTreeMap, time::Duration};

use futures::{TryStreamExt, stream::BoxStream};
use k8s_openapi::api::core::v1::Node;
use kube::{
    Api, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use tokio::time::{Instant, timeout_at};

use super::ReadinessError;
use crate::client::Kube;

/// Waits until every one of these nodes says that it is Ready; calls `on_ready` once
/// for each, in the order they become so.
///
/// # Errors
/// When nothing about a node changed for `idle_limit`, or the watch broke.
pub async fn nodes_ready(
    kube: &Kube,
    names: &[String],
    idle_limit: Duration,
    on_ready: impl FnMut(&str),
) -> Result<(), ReadinessError> {
    let nodes: Api<Node> = Api::all(kube.client());
    let changes = watcher(nodes, watcher::Config::default())
        .default_backoff()
        .applied_objects();
    follow(Box::pin(changes), names, idle_limit, on_ready).await
}

async fn follow(
    mut changes: BoxStream<'_, Result<Node, watcher::Error>>,
    names: &[String],
    idle_limit: Duration,
    mut on_ready: impl FnMut(&str),
) -> Result<(), ReadinessError> {
    let mut waiting: BTreeMap<&str, String> = names
        .iter()
        .map(|name| (name.as_str(), "not there".to_owned()))
        .collect();
    let mut deadline = Instant::now() + idle_limit;
    while !waiting.is_empty() {
        let node = match timeout_at(deadline, changes.try_next()).await {
            Err(_) | Ok(Ok(None)) => return Err(stalled(idle_limit, &waiting)),
            Ok(Err(source)) => {
                return Err(ReadinessError::Watch {
                    namespace: "nodes".to_owned(),
                    source: Box::new(source),
                });
            }
            Ok(Ok(Some(node))) => node,
        };
        let name = node.name_any();
        let Some(state) = waiting.get_mut(name.as_str()) else {
            continue;
        };
        match not_ready(&node) {
            None => {
                on_ready(&name);
                waiting.remove(name.as_str());
                deadline = Instant::now() + idle_limit;
            }
            // A node that only says again that it lives is no progress.
            Some(why) if why != *state => {
                *state = why;
                deadline = Instant::now() + idle_limit;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Why the node is not Ready, in its own words; `None` where it is.
fn not_ready(node: &Node) -> Option<String> {
    let conditions = node.status.as_ref().and_then(|it| it.conditions.as_ref());
    let ready = conditions
        .into_iter()
        .flatten()
        .find(|it| it.type_ == "Ready");
    match ready {
        Some(ready) if ready.status == "True" => None,
        Some(ready) => Some(ready.message.clone().unwrap_or_default()),
        None => Some("says nothing of itself".to_owned()),
    }
}

fn stalled(idle: Duration, waiting: &BTreeMap<&str, String>) -> ReadinessError {
    let waiting = waiting
        .iter()
        .map(|(name, why)| format!("node `{name}` ({why})"));
    ReadinessError::Stalled {
        idle,
        waiting: waiting.collect(),
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};
    use serde_json::json;

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    fn node(name: &str, ready: &str, message: &str) -> Node {
        serde_json::from_value(json!({
            "metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": ready, "message": message}]},
        }))
        .unwrap()
    }

    fn names() -> Vec<String> {
        vec!["demo".to_owned(), "demo-worker".to_owned()]
    }

    #[tokio::test]
    async fn every_node_that_is_asked_for_must_be_ready() {
        let changes = stream::iter([
            node("demo", "False", "container runtime network not ready"),
            node("another", "True", ""),
            node("demo", "True", ""),
            node("demo-worker", "True", ""),
        ]);
        let mut told = Vec::new();

        follow(changes.map(Ok).boxed(), &names(), SHORT, |name| {
            told.push(name.to_owned());
        })
        .await
        .unwrap();

        assert_eq!(told, ["demo", "demo-worker"]);
    }

    #[tokio::test]
    async fn a_node_that_only_says_the_same_again_stands_still() {
        let same =
            stream::repeat_with(|| node("demo-worker", "False", "no network")).then(|it| async {
                tokio::time::sleep(SHORT / 20).await;
                it
            });
        let changes = stream::iter([node("demo", "True", "")]).chain(same);

        let ended = follow(changes.map(Ok).boxed(), &names(), SHORT, |_| {}).await;

        assert_eq!(
            ended.unwrap_err().to_string(),
            "nothing changed for 0s while waiting for node `demo-worker` (no network)"
        );
    }
}
