//! Two workers that may be lost without data, each with a pod of Triton.

use std::{collections::BTreeMap, time::Duration};

use lab_k8s::k8s_openapi::api::core::v1::Pod;
use lab_model::fault::Fault;

use crate::{
    failure::{Failure, StepResult},
    lab::{Lab, TRITON},
    poll::{self, Look},
};

/// Longest time until the scheduler has placed a pod.
const PLACED_DEADLINE: Duration = Duration::from_mins(1);

/// Two workers, each with a pod of Triton.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workers {
    /// The one that the fault is in.
    pub(crate) one: String,
    /// The one that goes on.
    pub(crate) other: String,
}

impl Lab {
    /// The first two workers, by name, on which no volume lies: what was on them can be
    /// lost without data.
    pub(crate) async fn workers(&self) -> Result<Workers, Failure> {
        let with_volumes = self.nodes.with_volumes().await?;
        let agents = self.env.nodes.iter().skip(1);
        let mut free = agents.filter(|node| !with_volumes.contains(*node));
        match (free.next(), free.next()) {
            (Some(one), Some(other)) => Ok(Workers {
                one: one.clone(),
                other: other.clone(),
            }),
            _ => Err(Failure::new(format!(
                "two workers without volumes are needed; volumes lie on {with_volumes:?}"
            ))),
        }
    }

    /// Triton's living pods by name, and the nodes they are placed on.
    pub(crate) async fn placement(&self) -> Result<BTreeMap<String, Pod>, Failure> {
        let deployment = self.kubernetes.deployment(TRITON).await?;
        let pods = self.kubernetes.pods_of(&deployment).await?;
        let living = pods
            .into_iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none() && !has_failed(pod));
        Ok(living
            .filter_map(|pod| Some((pod.metadata.name.clone()?, pod)))
            .collect())
    }

    /// Gives each of two workers one pod of Triton, and no other node any.
    pub(crate) async fn place_triton(&self, workers: &Workers) -> StepResult {
        for wanted in [workers.one.as_str(), workers.other.as_str()] {
            let pods = self.placement().await?;
            if pods.values().any(|pod| node_of(pod) == Some(wanted)) {
                continue;
            }
            let others = self.env.nodes.iter().filter(|node| node.as_str() != wanted);
            let closed: Vec<_> = others
                .map(|node| Fault::NodeCordoned { node: node.clone() })
                .collect();
            for fault in &closed {
                self.inject(fault.clone()).await?;
            }
            self.scale_triton(2).await?;
            if pods.len() > 1
                && let Some(surplus) = surplus(&pods, workers)
            {
                self.kubernetes.kill(surplus).await?;
            }
            self.until_on(wanted).await?;
            for fault in closed.into_iter().rev() {
                self.heal(fault).await?;
            }
        }
        self.wait_for_rollout().await
    }

    async fn until_on(&self, node: &str) -> StepResult {
        let what = format!("a pod of Triton on {node}");
        poll::until(&what, PLACED_DEADLINE, || async {
            let pods = self.placement().await?;
            let is_there = pods.values().any(|pod| node_of(pod) == Some(node));
            Ok(if is_there {
                Look::Ready(())
            } else {
                Look::NotYet("it is not placed".to_owned())
            })
        })
        .await
    }
}

/// A pod that was evicted stays in the list.
fn has_failed(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
    phase == Some("Failed")
}

/// The node a pod is placed on.
pub(crate) fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

/// A pod that is on no worker, or on one that has another.
fn surplus<'a>(pods: &'a BTreeMap<String, Pod>, workers: &Workers) -> Option<&'a str> {
    let mut free = vec![workers.one.as_str(), workers.other.as_str()];
    pods.iter().find_map(|(name, pod)| {
        let node = node_of(pod)?;
        match free.iter().position(|it| *it == node) {
            Some(place) => {
                free.swap_remove(place);
                None
            }
            None => Some(name.as_str()),
        }
    })
}

/// For evidence.
pub(crate) fn where_they_are(pods: &BTreeMap<String, Pod>) -> String {
    let lines = pods
        .iter()
        .map(|(name, pod)| format!("{name} on {}", node_of(pod).unwrap_or("no node")));
    lines.collect::<Vec<_>>().join(", ")
}
