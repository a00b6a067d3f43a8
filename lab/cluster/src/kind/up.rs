//! Has kind make a cluster.

use std::{ffi::OsString, path::PathBuf};

use lab_engine::{Engine, NetworkSpec};
use lab_k8s::Kube;
use lab_model::{
    event::{Emitter, Evidence, Fact, Progress},
    progress::Task,
    stage::Stage,
};
use tokio_util::sync::CancellationToken;

use super::{config, down, kubeconfig, list, logs, maker::Work, names, program};
use crate::{
    Cluster, ClusterError, ClusterSpec, Lease, claim::claim, folder::Folder, node::names::labels,
    readiness,
};

/// Makes a cluster and waits until its nodes are Ready and its DNS is.
///
/// # Errors
/// When there is no usable kind, or it makes none that becomes ready. Then, and when
/// `cancel` fires, nothing is left of it.
pub(crate) async fn up(
    engine: &Engine,
    spec: &ClusterSpec,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<Cluster, ClusterError> {
    let program = program::find().await?;
    let mut making = Making {
        engine,
        spec,
        program,
        lease: claim(engine, names::lease(spec)).await?,
        folder: Folder::of(&spec.name)?,
    };
    let made = tokio::select! {
        made = making.make(emitter) => made,
        () = cancel.cancelled() => Err(ClusterError::Interrupted),
    };
    if let Err(error) = &made {
        if !matches!(error, ClusterError::Interrupted) {
            making.collect(emitter).await;
        }
        // The first cause is what counts; what cannot be removed stays leased.
        let _ = down(engine, &spec.name).await;
    }
    made
}

struct Making<'a> {
    engine: &'a Engine,
    spec: &'a ClusterSpec,
    program: PathBuf,
    lease: Lease,
    folder: Folder,
}

impl Making<'_> {
    async fn make(&mut self, emitter: &dyn Emitter) -> Result<Cluster, ClusterError> {
        // kind takes a network that is there. One for all, which it would make, is what
        // its clusters race for.
        let network = NetworkSpec {
            name: self.lease.network.clone(),
            labels: labels(&self.lease),
            internal: false,
        };
        self.engine.create_network(network).await?;
        self.run_kind(emitter).await?;
        kubeconfig::protect(&self.folder)?;
        let kube = Kube::from_kubeconfig_file(&self.folder.kubeconfig()).await?;
        let agents = self.lease.agents.iter();
        let nodes: Vec<String> = std::iter::once(&self.lease.container)
            .chain(agents)
            .cloned()
            .collect();
        readiness::until_ready(&kube, &nodes, emitter).await?;
        self.lease.version = Some(kube.version().await?);
        self.lease.maker = None;
        self.lease.renew();
        self.folder.write_lease(&self.lease)?;
        list::open(self.engine, &self.spec.name).await
    }

    async fn run_kind(&mut self, emitter: &dyn Emitter) -> Result<(), ClusterError> {
        let work = Work {
            program: &self.program,
            doing: format!("make the cluster `{}`", self.spec.name),
            words: self.words()?,
            network: &self.lease.network.clone(),
        };
        let (lease, folder) = (&mut self.lease, &self.folder);
        let claim = |maker| {
            lease.maker = Some(maker);
            folder.write_lease(lease)
        };
        let tell = |step: &str| {
            emitter.progress(Progress {
                task: Task::Told("kind".to_owned()),
                now: step.to_owned().into(),
                done: 0,
                total: None,
                remaining_seconds: None,
            });
        };
        work.run(claim, tell).await
    }

    /// No `--wait`: it ends with success when its time is up. `--retain`, because what
    /// failed is looked at before it is removed.
    fn words(&self) -> Result<Vec<OsString>, ClusterError> {
        let config = config::text(self.spec).map_err(|error| ClusterError::State {
            path: "kind.yaml".to_owned(),
            source: error.into(),
        })?;
        let config = self.folder.write_kind_config(&config)?;
        let mut words: Vec<OsString> = ["create", "cluster", "--retain"].map(Into::into).into();
        let mut option = |name: &str, value: OsString| words.extend([name.into(), value]);
        option("--name", names::in_kind(&self.spec.name).into());
        option("--config", config.into());
        // Never the user's own, which all of kind's clusters else write to.
        option("--kubeconfig", self.folder.kubeconfig().into());
        if let Some(image) = &self.spec.node_image {
            option("--image", image.into());
        }
        Ok(words)
    }

    /// Keeps what the nodes say, before they are removed.
    async fn collect(&self, emitter: &dyn Emitter) {
        let found = names::containers(self.engine, &self.spec.name).await;
        for container in found.unwrap_or_default() {
            let text = logs::last(self.engine, &container.name).await;
            if text.is_empty() {
                continue;
            }
            emitter.emit(Fact::EvidenceCollected {
                stage: Stage::Provision,
                evidence: Evidence {
                    source: format!("log of node {}", container.name),
                    text,
                },
            });
        }
    }
}
