//! Measures inference of the deployed model, at the address on loopback.

use std::path::{Path, PathBuf};

use lab_bench::{
    Behind, Server,
    duel::{Compared, Duel, DuelError, Stage},
    error::BenchError,
    suite::{Bench, Measured},
    verdict::{Plan, Side, Step},
    workload::{Protocol, Workload, WorkloadError},
};
use lab_cluster::Cluster;
use lab_model::{
    benchmark::BenchmarkSummary,
    event::{Emitter, Fact, Progress},
    progress::{self, Task},
    remark::Remark,
    stack::Endpoint,
};
use lab_stack::catalogue::LockedStack;
use miette::Diagnostic;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    Endpoints, endpoints::named, error::RunError, server_pods::ServerPods, session::Session,
    telling::Telling,
};

/// The endpoint over which servers tell of themselves and have their models set up.
pub(crate) const REPOSITORY: &str = "triton";

/// The endpoint that answers a workload's requests.
const fn name_of_endpoint(workload: &Workload) -> &'static str {
    match workload.protocol {
        Protocol::V2Grpc => "triton-grpc",
        _ => REPOSITORY,
    }
}

/// The endpoint that answers a workload's requests.
///
/// # Errors
/// When the stack has none.
pub(crate) fn endpoint<'a>(
    locked: &'a LockedStack,
    workload: &Workload,
) -> Result<&'a Endpoint, BenchmarkError> {
    endpoint_named(locked, name_of_endpoint(workload))
}

/// The endpoint of this name.
///
/// # Errors
/// When the stack has none.
pub(crate) fn endpoint_named<'a>(
    locked: &'a LockedStack,
    name: &'static str,
) -> Result<&'a Endpoint, BenchmarkError> {
    named(locked, name).ok_or_else(|| BenchmarkError::NoEndpoint {
        stack: locked.name.clone(),
        endpoint: name,
    })
}

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
    /// Two servers cannot be compared.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Duel(#[from] DuelError),
    /// Nothing in the stack answers inference requests.
    #[error("stack `{stack}` has no endpoint `{endpoint}`")]
    #[diagnostic(
        code(lab::bench::no_endpoint),
        help("`lab status NAME` shows the endpoints")
    )]
    NoEndpoint {
        /// The stack.
        stack: String,
        /// The endpoint that would answer this workload's protocol.
        endpoint: &'static str,
    },
    /// Generators cannot be brought to nodes that lab did not make.
    #[error("generators cannot be brought to the nodes of `{name}`: lab did not make them")]
    #[diagnostic(
        code(lab::bench::nodes_of_others),
        help("`lab bench {name}` measures from this machine, through a port-forward")
    )]
    NodesOfOthers {
        /// The cluster.
        name: String,
    },
}

impl BenchmarkError {
    /// Whether the workload or the address is wrong, and not what answers there.
    pub(crate) const fn is_usage(&self) -> bool {
        match self {
            Self::Workload(_) | Self::NodesOfOthers { .. } | Self::Duel(DuelError::Plan(_)) => true,
            Self::Bench(error) | Self::Duel(DuelError::Bench(error)) => error.is_usage(),
            Self::NoEndpoint { .. } => false,
        }
    }

    /// Whether the person asked it to end.
    pub(crate) const fn is_interrupted(&self) -> bool {
        matches!(
            self,
            Self::Bench(BenchError::Cancelled)
                | Self::Duel(DuelError::Bench(BenchError::Cancelled))
        )
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

/// Runs a workload against the stack's own server. Ends by itself when it is interrupted,
/// so that what was measured by then is told.
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
    let endpoints = session
        .unless_interrupted(Endpoints::open(cluster, locked))
        .await?;
    let server = server(&endpoints, locked, workload)?;
    if endpoints.are_forwarded() {
        session.emitter.emit(Fact::Noted {
            remark: Remark::Forwarded,
        });
    }
    let pods = ServerPods::of(cluster, locked, workload).await?;
    let Session {
        emitter, cancel, ..
    } = session;
    measure_at(&server, Some(&pods), workload, &**emitter, cancel).await
}

/// The stack's own server that speaks the workload's protocol.
///
/// # Errors
/// When the stack has none.
pub fn server(
    endpoints: &Endpoints,
    locked: &LockedStack,
    workload: &Workload,
) -> Result<Server, BenchmarkError> {
    server_of(endpoints, locked, name_of_endpoint(workload))
}

/// The server behind one of the stack's endpoints.
pub(crate) fn server_of(
    endpoints: &Endpoints,
    locked: &LockedStack,
    endpoint: &'static str,
) -> Result<Server, BenchmarkError> {
    let found = endpoints.urls().get(endpoint);
    let url = found.ok_or_else(|| BenchmarkError::NoEndpoint {
        stack: locked.name.clone(),
        endpoint,
    })?;
    Ok(url.as_str().into())
}

/// Compares two servers, and tells how far it is.
///
/// # Errors
/// When one of them cannot be measured, or the plan can come to no verdict.
pub async fn compare(
    duel: &Duel<'_>,
    plan: &Plan,
    calibrates: bool,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<Compared, RunError> {
    let mut counted = 0;
    let told = duel.run(plan, calibrates, cancel, |stage| {
        let (task, step) = match stage {
            Stage::Calibration(step) => (Task::Calibration, step),
            Stage::Comparison(step) => (Task::Comparison, step),
        };
        let now = match step {
            Step::Block { number: 1, .. } => {
                counted = 0;
                return;
            }
            Step::Block { .. } => return,
            Step::Run(Side::A) => progress::Step::FirstServer,
            Step::Run(Side::B) if task == Task::Calibration => progress::Step::FirstServerAgain,
            Step::Run(Side::B) => progress::Step::SecondServer,
            Step::Canary => progress::Step::Canary,
            Step::Done(block) => {
                counted += u64::from(block.pair().is_some());
                return;
            }
        };
        emitter.progress(Progress {
            task,
            now: now.into(),
            done: counted,
            total: u64::try_from(plan.pairs).ok(),
            remaining_seconds: None,
        });
    });
    Ok(told.await.map_err(BenchmarkError::from)?)
}

/// Runs a workload against any server that speaks its protocol, and emits what it measured,
/// also where it was ended early; `behind` knows what is behind its address.
///
/// # Errors
/// When the server does not answer rightly even without load, or the token is
/// cancelled. Errors under load are counted, not returned.
pub async fn measure_at(
    server: &Server,
    behind: Option<&dyn Behind>,
    workload: &Workload,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<BenchmarkSummary, RunError> {
    let bench = Bench {
        workload,
        server,
        behind,
        cancel,
    };
    let telling = Telling::new(workload, server, emitter);
    let measured = telling
        .during(bench.run(|progress| telling.turn(&progress)))
        .await
        .map_err(BenchmarkError::from)?;
    finish(measured, emitter)
}

/// Emits what was measured, also where it was ended early, and gives its figures.
pub(crate) fn finish(
    measured: Measured,
    emitter: &dyn Emitter,
) -> Result<BenchmarkSummary, RunError> {
    for failure in &measured.failures {
        emitter.emit(Fact::Noted {
            remark: Remark::Failures {
                offered: measured.summary.points[failure.window].offered,
                class: failure.class,
                count: failure.count,
                example: failure.example.clone(),
            },
        });
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
