//! Measures inference with the deployed model served in different ways.

use std::time::Duration;

use lab_bench::{
    Behind, Server,
    sweep::{self, Place, Sweep, Variant},
    workload::Workload,
};
use lab_cluster::Cluster;
use lab_k8s::{
    readiness::{self, Told, wait_ready},
    replicas::Replicas,
};
use lab_model::{
    benchmark::BenchmarkSummary,
    event::{Emitter, Fact, Progress},
    progress::Task,
};
use lab_stack::catalogue::LockedStack;
use miette::Diagnostic;
use thiserror::Error;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    Endpoints,
    benchmark::{REPOSITORY, measure_at, server, server_of},
    error::RunError,
    server_pods::ServerPods,
    session::Session,
};

/// Longest time in which nothing changes while servers start or end.
const IDLE: Duration = Duration::from_mins(2);
/// Until kube-proxy sends connections to the pods there are now: it follows within a second.
const PROXIED: Duration = Duration::from_secs(2);

/// A sweep that could not be made.
#[derive(Debug, Error, Diagnostic)]
pub enum SweepError {
    /// The model cannot be served in another way.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] sweep::SweepError),
    /// Nothing owns the servers that could be told how many are wanted.
    #[error("no Deployment is behind Service `{service}` that could have other replicas")]
    #[diagnostic(
        code(lab::bench::no_deployment),
        help("`lab status NAME` shows the pods; leave `--replicas` out")
    )]
    NoDeployment {
        /// The Service.
        service: String,
    },
    /// An address is one server.
    #[error("`{server}` is an address: how many servers are behind it is not lab's to say")]
    #[diagnostic(
        code(lab::bench::replicas_of_address),
        help("`--replicas` needs a cluster's name; leave it out")
    )]
    ReplicasOfAddress {
        /// The address.
        server: String,
    },
}

impl SweepError {
    /// Whether the command line is wrong, and not what answers there.
    pub(crate) const fn is_usage(&self) -> bool {
        match self {
            Self::ReplicasOfAddress { .. } | Self::Model(sweep::SweepError::Workload(_)) => true,
            Self::Model(sweep::SweepError::Bench(error)) => error.is_usage(),
            Self::Model(sweep::SweepError::Repository(error)) => {
                matches!(error, sweep::RepositoryError::Address { .. })
            }
            Self::Model(sweep::SweepError::NoServers { .. }) | Self::NoDeployment { .. } => false,
        }
    }
}

impl From<sweep::SweepError> for RunError {
    fn from(error: sweep::SweepError) -> Self {
        SweepError::from(error).into()
    }
}

/// What each way brought.
pub type Swept = Vec<(Variant, BenchmarkSummary)>;

/// Runs a workload against the stack's own server, once for each way to serve its model.
///
/// # Errors
/// As [`measure_at`]; when the stack has no server to measure, its model cannot be set up,
/// or there cannot be as many replicas.
pub async fn sweep(
    session: &Session<'_>,
    cluster: &Cluster,
    locked: &LockedStack,
    sweep: &Sweep<'_>,
) -> Result<Swept, RunError> {
    // Held until all is measured.
    let endpoints = Endpoints::open(cluster, locked).await?;
    let pods = ServerPods::of(cluster, locked, sweep.workload).await?;
    let replicas = if sweep.scales() {
        Some(replicas_of(&pods).await?)
    } else {
        None
    };
    let mut place = Stack {
        session,
        server: server(&endpoints, locked, sweep.workload)?,
        repository: server_of(&endpoints, locked, REPOSITORY)?,
        asked_for: replicas.as_ref().map(Replicas::wanted),
        replicas,
        pods,
    };
    sweep.run(&mut place).await
}

async fn replicas_of(pods: &ServerPods) -> Result<Replicas, RunError> {
    let found = pods.replicas().await?;
    found.ok_or_else(|| {
        let service = pods.service().service.clone();
        SweepError::NoDeployment { service }.into()
    })
}

/// Runs a sweep against one server, and tells how far it is.
///
/// # Errors
/// As [`measure_at`], and when the server does not set its model up.
pub async fn sweep_at(
    server: &Server,
    sweep: &Sweep<'_>,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<Swept, RunError> {
    if sweep.scales() {
        let server = server.url.clone();
        return Err(SweepError::ReplicasOfAddress { server }.into());
    }
    let mut place = Address {
        server,
        emitter,
        cancel,
    };
    sweep.run(&mut place).await
}

/// Tells which way is measured next.
fn note(workload: &Workload, emitter: &dyn Emitter) {
    let remark = workload.name.clone().into();
    emitter.emit(Fact::Noted { remark });
}

/// One server.
struct Address<'a> {
    server: &'a Server,
    emitter: &'a dyn Emitter,
    cancel: &'a CancellationToken,
}

impl Place for Address<'_> {
    type Figures = BenchmarkSummary;
    type Error = RunError;

    async fn scale(&mut self, _: Option<u32>) -> Result<Vec<Server>, RunError> {
        Ok(vec![self.server.clone()])
    }

    async fn measure(&mut self, workload: &Workload) -> Result<BenchmarkSummary, RunError> {
        note(workload, self.emitter);
        measure_at(self.server, None, workload, self.emitter, self.cancel).await
    }
}

/// The servers of a stack on a cluster.
struct Stack<'a> {
    session: &'a Session<'a>,
    server: Server,
    repository: Server,
    pods: ServerPods,
    /// What says how many servers there are, where that is varied.
    replicas: Option<Replicas>,
    /// How many it was asked for last.
    asked_for: Option<u32>,
}

impl Place for Stack<'_> {
    type Figures = BenchmarkSummary;
    type Error = RunError;

    async fn scale(&mut self, count: Option<u32>) -> Result<Vec<Server>, RunError> {
        if let Some(replicas) = self.replicas.clone() {
            let wanted = count.unwrap_or(replicas.wanted());
            if self.asked_for.replace(wanted) != Some(wanted) {
                replicas.ask_for(wanted).await?;
                let ready = self.ready(&replicas);
                match count {
                    Some(_) => self.session.unless_interrupted(ready).await?,
                    // As it was, whoever asks for an end.
                    None => ready.await?,
                }
                self.pods.find().await?;
            }
        }
        Ok(match self.pods.servers() {
            [] => vec![self.repository.clone()],
            several => several.to_vec(),
        })
    }

    async fn measure(&mut self, workload: &Workload) -> Result<BenchmarkSummary, RunError> {
        let Session {
            emitter, cancel, ..
        } = self.session;
        note(workload, &**emitter);
        measure_at(&self.server, Some(&self.pods), workload, &**emitter, cancel).await
    }
}

impl Stack<'_> {
    /// Waits until as many servers are ready as are wanted, and no more.
    async fn ready(&self, replicas: &Replicas) -> Result<(), RunError> {
        let deployment = replicas.deployment();
        let workload = readiness::Workload::Deployment(deployment.to_owned());
        let namespace = &self.pods.service().namespace;
        let told = |told: Told<'_>| {
            if let Told::Waits(_, why) = told {
                self.session.emitter.progress(Progress {
                    task: Task::Told(deployment.to_owned()),
                    now: why.clone(),
                    done: 0,
                    total: None,
                    remaining_seconds: None,
                });
            }
        };
        wait_ready(self.pods.kube(), namespace, &[workload], IDLE, told).await?;
        sleep(PROXIED).await;
        Ok(())
    }
}
