//! The figures of one run: what verdicts count, and the only thing they count.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One of the two things compared: `a` is what there was, `b` what shall come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The older one, against which the other is judged.
    A,
    /// The newer one.
    B,
}

/// What one run of load measured.
///
/// A run is the unit, never the request: requests of one run resemble each other far
/// more than those of the next run do, so that counting them as independent calls
/// nearly every pair of equal servers different.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Right answers per second.
    pub throughput: f64,
    /// Median latency, microseconds.
    pub p50_micros: f64,
    /// 95th percentile of the latency, microseconds.
    pub p95_micros: f64,
    /// 99th percentile of the latency, microseconds.
    pub p99_micros: f64,
    /// Where the server says that the time went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerMicros>,
    /// The load generator's own part of a request, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_micros: Option<f64>,
    /// The run's first answer, from when its connections were begun, microseconds. Never part
    /// of the other figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold_start_micros: Option<f64>,
}

/// Mean time of a request in each part of the server, microseconds, over the run's window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerMicros {
    /// Waiting for its turn.
    pub queue: f64,
    /// Making the inputs ready.
    pub input: f64,
    /// The model's own work.
    pub infer: f64,
    /// Making the outputs ready.
    pub output: f64,
}

/// Why the figures of a run cannot be compared.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{name} is {value}, which no run can have")]
pub struct Unusable {
    pub(super) name: &'static str,
    pub(super) value: f64,
}

impl Sample {
    /// The part of the median latency that neither server nor generator accounts for,
    /// microseconds; none where the server does not tell its own.
    ///
    /// The server tells means, the client a median: under a long tail it comes out low.
    /// Both sides of a comparison share that, and only their difference is used.
    pub fn network_micros(&self) -> Option<f64> {
        let server = self.server?;
        let inside = server.queue + server.input + server.infer + server.output;
        Some(self.p50_micros - inside - self.client_micros.unwrap_or(0.0))
    }

    /// Says whether all figures are such as a run can have.
    ///
    /// # Errors
    /// Fails with the first figure that is not: ratios need rates and latencies above zero.
    pub fn check(&self) -> Result<(), Unusable> {
        let above = [
            ("throughput", self.throughput),
            ("p50", self.p50_micros),
            ("p95", self.p95_micros),
            ("p99", self.p99_micros),
        ];
        let server = self
            .server
            .map_or([0.0; 4], |it| [it.queue, it.input, it.infer, it.output]);
        let from_zero = [
            ("time in the queue", server[0]),
            ("time for the inputs", server[1]),
            ("time in the model", server[2]),
            ("time for the outputs", server[3]),
            ("the generator's time", self.client_micros.unwrap_or(0.0)),
            ("the cold start", self.cold_start_micros.unwrap_or(0.0)),
        ];
        let wrong = above
            .into_iter()
            .find(|(_, value)| !value.is_finite() || *value <= 0.0)
            .or_else(|| {
                from_zero
                    .into_iter()
                    .find(|(_, value)| !value.is_finite() || *value < 0.0)
            });
        match wrong {
            Some((name, value)) => Err(Unusable { name, value }),
            None => Ok(()),
        }
    }
}

/// The two runs of one block.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The run of side `a`.
    pub a: &'a Sample,
    /// The run of side `b`.
    pub b: &'a Sample,
}

impl Pair<'_> {
    /// The same runs with the sides exchanged.
    pub const fn swapped(self) -> Self {
        Self {
            a: self.b,
            b: self.a,
        }
    }
}

/// Pairs runs of one and the same thing with their neighbours in time, for a calibration
/// from runs that were not made as pairs. An odd last run is left out.
pub fn neighbours(runs: &[Sample]) -> Vec<Pair<'_>> {
    let (twos, _) = runs.as_chunks::<2>();
    twos.iter().map(|[a, b]| Pair { a, b }).collect()
}
