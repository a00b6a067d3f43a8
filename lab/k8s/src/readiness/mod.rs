//! Waits for workloads, following progress.
//!
//! A wait goes on while anything changes, fails when nothing has for a while, and
//! fails at once on a state that cannot get better.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::Pod,
};
use kube::{
    Api, Resource, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use lab_model::progress::Doing;
use miette::Diagnostic;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::client::Kube;

mod admission;
mod hopeless;
mod nodes;

pub(crate) use hopeless::waits_for;
pub use hopeless::{hopeless, unschedulable};
pub use nodes::nodes_ready;

/// A wait for workloads that did not end well.
#[derive(Debug, Error, Diagnostic)]
pub enum ReadinessError {
    /// A pod is in a state that cannot get better.
    #[error("{pod} cannot become ready: {reason}")]
    #[diagnostic(
        code(lab::k8s::hopeless),
        help("the report has the pod's log and events; `lab logs NAME` follows a kept cluster")
    )]
    Hopeless {
        /// The pod.
        pod: String,
        /// Why, in plain words.
        reason: String,
    },
    /// Nothing changed for a while.
    #[error("nothing changed for {}s while waiting for {}", idle.as_secs(), waiting.join(", "))]
    #[diagnostic(
        code(lab::k8s::stalled),
        help("the report has the logs; a machine with less load may be all it needs")
    )]
    Stalled {
        /// How long nothing changed.
        idle: Duration,
        /// What was not ready, with the reason where one is known.
        waiting: Vec<String>,
    },
    /// The watch itself broke.
    #[error("failed to watch `{namespace}`")]
    #[diagnostic(code(lab::k8s::watch))]
    Watch {
        /// The namespace, or `nodes`.
        namespace: String,
        /// The API's answer.
        #[source]
        source: Box<watcher::Error>,
    },
}

/// A workload to wait for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// A Deployment by name.
    Deployment(String),
    /// A StatefulSet by name.
    StatefulSet(String),
}

impl Workload {
    /// Parses `deployment/NAME` or `statefulset/NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("deployment", name) => Some(Self::Deployment(name.to_owned())),
            ("statefulset", name) => Some(Self::StatefulSet(name.to_owned())),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Deployment(name) | Self::StatefulSet(name) => name,
        }
    }

    /// Whether the pod of this name is one of its own.
    fn owns(&self, pod: &str) -> bool {
        let rest = pod.strip_prefix(self.name());
        rest.is_some_and(|rest| rest.starts_with('-'))
    }
}

/// What a wait tells while it goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told<'a> {
    /// The workload is ready.
    Ready(&'a Workload),
    /// A pod of the workload is not, and why: told whenever the reason is another.
    Waits(&'a Workload, &'a Doing),
}

enum Seen {
    Workload(Workload, bool),
    Pod(Box<Pod>),
    PodGone(String),
    Other,
}

/// Waits until every workload is ready; tells each once, in the order they become so, and
/// what the others wait for.
///
/// # Errors
/// [`ReadinessError`], as soon as the wait is known to be in vain.
pub async fn wait_ready(
    kube: &Kube,
    namespace: &str,
    workloads: &[Workload],
    idle_limit: Duration,
    mut tell: impl FnMut(Told<'_>),
) -> Result<(), ReadinessError> {
    let mut seen = stream::select_all([
        watch::<Deployment>(kube, namespace, |it| {
            Seen::Workload(Workload::Deployment(it.name_any()), deployment_ready(&it))
        }),
        watch::<StatefulSet>(kube, namespace, |it| {
            Seen::Workload(
                Workload::StatefulSet(it.name_any()),
                stateful_set_ready(&it),
            )
        }),
        watch_pods(kube, namespace),
    ]);
    let mut pods: BTreeMap<String, Pod> = BTreeMap::new();
    let mut waiting: Vec<&Workload> = workloads.iter().collect();
    let mut reasons: BTreeMap<&Workload, Doing> = BTreeMap::new();
    let mut deadline = Instant::now() + idle_limit;
    while !waiting.is_empty() {
        match timeout_at(deadline, seen.try_next()).await {
            Err(_) => return Err(stalled(idle_limit, &waiting, &pods)),
            Ok(Err(source)) => {
                return Err(ReadinessError::Watch {
                    namespace: namespace.to_owned(),
                    source: Box::new(source),
                });
            }
            Ok(Ok(None | Some(Seen::Other))) => {}
            Ok(Ok(Some(Seen::Workload(workload, ready)))) => {
                deadline = Instant::now() + idle_limit;
                if ready && let Some(at) = waiting.iter().position(|it| **it == workload) {
                    tell(Told::Ready(waiting.swap_remove(at)));
                }
            }
            Ok(Ok(Some(Seen::Pod(pod)))) => {
                deadline = Instant::now() + idle_limit;
                if let Some(reason) = hopeless(&pod) {
                    return Err(ReadinessError::Hopeless {
                        pod: pod.name_any(),
                        reason,
                    });
                }
                let name = pod.name_any();
                // The longest name: `s3` may be one, and `s3-gateway` another.
                let owner = waiting.iter().filter(|it| it.owns(&name));
                if let Some(workload) = owner.max_by_key(|it| it.name().len())
                    && let Some(why) = waits_for(&pod)
                    && reasons.get(workload) != Some(&why)
                {
                    tell(Told::Waits(workload, &why));
                    reasons.insert(workload, why);
                }
                pods.insert(name, *pod);
            }
            Ok(Ok(Some(Seen::PodGone(name)))) => {
                pods.remove(&name);
            }
        }
    }
    Ok(())
}

type SeenStream = futures::stream::BoxStream<'static, Result<Seen, watcher::Error>>;

fn watch<K>(kube: &Kube, namespace: &str, read: fn(K) -> Seen) -> SeenStream
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope>
        + k8s_openapi::Metadata
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + 'static,
    <K as Resource>::DynamicType: Default,
{
    let api: Api<K> = Api::namespaced(kube.client(), namespace);
    watcher(api, watcher::Config::default())
        .default_backoff()
        .applied_objects()
        .map_ok(read)
        .boxed()
}

fn watch_pods(kube: &Kube, namespace: &str) -> SeenStream {
    let api: Api<Pod> = Api::namespaced(kube.client(), namespace);
    watcher(api, watcher::Config::default())
        .default_backoff()
        .map_ok(|event| match event {
            watcher::Event::Apply(pod) | watcher::Event::InitApply(pod) => Seen::Pod(Box::new(pod)),
            watcher::Event::Delete(pod) => Seen::PodGone(pod.name_any()),
            watcher::Event::Init | watcher::Event::InitDone => Seen::Other,
        })
        .boxed()
}

/// Whether a Deployment's newest generation is wholly available.
pub fn deployment_ready(deployment: &Deployment) -> bool {
    let wanted = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1);
    deployment.status.as_ref().is_some_and(|status| {
        status.observed_generation >= deployment.metadata.generation
            && status.updated_replicas.unwrap_or(0) == wanted
            && status.available_replicas.unwrap_or(0) == wanted
            && status.replicas.unwrap_or(0) == wanted
    })
}

/// Whether a StatefulSet's newest generation is wholly ready.
pub fn stateful_set_ready(stateful_set: &StatefulSet) -> bool {
    let wanted = stateful_set
        .spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1);
    stateful_set.status.as_ref().is_some_and(|status| {
        status.observed_generation >= stateful_set.metadata.generation
            && status.ready_replicas.unwrap_or(0) == wanted
            && status.replicas == wanted
    })
}

fn stalled(idle: Duration, waiting: &[&Workload], pods: &BTreeMap<String, Pod>) -> ReadinessError {
    let waiting = waiting
        .iter()
        .map(|workload| {
            let name = workload.name();
            let why = pods
                .iter()
                .find(|(pod, _)| workload.owns(pod))
                .and_then(|(_, pod)| waits_for(pod));
            match why {
                Some(why) => format!("`{name}` ({why})"),
                None => format!("`{name}`"),
            }
        })
        .collect();
    ReadinessError::Stalled { idle, waiting }
}
