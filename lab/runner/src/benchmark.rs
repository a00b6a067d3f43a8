//! Measures inference of the deployed model, at the address on loopback.

use lab_bench::{
    closed_loop::{self, BenchError},
    workload::{Workload, WorkloadError},
};
use lab_cluster::Cluster;
use lab_model::{benchmark::BenchmarkSummary, event::Fact};
use lab_stack::catalogue::LockedStack;
use miette::Diagnostic;
use thiserror::Error;

use crate::{Endpoints, error::RunError, session::Session};

/// The endpoint that answers inference requests.
const ENDPOINT: &str = "triton";

/// A benchmark that could not be run at all.
#[derive(Debug, Error, Diagnostic)]
pub enum BenchmarkError {
    /// The workload cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Workload(#[from] WorkloadError),
    /// The target cannot be measured.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Bench(#[from] BenchError),
    /// Nothing in the stack answers inference requests.
    #[error("stack `{stack}` has no endpoint `{ENDPOINT}`")]
    #[diagnostic(
        code(lab::bench::no_endpoint),
        help("`lab status NAME` shows the endpoints")
    )]
    NoEndpoint {
        /// The stack.
        stack: String,
    },
}

/// Runs the workload's sweep and emits what it measured.
///
/// # Errors
/// When the workload is malformed or the model does not answer rightly even
/// without load. Errors under load are counted, not returned.
pub async fn measure(
    session: &Session<'_>,
    cluster: &Cluster,
    locked: &LockedStack,
    workload: &str,
) -> Result<BenchmarkSummary, RunError> {
    let file = session
        .workbench
        .root
        .join("fixtures/workloads")
        .join(format!("{workload}.toml"));
    let workload = Workload::load(&file).map_err(BenchmarkError::from)?;
    // Held until all is measured.
    let endpoints = Endpoints::open(cluster, locked).await?;
    let base = endpoints.urls().get(ENDPOINT);
    let base = base.ok_or_else(|| BenchmarkError::NoEndpoint {
        stack: locked.name.clone(),
    })?;
    if endpoints.are_forwarded() {
        let text = "the benchmark goes through a port-forward of the API server, which is part of what it measures";
        session.emitter.emit(Fact::Noted {
            text: text.to_owned(),
        });
    }
    let target = workload.target(base.as_str());
    let measured = closed_loop::run(&target, &workload.sweep, &session.cancel)
        .await
        .map_err(BenchmarkError::from)?;
    for failure in &measured.failures {
        let text = format!(
            "{} at once: {} times {}, the first one: {}",
            failure.concurrency, failure.count, failure.class, failure.example
        );
        session.emitter.emit(Fact::Noted { text });
    }
    session
        .emitter
        .emit(Fact::BenchmarkFinished(measured.summary.clone()));
    Ok(measured.summary)
}
