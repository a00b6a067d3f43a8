//! The pods that Airflow runs tasks in, noted while they live.
//!
//! Airflow's Kubernetes executor removes a worker pod when its task is done, so
//! what the pods did can only be told by someone who watched.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::StreamExt as _;
use jiff::Timestamp;
use lab_k8s::{
    k8s_openapi::api::core::v1::Pod,
    kube::runtime::{WatchStreamExt as _, watcher},
};

use crate::clients::kubernetes::{Kubernetes, hopeless, unschedulable};

/// One task's pod, as last seen.
#[derive(Debug, Clone)]
pub(crate) struct TaskPod {
    pub(crate) name: String,
    pub(crate) task: String,
    pub(crate) created: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
    /// Why it will not run, where it will not.
    pub(crate) hopeless: Option<String>,
    /// The scheduler's words where it found no node.
    pub(crate) unschedulable: Option<String>,
}

/// Notes of the pods of one DAG's tasks, by DAG run. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaskPods {
    seen: Arc<Mutex<BTreeMap<String, BTreeMap<String, TaskPod>>>>,
}

impl TaskPods {
    /// Takes notes until dropped.
    pub(crate) async fn watch(self, kubernetes: Kubernetes, dag: &'static str) {
        let config = watcher::Config::default().labels(&format!("dag_id={dag}"));
        let mut changes = watcher(kubernetes.pods(), config)
            .default_backoff()
            .touched_objects()
            .boxed();
        while let Some(change) = changes.next().await {
            match change {
                Ok(pod) => self.note(&pod),
                Err(error) => tracing::debug!(%error, "the watch of task pods broke; it goes on"),
            }
        }
    }

    /// The pods of a DAG run, those created first in front.
    pub(crate) fn of_run(&self, dag_run_id: &str) -> Vec<TaskPod> {
        let mut pods: Vec<TaskPod> = self
            .lock()
            .get(dag_run_id)
            .map(|pods| pods.values().cloned().collect())
            .unwrap_or_default();
        pods.sort_by_key(|pod| pod.created);
        pods
    }

    fn note(&self, pod: &Pod) {
        let Some(run) = airflow_name(pod, "run_id") else {
            return;
        };
        let Some(task) = airflow_name(pod, "task_id") else {
            return;
        };
        let name = pod.metadata.name.clone().unwrap_or_default();
        let note = TaskPod {
            name: name.clone(),
            task,
            created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            finished: finished(pod),
            hopeless: hopeless(pod),
            unschedulable: unschedulable(pod),
        };
        let mut seen = self.lock();
        let pods = seen.entry(run).or_default();
        // The last word on a pod may come when it is deleted, without its end.
        let finished = pods.get(&name).and_then(|before| before.finished);
        let note = TaskPod {
            finished: note.finished.or(finished),
            ..note
        };
        pods.insert(name, note);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, TaskPod>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that Airflow gives its pods: exact in an annotation, and in a label,
/// where it is shortened when Kubernetes would not accept it.
fn airflow_name(pod: &Pod, key: &str) -> Option<String> {
    let metadata = &pod.metadata;
    metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(key))
        .or_else(|| metadata.labels.as_ref()?.get(key))
        .cloned()
}

/// When the pod's main container ended.
fn finished(pod: &Pod) -> Option<Timestamp> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    let ended = containers
        .first()?
        .state
        .as_ref()?
        .terminated
        .as_ref()?
        .finished_at
        .as_ref()?;
    Some(ended.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, task: &str, created: &str, terminated: bool) -> Pod {
        let state = if terminated {
            json!({"terminated": {"exitCode": 0, "finishedAt": "2026-11-22T07:00:09Z"}})
        } else {
            json!({"running": {}})
        };
        serde_json::from_value(json!({
            "metadata": {"name": name, "creationTimestamp": created,
                "annotations": {"run_id": "run+1", "task_id": task},
                "labels": {"run_id": "run-1-a1b2", "task_id": task}},
            "status": {"containerStatuses": [{"name": "base", "ready": false,
                "restartCount": 0, "image": "x", "imageID": "", "state": state}]},
        }))
        .unwrap()
    }

    #[test]
    fn pods_of_a_run_come_in_the_order_they_were_created() {
        let pods = TaskPods::default();
        pods.note(&pod("b", "train", "2026-11-22T07:00:10Z", false));
        pods.note(&pod("a", "validate", "2026-11-22T07:00:00Z", true));

        let tasks: Vec<String> = pods
            .of_run("run+1")
            .into_iter()
            .map(|pod| pod.task)
            .collect();

        assert_eq!(tasks, ["validate", "train"]);
        assert!(pods.of_run("other").is_empty());
    }

    #[test]
    fn an_end_once_seen_is_kept() {
        let pods = TaskPods::default();
        pods.note(&pod("a", "validate", "2026-11-22T07:00:00Z", true));
        pods.note(&pod("a", "validate", "2026-11-22T07:00:00Z", false));
        assert!(pods.of_run("run+1")[0].finished.is_some());
    }
}
