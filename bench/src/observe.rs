//! One window with what the server and its pods say of it.

use std::{sync::Arc, time::Duration};

use lab_model::benchmark::PodUsage;

use crate::{
    error::BenchError,
    load::{Course, Phase, Watch},
    measure::Window,
    prepare::client,
    session::Session,
    triton::{self, Counters},
};

/// Time allowed for a question about the server while it is under load.
const ASIDE: Duration = Duration::from_secs(5);

/// What the server's pods have used since they started; where nobody can say, nothing.
pub trait Pods {
    /// CPU time so far and memory now, of each pod.
    fn usage(&self) -> impl Future<Output = Vec<PodUsage>> + Send;
}

/// A server whose pods nobody knows.
#[derive(Debug, Clone, Copy)]
pub struct Unknown;

impl Pods for Unknown {
    async fn usage(&self) -> Vec<PodUsage> {
        Vec::new()
    }
}

/// Who can be asked about a server.
#[derive(Debug)]
pub(crate) struct Observer<'a, P> {
    /// `http://host:port`; of gRPC, also `grpc://host:port`.
    pub(crate) server: &'a str,
    /// The model whose statistics the server may keep.
    pub(crate) model: Option<&'a str>,
    pub(crate) pods: &'a P,
}

/// What was seen at one moment.
struct Seen {
    counters: Option<Counters>,
    pods: Vec<PodUsage>,
}

impl<P: Pods> Observer<'_, P> {
    /// Measures a window, and what the server did in it.
    pub(crate) async fn measure(
        &self,
        session: &Session,
        course: &Course,
        watch: &Arc<Watch>,
    ) -> Result<Window, BenchError> {
        let grpc = session.is_grpc();
        let seen = async {
            watch.reached(Phase::Window).await;
            let before = self.look(grpc).await;
            watch.reached(Phase::Drain).await;
            Ok((before, self.look(grpc).await))
        };
        let (mut window, (before, after)) = tokio::try_join!(session.measure(course, watch), seen)?;
        let counters = before.counters.zip(after.counters);
        window.point.server = counters.and_then(|(before, after)| after.since(&before));
        window.point.pods = used(&before.pods, after.pods);
        Ok(window)
    }

    /// `grpc`: whether that is what the server speaks.
    async fn look(&self, grpc: bool) -> Seen {
        let counters = async {
            if grpc {
                return triton::counters_over_grpc(self.server, self.model?, ASIDE).await;
            }
            let client = client(ASIDE).ok()?;
            triton::counters(&client, self.server, self.model?).await
        };
        let (counters, pods) = tokio::join!(counters, self.pods.usage());
        Seen { counters, pods }
    }
}

/// What each pod used between two looks. A pod that was not there before is left out.
fn used(before: &[PodUsage], after: Vec<PodUsage>) -> Vec<PodUsage> {
    let since = |mut now: PodUsage| {
        let then = before.iter().find(|one| one.pod == now.pod)?;
        now.cpu_seconds -= then.cpu_seconds;
        (now.cpu_seconds >= 0.0).then_some(now)
    };
    after.into_iter().filter_map(since).collect()
}
