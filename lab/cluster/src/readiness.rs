//! Waits for a cluster that its provider calls made: asks its API, nobody's log.

use std::time::Duration;

use lab_k8s::{
    Kube,
    readiness::{Told, Workload, nodes_ready, wait_ready},
};
use lab_model::{
    event::{Emitter, Progress},
    progress::{Doing, Step, Task},
};

use crate::ClusterError;

/// Nodes and DNS say something every few seconds while they come up; two busy cores
/// take most of a minute for the longest silence, the start of the network's pods.
const LONGEST_SILENCE: Duration = Duration::from_mins(3);
const SYSTEM: &str = "kube-system";
/// What every provider but `node` has as DNS. Its pods are ready when they answer.
const DNS: &str = "coredns";
/// The namespace that every cluster has, and that `kubectl run` uses unless told another.
pub(crate) const FIRST: &str = "default";

/// Waits until these nodes are Ready, the cluster's DNS is, and a pod can be made.
pub(crate) async fn until_ready(
    kube: &Kube,
    nodes: &[String],
    emitter: &dyn Emitter,
) -> Result<(), ClusterError> {
    let tell = |now: Doing| {
        emitter.progress(Progress {
            task: Task::Cluster,
            now,
            done: 0,
            total: None,
            remaining_seconds: None,
        });
    };
    let dns = [Workload::Deployment(DNS.to_owned())];
    let nodes = nodes_ready(kube, nodes, LONGEST_SILENCE, |node| {
        tell(Doing::NodeIsReady {
            node: node.to_owned(),
        });
    });
    let dns = wait_ready(kube, SYSTEM, &dns, LONGEST_SILENCE, |told| {
        tell(match told {
            Told::Ready(_) => Step::DnsReady.into(),
            Told::Waits(_, why) => Doing::WaitsForDns {
                why: Box::new(why.clone()),
            },
        });
    });
    tokio::try_join!(nodes, dns)?;
    kube.takes_pods(FIRST).await?;
    Ok(())
}
