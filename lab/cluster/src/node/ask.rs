//! Waits for a node by asking the API of its cluster, where the node does not say
//! itself that it is ready.

use std::time::Duration;

use lab_engine::Engine;
use lab_k8s::{Kube, KubeError, evidence, standing::Standing};
use lab_model::{
    event::{Emitter, Fact, Progress},
    name::ClusterName,
    progress::{Doing, Step, Task},
    stage::Stage,
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    kubeconfig, list, names,
    watch::{self, Seen},
};
use crate::ClusterError;

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A server that comes up may take a request and leave it lying.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Where the cluster's own pods are.
const SYSTEM: &str = "kube-system";

/// A node whose cluster is asked for it.
pub(super) struct Asking<'a> {
    pub(super) engine: &'a Engine,
    pub(super) cluster: &'a ClusterName,
    pub(super) container: &'a str,
    pub(super) emitter: &'a dyn Emitter,
}

impl Asking<'_> {
    /// Waits until the node is Ready, and with the server the cluster's DNS; or until
    /// the node ends, stands still, or is beyond hope.
    pub(super) async fn until_ready(&self) -> Result<(), ClusterError> {
        let seen = tokio::select! {
            seen = self.follow(watch::LONGEST_STEP) => seen,
            end = watch::until_end(self.engine, self.container) => end?,
        };
        seen.conclude(self.engine, self.container, self.emitter)
            .await
    }

    /// Goes on as long as the answer changes.
    async fn follow(&self, longest_step: Duration) -> Seen {
        let mut kube = None;
        let mut last = None;
        let mut deadline = Instant::now() + longest_step;
        loop {
            let now = match timeout(ANSWER_WITHIN, self.look(&mut kube)).await {
                Ok(Standing::Ready) => return Seen::Ready,
                Ok(Standing::Hopeless(reason)) => {
                    self.keep_evidence(kube.as_ref()).await;
                    return Seen::Hopeless(reason);
                }
                Ok(Standing::Waits(doing)) => doing,
                Err(_) => Step::ApiServerSlow.into(),
            };
            if last.as_ref() != Some(&now) {
                self.tell(now.clone());
                last = Some(now);
                deadline = Instant::now() + longest_step;
            }
            if Instant::now() > deadline {
                self.keep_evidence(kube.as_ref()).await;
                return Seen::Nothing;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self, kube: &mut Option<Kube>) -> Standing {
        if kube.is_none() {
            *kube = self.connect().await;
        }
        let Some(kube) = kube else {
            return Standing::Waits(Step::NoKubeconfig.into());
        };
        self.ask(kube).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "no answer yet");
            Standing::Waits(Step::ApiServerSilent.into())
        })
    }

    async fn connect(&self) -> Option<Kube> {
        let port = list::api_port(self.engine, self.cluster).await.ok()?;
        let read = kubeconfig::read(self.engine, self.cluster, port).await;
        Kube::from_kubeconfig(read.ok()?).await.ok()
    }

    /// DNS is the server's: the pods of others need only a Ready node.
    async fn ask(&self, kube: &Kube) -> Result<Standing, KubeError> {
        let node = kube.node_standing(&names::node_of(self.container)).await?;
        let is_server = self.container == names::container(self.cluster);
        if node != Standing::Ready || !is_server {
            return Ok(node);
        }
        kube.dns_standing().await
    }

    fn tell(&self, now: Doing) {
        self.emitter.progress(Progress {
            task: Task::Node {
                name: names::node_of(self.container),
            },
            now,
            done: 0,
            total: None,
            remaining_seconds: None,
        });
    }

    async fn keep_evidence(&self, kube: Option<&Kube>) {
        let Some(kube) = kube else { return };
        let gathering = evidence::of_namespace(kube, SYSTEM);
        for evidence in timeout(ANSWER_WITHIN, gathering).await.unwrap_or_default() {
            self.emitter.emit(Fact::EvidenceCollected {
                stage: Stage::Provision,
                evidence,
            });
        }
    }
}
