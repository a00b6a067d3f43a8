//! Measures inference with the deployed model set up in different ways.

use lab_bench::{
    Server, Usage,
    sweep::{self, Sweep, Variant},
    workload::Workload,
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

use crate::{
    Endpoints,
    benchmark::{measure_at, server, server_of},
    error::RunError,
    server_pods::ServerPods,
    session::Session,
};

/// The endpoint whose model repository sets models up.
const REPOSITORY: &str = "triton";

/// A sweep that could not be made.
#[derive(Debug, Error, Diagnostic)]
pub enum SweepError {
    /// The model cannot be set up in another way.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] sweep::SweepError),
    /// What sets up the model of one pod would miss those of the others.
    #[error("Service `{service}` leads to {pods} pods; a sweep sets up the model of one")]
    #[diagnostic(
        code(lab::bench::several_pods),
        help("`kubectl scale deployment/{service} --replicas=1`, then again")
    )]
    Pods {
        /// The Service.
        service: String,
        /// Its pods that are ready.
        pods: usize,
    },
}

impl SweepError {
    /// Whether the address is wrong, and not what answers there.
    pub(crate) const fn is_usage(&self) -> bool {
        match self {
            Self::Model(sweep::SweepError::Bench(error)) => error.is_usage(),
            Self::Model(sweep::SweepError::Repository(error)) => {
                matches!(error, sweep::RepositoryError::Address { .. })
            }
            Self::Pods { .. } => false,
        }
    }
}

impl From<sweep::SweepError> for RunError {
    fn from(error: sweep::SweepError) -> Self {
        SweepError::from(error).into()
    }
}

/// Runs a workload against the stack's own server, once for each way to set up its model.
///
/// # Errors
/// As [`sweep_at`], and when the stack has no server to measure, or not one pod of it.
pub async fn sweep(
    session: &Session<'_>,
    cluster: &Cluster,
    locked: &LockedStack,
    workload: &Workload,
    variants: &[Variant],
) -> Result<Vec<(Variant, BenchmarkSummary)>, RunError> {
    let pods = ServerPods::of(cluster, locked, workload).await?;
    one(&pods).await?;
    let endpoints = Endpoints::open(cluster, locked).await?;
    let server = server(&endpoints, locked, workload)?;
    let repository = server_of(&endpoints, locked, REPOSITORY)?;
    let sweep = Sweep {
        workload,
        repository: &repository,
        variants,
    };
    let Session {
        emitter, cancel, ..
    } = session;
    sweep_at(&server, Some(&pods), &sweep, &**emitter, cancel).await
}

/// Runs a sweep against any server, and tells how far it is; `usage` knows what the server
/// uses.
///
/// # Errors
/// As [`measure_at`], and when the server does not set its model up.
pub async fn sweep_at(
    server: &Server,
    usage: Option<&dyn Usage>,
    sweep: &Sweep<'_>,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<Vec<(Variant, BenchmarkSummary)>, RunError> {
    let measure = async |workload: &Workload| {
        let text = workload.name.clone();
        emitter.emit(Fact::Noted { text });
        measure_at(server, usage, workload, emitter, cancel).await
    };
    sweep.run(measure).await
}

/// Sees that what sets up the model of one pod sets up all.
async fn one(pods: &ServerPods) -> Result<(), RunError> {
    match pods.count().await? {
        1 => Ok(()),
        count => Err(SweepError::Pods {
            service: pods.service().to_owned(),
            pods: count,
        }
        .into()),
    }
}
