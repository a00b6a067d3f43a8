//! What can be seen of a namespace when something failed: pod states, logs,
//! events. Gathered before anything is removed.

use std::fmt;

use k8s_openapi::{
    api::core::v1::{ContainerStateTerminated, ContainerStatus, Event, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, LogParams},
};
use lab_model::event::Evidence;
use serde::Serialize;

use crate::client::Kube;

/// Lines of a log that are kept.
const LOG_LINES: i64 = 60;

/// Pod states, the logs of pods that are not ready, and the namespace's warnings.
/// Best effort: what cannot be read is left out, for the cause is what matters.
pub async fn of_namespace(kube: &Kube, namespace: &str) -> Vec<Evidence> {
    let pods: Api<Pod> = Api::namespaced(kube.client(), namespace);
    let Ok(list) = pods.list(&ListParams::default()).await else {
        return Vec::new();
    };
    let mut evidence = vec![Evidence {
        source: format!("kubectl -n {namespace} get pods"),
        text: list
            .items
            .iter()
            .map(|pod| PodState::of(pod).to_string())
            .collect::<Vec<_>>()
            .join("\n"),
    }];
    evidence.extend(warnings(kube, namespace).await);
    for pod in list.items.iter().filter(|pod| !is_ready(pod)) {
        evidence.extend(logs(&pods, pod, namespace).await);
    }
    evidence
}

pub(crate) fn is_ready(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    status.and_then(|it| it.phase.as_deref()) == Some("Succeeded")
        || status
            .and_then(|it| it.conditions.as_ref())
            .is_some_and(|all| {
                all.iter()
                    .any(|it| it.type_ == "Ready" && it.status == "True")
            })
}

/// A pod as a person sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PodState {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How many of its containers are ready.
    pub ready: usize,
    /// How many containers it has.
    pub containers: usize,
    /// Its phase: `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// How often its containers were started again.
    pub restarts: i32,
    /// Why its containers wait or failed, and how those before them ended; empty where all
    /// is well.
    pub trouble: String,
}

impl PodState {
    pub(crate) fn of(pod: &Pod) -> Self {
        let status = pod.status.as_ref();
        let phase = status.and_then(|it| it.phase.as_deref());
        let containers = status
            .and_then(|it| it.container_statuses.as_deref())
            .unwrap_or_default();
        let trouble: Vec<_> = containers.iter().filter_map(trouble).collect();
        Self {
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            ready: containers.iter().filter(|it| it.ready).count(),
            containers: containers.len(),
            phase: phase.unwrap_or("Unknown").to_owned(),
            restarts: containers.iter().map(|it| it.restart_count).sum(),
            trouble: trouble.join(", "),
        }
    }
}

/// In one line, without the namespace.
impl fmt::Display for PodState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            ready,
            containers,
            phase,
            restarts,
            trouble,
            ..
        } = self;
        write!(f, "{name} {ready}/{containers} {phase} restarts={restarts}")?;
        if !trouble.is_empty() {
            write!(f, " {trouble}")?;
        }
        Ok(())
    }
}

/// Why a container waits or failed, and how the one before it ended: what `OOMKilled` is told by.
fn trouble(container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref();
    let waits = state
        .and_then(|it| it.waiting.as_ref())
        .and_then(|it| it.reason.clone());
    let failed = state
        .and_then(|it| it.terminated.as_ref())
        .filter(|it| it.exit_code != 0);
    let failed = failed.map(|it| ended(it, ""));
    let last = container.last_state.as_ref();
    let last = last.and_then(|it| it.terminated.as_ref());
    let last = last.map(|it| ended(it, " before"));
    let words: Vec<_> = waits.into_iter().chain(failed).chain(last).collect();
    (!words.is_empty()).then(|| format!("{}: {}", container.name, words.join(", ")))
}

fn ended(container: &ContainerStateTerminated, when: &str) -> String {
    let reason = container.reason.as_deref().unwrap_or("ended");
    format!("{reason}{when}, exit code {}", container.exit_code)
}

async fn warnings(kube: &Kube, namespace: &str) -> Option<Evidence> {
    let events: Api<Event> = Api::namespaced(kube.client(), namespace);
    let list = events
        .list(&ListParams::default().fields("type=Warning"))
        .await
        .ok()?;
    let mut events = list.items;
    events.sort_by_key(|event| first_seen(event).map(|it| it.0));
    let text = events
        .iter()
        .map(|event| {
            let about = &event.involved_object;
            let time = first_seen(event).map_or(String::new(), |it| format!("{} ", it.0));
            format!(
                "{time}{} {} {}: {}",
                about.kind.as_deref().unwrap_or_default(),
                about.name.as_deref().unwrap_or_default(),
                event.reason.as_deref().unwrap_or_default(),
                event.message.as_deref().unwrap_or_default()
            )
        })
        .collect::<Vec<_>>()
        .join("\n");
    (!text.is_empty()).then(|| Evidence {
        source: format!("kubectl -n {namespace} get events"),
        text,
    })
}

/// When an event happened for the first time: of a series the first is the cause.
fn first_seen(event: &Event) -> Option<Time> {
    let exact = event.event_time.as_ref().map(|it| Time(it.0));
    event.first_timestamp.clone().or(exact)
}

async fn logs(pods: &Api<Pod>, pod: &Pod, namespace: &str) -> Vec<Evidence> {
    let name = pod.name_any();
    let spec = pod.spec.as_ref();
    let init = spec
        .and_then(|it| it.init_containers.as_deref())
        .unwrap_or_default();
    let containers = spec.map(|it| it.containers.as_slice()).unwrap_or_default();
    let mut evidence = Vec::new();
    for container in init.iter().chain(containers) {
        let params = LogParams {
            container: Some(container.name.clone()),
            tail_lines: Some(LOG_LINES),
            // So that a reader can put the lines of several pods in order.
            timestamps: true,
            ..LogParams::default()
        };
        if let Ok(text) = pods.logs(&name, &params).await
            && !text.is_empty()
        {
            let source = format!("kubectl -n {namespace} logs {name} -c {}", container.name);
            evidence.push(Evidence { source, text });
        }
    }
    evidence
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_says_why_it_waits_and_how_it_ended_before() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "triton-1"},
            "status": {"phase": "Running", "containerStatuses": [{
                "name": "triton", "image": "x", "imageID": "", "ready": false, "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            }]},
        }))
        .unwrap();

        assert_eq!(
            PodState::of(&pod).to_string(),
            "triton-1 0/1 Running restarts=3 triton: CrashLoopBackOff, OOMKilled before, exit code 137"
        );
    }

    #[test]
    fn a_pod_that_failed_says_how() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "one"},
            "status": {"phase": "Failed", "containerStatuses": [{
                "name": "main", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
            }]},
        }))
        .unwrap();

        assert_eq!(
            PodState::of(&pod).to_string(),
            "one 0/1 Failed restarts=0 main: OOMKilled, exit code 137"
        );
    }

    #[test]
    fn an_event_counts_from_when_it_was_first_seen() {
        let event: Event = serde_json::from_value(json!({
            "metadata": {}, "involvedObject": {},
            "firstTimestamp": "2026-01-15T09:30:00Z", "lastTimestamp": "2026-01-15T09:39:00Z",
        }))
        .unwrap();

        let seen = first_seen(&event).unwrap();

        assert_eq!(seen.0.to_string(), "2026-01-15T09:30:00Z");
    }
}
