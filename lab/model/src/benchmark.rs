//! What a benchmark measured.

use serde::{Deserialize, Serialize};

/// One point of a closed-loop sweep: a fixed number of connections, each sending
/// its next request when the last was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClosedLoopPoint {
    /// Connections in flight at once.
    pub concurrency: u32,
    /// Answered requests within the measured window.
    pub requests: u64,
    /// Requests that failed or were answered wrongly.
    pub errors: u64,
    /// Length of the measured window, seconds.
    pub seconds: f64,
    /// Correct answers per second.
    pub throughput: f64,
    /// Service time, microseconds.
    pub latency: LatencyMicros,
}

/// Quantiles of a latency distribution, microseconds, read from an HDR histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyMicros {
    /// Median.
    pub p50: u64,
    /// 95th percentile.
    pub p95: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Largest value seen.
    pub max: u64,
}

/// A finished sweep against one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkSummary {
    /// Name of the workload.
    pub workload: String,
    /// What was asked, for example `POST /v2/models/digits/infer`.
    pub target: String,
    /// One point a concurrency, in the order measured.
    pub points: Vec<ClosedLoopPoint>,
}
