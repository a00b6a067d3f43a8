//! One window with what the server says of it.

use std::{sync::Arc, time::Duration};

use crate::{
    error::BenchError,
    load::{Course, Phase, Watch},
    measure::Window,
    prepare::client,
    session::Loader,
    triton::{self, Counters},
    workload::{Protocol, Workload},
};

/// Time allowed for a question about the server while it is under load.
const ASIDE: Duration = Duration::from_secs(5);

/// Who can be asked about a server.
#[derive(Debug)]
pub(crate) struct Observer<'a> {
    /// `http://host:port`; of gRPC, also `grpc://host:port`.
    pub(crate) server: &'a str,
    /// The model whose statistics the server may keep.
    pub(crate) model: Option<&'a str>,
    /// Whether it is spoken to over gRPC.
    pub(crate) grpc: bool,
}

impl<'a> Observer<'a> {
    /// Of a server that a workload is offered to.
    pub(crate) fn of(workload: &'a Workload, server: &'a str) -> Self {
        Self {
            server,
            model: workload.protocol.is_v2().then_some(workload.model.as_str()),
            grpc: workload.protocol == Protocol::V2Grpc,
        }
    }

    /// Measures a window, and what the server did in it.
    pub(crate) async fn measure(
        &self,
        loader: &impl Loader,
        course: &Course,
        watch: &Arc<Watch>,
    ) -> Result<Window, BenchError> {
        let seen = async {
            watch.reached(Phase::Window).await;
            let before = self.look().await;
            watch.reached(Phase::Drain).await;
            Ok((before, self.look().await))
        };
        let (mut window, (before, after)) = tokio::try_join!(loader.measure(course, watch), seen)?;
        window.point.server = before
            .zip(after)
            .and_then(|(before, after)| after.since(&before));
        Ok(window)
    }

    async fn look(&self) -> Option<Counters> {
        let model = self.model?;
        if self.grpc {
            return triton::counters_over_grpc(self.server, model, ASIDE).await;
        }
        let client = client(ASIDE).ok()?;
        triton::counters(&client, self.server, model).await
    }
}
