//! One window with what the server says of it.

use std::{sync::Arc, time::Duration};

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

/// Who can be asked about a server.
#[derive(Debug)]
pub(crate) struct Observer<'a> {
    /// `http://host:port`; of gRPC, also `grpc://host:port`.
    pub(crate) server: &'a str,
    /// The model whose statistics the server may keep.
    pub(crate) model: Option<&'a str>,
}

impl Observer<'_> {
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
        window.point.server = before
            .zip(after)
            .and_then(|(before, after)| after.since(&before));
        Ok(window)
    }

    /// `grpc`: whether that is what the server speaks.
    async fn look(&self, grpc: bool) -> Option<Counters> {
        let model = self.model?;
        if grpc {
            return triton::counters_over_grpc(self.server, model, ASIDE).await;
        }
        let client = client(ASIDE).ok()?;
        triton::counters(&client, self.server, model).await
    }
}
