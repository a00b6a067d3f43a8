//! One window with what the server says of it.

use std::{
    pin::Pin,
    slice,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use lab_model::benchmark::ServerUse;

use crate::{
    error::BenchError,
    load::{Course, Phase, Watch},
    measure::Window,
    prepare::client,
    server::{Server, Tls},
    session::Loader,
    target::Address,
    triton::{self, Counters},
    workload::{Protocol, Workload},
};

/// What a server has used of its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// CPU time since it started.
    pub cpu: Duration,
    /// Memory it holds, bytes.
    pub memory_bytes: u64,
}

/// Who knows what is behind a server's address.
pub trait Behind: Sync {
    /// What has been used there up to now; `None` where that cannot be told. Asked before
    /// and after a window with its warm-up, never within: asking takes CPU time of the
    /// same machine.
    fn used(&self) -> Pin<Box<dyn Future<Output = Option<Used>> + '_>>;

    /// The servers that answer there in turn, where there are several: each counts only its
    /// own requests. Spoken with over HTTP.
    fn servers(&self) -> &[Server];
}

/// Time allowed for a question about the server while it is under load.
const ASIDE: Duration = Duration::from_secs(5);

/// Who can be asked about a server.
pub(crate) struct Observer<'a> {
    /// The server.
    pub(crate) server: &'a Server,
    /// The model whose statistics the server may keep.
    pub(crate) model: Option<&'a str>,
    /// Whether it is spoken to over gRPC.
    pub(crate) grpc: bool,
    /// Who knows what is behind its address.
    pub(crate) behind: Option<&'a dyn Behind>,
}

impl<'a> Observer<'a> {
    /// Of a server that a workload is offered to.
    pub(crate) fn of(
        workload: &'a Workload,
        server: &'a Server,
        behind: Option<&'a dyn Behind>,
    ) -> Self {
        Self {
            server,
            behind,
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
        let used = self.used().await;
        let began = Instant::now();
        let (mut window, (before, after)) = tokio::try_join!(loader.measure(course, watch), seen)?;
        let length = began.elapsed();
        window.point.used = used
            .zip(self.used().await)
            .map(|(before, after)| in_use(before, after, length));
        window.point.server = before
            .zip(after)
            .and_then(|(before, after)| after.since(&before));
        Ok(window)
    }

    async fn used(&self) -> Option<Used> {
        let read = self.behind?.used();
        tokio::time::timeout(ASIDE, read).await.ok()?
    }

    async fn look(&self) -> Option<Counters> {
        let model = self.model?;
        let several = self.behind.map_or(&[][..], Behind::servers);
        if several.is_empty() && self.grpc {
            return triton::counters_over_grpc(self.server, model, ASIDE).await;
        }
        let servers = match several {
            [] => slice::from_ref(self.server),
            several => several,
        };
        let each = servers
            .iter()
            .map(|server| async { counters(server, model).await.ok_or(()) });
        let counted = try_join_all(each).await.ok()?;
        Some(
            counted
                .into_iter()
                .fold(Counters::default(), Counters::plus),
        )
    }
}

/// What a server has counted, over HTTP.
async fn counters(server: &Server, model: &str) -> Option<Counters> {
    let Server { url, trust } = server;
    let tls = Tls::of(url, &Address::parse(url).ok()?, trust).ok()?;
    let client = client(ASIDE, tls.as_ref()).ok()?;
    triton::counters(&client, server, model).await
}

fn in_use(before: Used, after: Used, length: Duration) -> ServerUse {
    let cpu = after.cpu.saturating_sub(before.cpu);
    ServerUse {
        cores: cpu.as_secs_f64() / length.as_secs_f64(),
        memory_bytes: after.memory_bytes,
    }
}
