//! What a scenario breaks, and how the cluster is made whole again however it ends.

use std::time::Duration;

use lab_model::fault::Fault;
use tokio::time::Instant;

use crate::{
    failure::Failure,
    lab::{Lab, TRITON},
    poll::{self, Look},
};

/// Longest time in which nothing moves while nodes and their pods come back. A node starts
/// in ten seconds, the pods that were on it in half a minute more, on two busy cores.
const WHOLE_PATIENCE: Duration = Duration::from_mins(2);

/// What the scenario that runs now has changed and not yet changed back.
#[derive(Debug, Default)]
pub(crate) struct Breakage {
    faults: Vec<Fault>,
    /// How many pods Triton had before.
    replicas: Option<i32>,
    /// Pods that stand for nothing but the scenario.
    pods: Vec<String>,
    /// Whether anything was broken at all.
    is_any: bool,
}

impl Lab {
    /// Makes a fault; it is undone at the scenario's end if no step undoes it before.
    pub(crate) async fn inject(&self, fault: Fault) -> Result<(), Failure> {
        let faults = self.env.faults.as_ref();
        let faults = faults.ok_or_else(|| Failure::new("nothing makes faults in this cluster"))?;
        let mut breakage = self.shared.breakage.lock().await;
        breakage.is_any = true;
        breakage.faults.push(fault.clone());
        faults.inject(fault).await
    }

    /// Undoes a fault.
    pub(crate) async fn heal(&self, fault: Fault) -> Result<(), Failure> {
        if let Some(faults) = &self.env.faults {
            faults.heal(fault.clone()).await?;
        }
        let mut breakage = self.shared.breakage.lock().await;
        breakage.faults.retain(|it| *it != fault);
        Ok(())
    }

    /// Gives Triton so many pods until the scenario's end.
    pub(crate) async fn scale_triton(&self, replicas: i32) -> Result<(), Failure> {
        let deployment = self.kubernetes.deployment(TRITON).await?;
        let now = deployment.spec.and_then(|spec| spec.replicas).unwrap_or(1);
        let mut breakage = self.shared.breakage.lock().await;
        breakage.is_any = true;
        breakage.replicas.get_or_insert(now);
        self.kubernetes.scale(TRITON, replicas).await
    }

    /// Removes a pod at the scenario's end.
    pub(crate) async fn remove_afterwards(&self, pod: &str) {
        let mut breakage = self.shared.breakage.lock().await;
        breakage.is_any = true;
        breakage.pods.push(pod.to_owned());
    }

    /// Undoes what the scenario left broken, and waits until the cluster is whole, so that
    /// the next one begins on what it expects.
    pub(crate) async fn make_whole(&self) {
        let breakage = std::mem::take(&mut *self.shared.breakage.lock().await);
        if !breakage.is_any {
            return;
        }
        if let Err(failure) = self.undo(breakage).await {
            // The scenario is over; what is still broken stands in the cluster's lease.
            self.saw("after the scenario", failure.to_string());
        }
    }

    async fn undo(&self, breakage: Breakage) -> Result<(), Failure> {
        for fault in breakage.faults.into_iter().rev() {
            self.heal(fault).await?;
        }
        for pod in breakage.pods {
            self.kubernetes.kill(&pod).await?;
        }
        if let Some(replicas) = breakage.replicas {
            self.kubernetes.scale(TRITON, replicas).await?;
        }
        self.until_whole().await?;
        self.kubernetes.remove_evicted().await
    }

    /// Waits until every node is ready and every Deployment has its pods; how long it took.
    pub(crate) async fn until_whole(&self) -> Result<Duration, Failure> {
        let start = Instant::now();
        poll::while_it_moves("the cluster is whole again", WHOLE_PATIENCE, || async {
            for node in &self.env.nodes {
                if !self.nodes.has(node, "Ready").await? {
                    return Ok(Look::NotYet(format!("node {node} is not ready")));
                }
            }
            let unavailable = self.kubernetes.unavailable().await?;
            Ok(if unavailable.is_empty() {
                Look::Ready(())
            } else {
                Look::NotYet(format!("not available: {}", unavailable.join(", ")))
            })
        })
        .await?;
        Ok(start.elapsed())
    }
}
