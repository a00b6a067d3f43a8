//! What can be seen of a namespace when something failed: pod states, logs,
//! events. Gathered before anything is removed.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{
    Api, ResourceExt,
    api::{ListParams, LogParams},
};
use lab_model::event::Evidence;

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
            .map(describe)
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

/// A pod in one line: name, ready containers, phase, restarts.
pub(crate) fn describe(pod: &Pod) -> String {
    let status = pod.status.as_ref();
    let phase = status
        .and_then(|it| it.phase.as_deref())
        .unwrap_or("Unknown");
    let containers = status
        .and_then(|it| it.container_statuses.as_deref())
        .unwrap_or_default();
    let ready = containers.iter().filter(|it| it.ready).count();
    let restarts: i32 = containers.iter().map(|it| it.restart_count).sum();
    format!(
        "{} {ready}/{} {phase} restarts={restarts}",
        pod.name_any(),
        containers.len()
    )
}

async fn warnings(kube: &Kube, namespace: &str) -> Option<Evidence> {
    let events: Api<Event> = Api::namespaced(kube.client(), namespace);
    let list = events
        .list(&ListParams::default().fields("type=Warning"))
        .await
        .ok()?;
    let text = list
        .items
        .iter()
        .map(|event| {
            let about = &event.involved_object;
            format!(
                "{} {} {}: {}",
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
