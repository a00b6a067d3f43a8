//! What the containers of a workload say, line by line.

use std::collections::BTreeMap;

use futures::{
    AsyncBufReadExt, StreamExt, TryStreamExt, future,
    stream::{self, BoxStream},
};
use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        core::v1::Pod,
    },
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, LogParams},
};

use crate::{
    client::{Kube, KubeError},
    readiness::Workload,
};

/// Which lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRange {
    /// How many of the last lines of each container.
    pub tail: usize,
    /// Whether to go on as lines are written.
    pub follow: bool,
}

/// A line, and who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The line.
    pub text: String,
}

/// Lines as they come.
pub type LogLines = BoxStream<'static, Result<LogLine, KubeError>>;

/// The lines of every container of a workload's pods, container after container; all at
/// once where they are followed. `None` where there is no such workload.
///
/// # Errors
/// When the API server does not answer.
pub async fn of_workload(
    kube: &Kube,
    namespace: &str,
    workload: &Workload,
    range: LogRange,
) -> Result<Option<LogLines>, KubeError> {
    let Some(labels) = labels(kube, namespace, workload).await? else {
        return Ok(None);
    };
    let pods: Api<Pod> = Api::namespaced(kube.client(), namespace);
    let doing = format!("list the pods of a workload in `{namespace}`");
    let list = pods
        .list(&ListParams::default().labels(&selector(&labels)))
        .await;
    let list = list.map_err(KubeError::doing(doing))?;
    let containers = list.iter().flat_map(|pod| {
        let name = pod.name_any();
        containers(pod).map(move |container| (name.clone(), container))
    });
    let containers: Vec<_> = containers.collect();
    let logs = containers
        .into_iter()
        .map(|(pod, container)| of_container(pods.clone(), pod, container, range));
    let logs = future::join_all(logs).await;
    Ok(Some(if range.follow {
        stream::select_all(logs).boxed()
    } else {
        stream::iter(logs).flatten().boxed()
    }))
}

/// The labels that a workload knows its pods by.
async fn labels(
    kube: &Kube,
    namespace: &str,
    workload: &Workload,
) -> Result<Option<BTreeMap<String, String>>, KubeError> {
    let found = match workload {
        Workload::Deployment(name) => {
            let all: Api<Deployment> = Api::namespaced(kube.client(), namespace);
            let found = all.get_opt(name).await;
            found.map(|it| it.map(|it| it.spec.map(|spec| spec.selector)))
        }
        Workload::StatefulSet(name) => {
            let all: Api<StatefulSet> = Api::namespaced(kube.client(), namespace);
            let found = all.get_opt(name).await;
            found.map(|it| it.map(|it| it.spec.map(|spec| spec.selector)))
        }
    };
    let doing = format!("look for a workload in `{namespace}`");
    let found: Option<Option<LabelSelector>> = found.map_err(KubeError::doing(doing))?;
    Ok(found.map(|it| it.and_then(|it| it.match_labels).unwrap_or_default()))
}

fn selector(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

/// Names of a pod's containers, in the order they start.
fn containers(pod: &Pod) -> impl Iterator<Item = String> {
    let spec = pod.spec.clone().unwrap_or_default();
    let all = spec.init_containers.unwrap_or_default().into_iter();
    all.chain(spec.containers).map(|container| container.name)
}

async fn of_container(pods: Api<Pod>, pod: String, container: String, range: LogRange) -> LogLines {
    let params = LogParams {
        container: Some(container.clone()),
        tail_lines: i64::try_from(range.tail).ok(),
        follow: range.follow,
        ..LogParams::default()
    };
    let doing = format!("read the log of `{pod}`");
    let line = move |text| LogLine {
        pod: pod.clone(),
        container: container.clone(),
        text,
    };
    match pods.log_stream(&line(String::new()).pod, &params).await {
        Ok(log) => {
            let lines = log.lines().map_ok(line);
            let failed =
                move |error| KubeError::doing(doing.clone())(kube::Error::ReadEvents(error));
            lines.map_err(failed).boxed()
        }
        // A container that has not started yet has no log, and the API says why.
        Err(kube::Error::Api(answer)) => {
            stream::iter([Ok(line(format!("(no log: {})", answer.message)))]).boxed()
        }
        Err(error) => stream::iter([Err(KubeError::doing(doing)(error))]).boxed(),
    }
}
