//! Tells pods that are late from pods that will never come.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use lab_model::progress::Doing;

/// What Kubernetes calls a container that ends again and again.
const CRASH_LOOP: &str = "CrashLoopBackOff";

/// Restarts after which a container that keeps ending is taken for a crash loop:
/// one or two are usual while the services it needs come up.
const CRASH_LOOP_RESTARTS: i32 = 5;

/// Why a pod can never become ready, in plain words; `None` while it still may.
pub fn hopeless(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    if status.reason.as_deref() == Some("Evicted") {
        return Some(format!(
            "evicted: {}",
            status.message.as_deref().unwrap_or("no reason given")
        ));
    }
    statuses(pod).find_map(container_hopeless)
}

/// The scheduler's words when no node can take a pod.
pub fn unschedulable(pod: &Pod) -> Option<&str> {
    pod.status
        .as_ref()?
        .conditions
        .iter()
        .flatten()
        .find(|it| it.type_ == "PodScheduled" && it.reason.as_deref() == Some("Unschedulable"))
        .and_then(|it| it.message.as_deref())
}

/// Why a pod is not ready yet, as short as can be.
pub(crate) fn waits_for(pod: &Pod) -> Option<Doing> {
    if let Some(message) = unschedulable(pod) {
        return Some(message.to_owned().into());
    }
    statuses(pod).filter(|it| !it.ready).find_map(waiting)
}

/// What a container that is not ready does, or waits for.
fn waiting(container: &ContainerStatus) -> Option<Doing> {
    let name = container.name.clone();
    let state = container.state.as_ref()?;
    if state.running.is_some() {
        return Some(Doing::ContainerRuns { container: name });
    }
    let waiting = state.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().unwrap_or("waiting");
    let is_loop = reason == CRASH_LOOP;
    if let Some(ended) = last_end(container).filter(|_| is_loop) {
        return Some(ended);
    }
    Some(Doing::ContainerWaits {
        container: name,
        reason: reason.to_owned(),
        message: waiting.message.clone().filter(|_| !is_loop),
    })
}

/// How a container that was started again ended the last time.
fn last_end(container: &ContainerStatus) -> Option<Doing> {
    let ended = container.last_state.as_ref()?.terminated.as_ref()?;
    // These say no more than the code does.
    let says_more = |reason: &String| !["Error", "Completed"].contains(&reason.as_str());
    Some(Doing::ContainerEnded {
        container: container.name.clone(),
        times: container.restart_count,
        exit_code: ended.exit_code,
        reason: ended.reason.clone().filter(says_more),
    })
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status
        .and_then(|it| it.init_container_statuses.as_deref())
        .unwrap_or_default();
    let main = status
        .and_then(|it| it.container_statuses.as_deref())
        .unwrap_or_default();
    init.iter().chain(main)
}

fn container_hopeless(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let message = waiting.message.as_deref().unwrap_or_default();
    let name = &container.name;
    match reason {
        "ErrImageNeverPull" | "InvalidImageName" | "ErrImagePull" | "ImagePullBackOff" => {
            Some(format!(
                "image `{}` of container `{name}`: {reason}. {message}",
                container.image
            ))
        }
        "CreateContainerError" | "RunContainerError" => {
            Some(format!("container `{name}`: {reason}. {message}"))
        }
        CRASH_LOOP if container.restart_count >= CRASH_LOOP_RESTARTS => Some(format!(
            "container `{name}` ended {} times. {message}",
            container.restart_count
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(status: &serde_json::Value) -> Pod {
        serde_json::from_value(serde_json::json!({"metadata": {"name": "p"}, "status": status}))
            .unwrap()
    }

    fn held(reason: &str, restarts: i32) -> Pod {
        pod(&serde_json::json!({"containerStatuses": [{
            "name": "c", "image": "lab/x:1", "imageID": "", "ready": false,
            "restartCount": restarts,
            "state": {"waiting": {"reason": reason, "message": "words"}},
        }]}))
    }

    #[test]
    fn a_missing_image_is_hopeless() {
        let reason = hopeless(&held("ErrImageNeverPull", 0)).unwrap();
        assert!(reason.contains("lab/x:1"), "{reason}");
    }

    #[test]
    fn a_first_crash_is_not() {
        assert_eq!(hopeless(&held("CrashLoopBackOff", 1)), None);
        assert!(hopeless(&held("CrashLoopBackOff", CRASH_LOOP_RESTARTS)).is_some());
    }

    #[test]
    fn a_pod_that_is_still_starting_is_not() {
        assert_eq!(hopeless(&held("ContainerCreating", 0)), None);
        assert_eq!(hopeless(&pod(&serde_json::json!({}))), None);
    }

    #[test]
    fn says_what_a_pod_waits_for() {
        let state = |state: serde_json::Value| {
            pod(&serde_json::json!({"containerStatuses": [{
                "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 2,
                "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
                "state": state,
            }]}))
        };
        let waiting = |reason: &str| serde_json::json!({"waiting": {"reason": reason}});
        for (pod, expected) in [
            (
                state(serde_json::json!({"running": {}})),
                "container `c` runs and is not ready yet",
            ),
            (
                state(waiting("ContainerCreating")),
                "container `c`: ContainerCreating",
            ),
            (
                state(waiting("CrashLoopBackOff")),
                "container `c`: CrashLoopBackOff, ended 2 times, at last with OOMKilled",
            ),
            (
                held("ImagePullBackOff", 0),
                "container `c`: ImagePullBackOff, words",
            ),
        ] {
            assert_eq!(waits_for(&pod).unwrap().to_string(), expected);
        }
        assert_eq!(waits_for(&pod(&serde_json::json!({}))), None);
    }

    #[test]
    fn reads_the_schedulers_words() {
        let pod = pod(&serde_json::json!({"conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient memory.",
        }]}));
        assert_eq!(
            unschedulable(&pod),
            Some("0/1 nodes are available: 1 Insufficient memory.")
        );
    }
}
