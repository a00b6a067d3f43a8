//! Measures inference of the deployed model, at the address on loopback.

use std::path::{Path, PathBuf};

use lab_bench::{
    closed_loop::{self, BenchError},
    workload::{Workload, WorkloadError},
};
use lab_cluster::Cluster;
use lab_model::{
    benchmark::BenchmarkSummary,
    event::{Emitter, Fact},
};
use lab_stack::catalogue::LockedStack;
use miette::Diagnostic;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

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

impl BenchmarkError {
    /// Whether the workload or the address is wrong, and not what answers there.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Workload(_) | Self::Bench(BenchError::Target(_)))
    }

    /// Whether the person asked it to end.
    pub(crate) const fn is_interrupted(&self) -> bool {
        matches!(self, Self::Bench(BenchError::Cancelled))
    }
}

/// Reads a workload: by its name under `fixtures/workloads`, or by its `.toml` file.
///
/// # Errors
/// With every problem of the file.
pub fn workload(root: &Path, named: &str) -> Result<Workload, BenchmarkError> {
    let file = Path::new(named);
    let file = if file.extension().is_some_and(|it| it == "toml") {
        PathBuf::from(named)
    } else {
        root.join("fixtures/workloads")
            .join(format!("{named}.toml"))
    };
    Ok(Workload::load(&file)?)
}

/// Runs the workload's sweep against the stack's own server.
///
/// # Errors
/// As [`measure_at`], and when the stack has no server to measure.
pub async fn measure(
    session: &Session<'_>,
    cluster: &Cluster,
    locked: &LockedStack,
    workload: &Workload,
) -> Result<BenchmarkSummary, RunError> {
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
    measure_at(base, workload, &*session.emitter, &session.cancel).await
}

/// Runs the workload's sweep against any server of the Open Inference Protocol v2,
/// given as `http://host:port`, and emits what it measured.
///
/// # Errors
/// When the model does not answer rightly even without load. Errors under load are
/// counted, not returned.
pub async fn measure_at(
    server: &str,
    workload: &Workload,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<BenchmarkSummary, RunError> {
    let target = workload.target(server);
    let measured = closed_loop::run(&target, &workload.sweep, cancel)
        .await
        .map_err(BenchmarkError::from)?;
    for failure in &measured.failures {
        let text = format!(
            "{} at once: {} times {}, the first one: {}",
            failure.concurrency, failure.count, failure.class, failure.example
        );
        emitter.emit(Fact::Noted { text });
    }
    emitter.emit(Fact::BenchmarkFinished(measured.summary.clone()));
    Ok(measured.summary)
}
