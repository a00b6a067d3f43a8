//! Measures inference of the deployed model, at the address on loopback.

use std::path::{Path, PathBuf};

use lab_bench::{
    error::BenchError,
    suite::{Bench, Unknown},
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

use crate::{Endpoints, error::RunError, session::Session, telling::Telling};

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

/// Runs a workload against the stack's own server.
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

/// Runs a workload against any server that speaks its protocol, given as
/// `http://host:port`, and emits what it measured, also where it was ended early.
///
/// # Errors
/// When the server does not answer rightly even without load, or the token is
/// cancelled. Errors under load are counted, not returned.
pub async fn measure_at(
    server: &str,
    workload: &Workload,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<BenchmarkSummary, RunError> {
    let bench = Bench {
        workload,
        server,
        pods: &Unknown,
        cancel,
    };
    let telling = Telling::new(workload, server, emitter);
    let measured = telling
        .during(bench.run(|progress| telling.turn(&progress)))
        .await
        .map_err(BenchmarkError::from)?;
    let note = |text| emitter.emit(Fact::Noted { text });
    for failure in &measured.failures {
        let offered = measured.summary.points[failure.window].offered;
        note(format!(
            "{offered}: {} times {}, the first one: {}",
            failure.count, failure.class, failure.example
        ));
    }
    let nothing = measured.summary.points.is_empty() && measured.summary.highest.is_none();
    if !nothing {
        emitter.emit(Fact::BenchmarkFinished(measured.summary.clone()));
    }
    if measured.cancelled {
        return Err(BenchmarkError::from(BenchError::Cancelled).into());
    }
    Ok(measured.summary)
}
