//! The proof that a stall is told: a server that stands still, and what arithmetic says
//! the latencies must then be.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, Method};
use lab_model::benchmark::Point;
use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    load::{Arrivals, Course, Pace, Phase, Watch},
    null::NullServer,
    session::Session,
    target::{Expect, Request, Target},
    trust::Trust,
};

const CONNECTIONS: u32 = 8;

/// A stall within an open loop of constant arrivals.
#[derive(Debug, Clone, Copy)]
pub struct Stall {
    /// Requests a second.
    pub rate: f64,
    /// The whole window.
    pub window: Duration,
    /// When, after the window's start, the server stands still.
    pub after: Duration,
    /// For how long.
    pub pause: Duration,
}

/// A quantile, what it must be and what was measured, microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// From 0 to 1.
    pub quantile: f64,
    /// By arithmetic.
    pub expected: f64,
    /// By the engine.
    pub measured: f64,
}

impl Compared {
    /// How far the measured value is from the expected one, as a share of it.
    pub fn error(&self) -> f64 {
        (self.measured - self.expected).abs() / self.expected
    }
}

impl Stall {
    /// Runs it against a null server of its own.
    ///
    /// # Errors
    /// When no server or load can be made.
    pub async fn run(&self) -> Result<(Point, Vec<Compared>), BenchError> {
        let engine = |source| BenchError::Engine { source };
        let server = Arc::new(NullServer::start(Duration::ZERO).map_err(engine)?);
        let session = Session::open(
            &target(&server),
            Duration::from_secs(5),
            &CancellationToken::new(),
        )
        .await?;
        let watch = Arc::new(Watch::default());
        let pause = async {
            watch.reached(Phase::Window).await;
            tokio::time::sleep(self.after).await;
            let (server, pause) = (Arc::clone(&server), self.pause);
            let stopped = tokio::task::spawn_blocking(move || server.stand_still(pause));
            let (began, ended) = stopped
                .await
                .map_err(|source| BenchError::Thread { source })?;
            Ok((ended - began, ended))
        };
        let course = self.course();
        let measured = tokio::try_join!(session.measure(&course, &watch), pause);
        let (window, (paused, ended)) = measured?;
        let capacity = self.capacity(paused, ended, &server.answered());
        let compared = self.compare(&window.point, paused, capacity);
        Ok((window.point, compared))
    }

    fn course(&self) -> Course {
        let arrivals = Arrivals::Constant { rate: self.rate };
        Course {
            pace: Pace::Open {
                arrivals,
                connections: CONNECTIONS,
            },
            warm_up: Duration::from_millis(300),
            settle: Duration::from_millis(300),
            window: self.window,
            timeout: Duration::from_secs(10),
            max_requests: u64::MAX,
            seed: 1,
        }
    }

    /// Answers a second while what had waited was worked off, by the server's own clock.
    ///
    /// Not what it can do at most: after a stop a kernel may run server and generator on
    /// one CPU until it finds that out.
    fn capacity(&self, paused: Duration, ended: Instant, answered: &[Instant]) -> f64 {
        let counted = (1_u32..).zip(answered).map(|(count, at)| {
            let since = at.saturating_duration_since(ended);
            (f64::from(count), since.as_secs_f64())
        });
        let mut drained = counted
            .skip_while(|(count, since)| *count < self.rate * (paused.as_secs_f64() + since));
        let capacity = drained.next().map(|(count, since)| count / since);
        capacity.unwrap_or_default().max(self.rate)
    }

    /// What arrives while the server stands still is answered when it goes on, one after
    /// the other: an arrival `t` after the stop waits for the rest of the pause and for the
    /// `rate * t` before it, `pause - t + rate * t / capacity`. That falls evenly, so a
    /// quantile `q` of all is the pause less `(1 - rate / capacity)` of the time in which a
    /// share `1 - q` of all arrives.
    fn compare(&self, point: &Point, paused: Duration, capacity: f64) -> Vec<Compared> {
        let latency = point.latency;
        let seen = [
            (0.90, latency.p90),
            (0.99, Some(latency.p99)),
            (0.999, latency.p999),
        ];
        let compared = seen.into_iter().filter_map(|(quantile, measured)| {
            let beyond =
                (1.0 - quantile) * self.window.as_secs_f64() * (1.0 - self.rate / capacity);
            Some(Compared {
                quantile,
                expected: 1e6 * (paused.as_secs_f64() - beyond),
                measured: measured?,
            })
        });
        compared.collect()
    }
}

/// The null server, asked for one inference.
pub fn target(server: &NullServer) -> Target {
    Target {
        url: format!("{}/v2/models/null/infer", server.url()),
        trust: Trust::default(),
        method: Method::POST,
        headers: HeaderMap::new(),
        requests: vec![Request {
            headers: HeaderMap::new(),
            body: r#"{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}"#
                .into(),
            label: Some(7),
        }],
        expect: Expect::Same,
        min_agreement_percent: 0,
    }
}
