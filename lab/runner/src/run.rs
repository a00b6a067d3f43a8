//! The whole job: stages in order, evidence before clean-up, clean-up always.

use std::{future::Future, sync::Arc, time::Instant};

use lab_cluster::{Cluster, ClusterSpec};
use lab_k8s::{Kube, evidence};
use lab_model::{
    event::{Emitter, Evidence, Fact},
    exit::Exit,
    hindrance::Hindrance,
    outcome::Outcome,
    provider::Provider,
    remark::Remark,
    stage::Stage,
};
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use crate::{
    StackImages, benchmark,
    error::{RunError, cause},
    events::EventLog,
    plan::Plan,
    preflight,
    session::Session,
    workbench::Workbench,
};

/// How often memory and CPU of the cluster are read.
const SAMPLE_EVERY: time::Duration = time::Duration::from_secs(5);

/// Does the whole job and tells how it ended. Everything it made is gone
/// afterwards, unless the plan says to keep a failed cluster.
pub async fn run(
    plan: &Plan,
    workbench: &Workbench,
    log: &Arc<EventLog>,
    cancel: &CancellationToken,
) -> Result<Exit, RunError> {
    log.emit(Fact::RunStarted(plan.begins(workbench.host().await?)));
    let session = Session {
        workbench,
        emitter: Arc::clone(log) as Arc<dyn Emitter>,
        cancel: cancel.clone(),
    };
    let run = Run { plan, session, log };
    let ended = run.work().await;
    let exit = match &ended {
        Ok(exit) => *exit,
        Err(error) => {
            let why = Evidence {
                source: "cause".to_owned(),
                text: cause(error).to_string(),
            };
            log.emit(Fact::EvidenceCollected {
                stage: Stage::Collect,
                evidence: why,
            });
            error.exit()
        }
    };
    let exit = run.tear_down(exit).await;
    log.emit(Fact::RunFinished {
        exit_code: exit.code(),
        millis: log.elapsed_millis(),
    });
    match ended {
        Err(error) if exit == error.exit() => Err(error),
        _ => Ok(exit),
    }
}

struct Run<'a> {
    plan: &'a Plan,
    session: Session<'a>,
    log: &'a EventLog,
}

impl Run<'_> {
    async fn work(&self) -> Result<Exit, RunError> {
        let Plan {
            cluster: name,
            locked,
            ..
        } = self.plan;
        let mut spec = ClusterSpec {
            provider: self.plan.provider,
            node_image: self.plan.node_image.clone(),
            gpus: self.plan.gpus,
            run: Some(self.plan.run.clone()),
            nodes: self.plan.nodes,
            node_ports: locked.stack.node_ports().collect(),
            existing: self.plan.existing.clone(),
            registry: self.plan.registry.clone(),
            ..ClusterSpec::new(name.clone())
        };
        let (images, store) = self
            .stage(Stage::Preflight, async {
                // What runs elsewhere needs nothing of this machine.
                if spec.provider != Provider::Existing {
                    let findings = preflight::look(&self.session.workbench.engine).await?;
                    preflight::require(&findings)?;
                }
                self.session.check(&spec).await?;
                self.session.pull_nodes(&spec).await?;
                let registry = spec.registry.as_ref();
                let images = self.session.ready_for(spec.provider, registry, locked);
                let images = images.await?;
                let recipes = images.recipes();
                let store = self.session.ready_store(spec.provider, &recipes).await?;
                Ok((images, store))
            })
            .await?;
        spec.image_store = store;
        let cluster = self
            .stage(Stage::Provision, self.session.provision(&spec))
            .await?;
        let mut sampler = JoinSet::new();
        sampler.spawn(sample(
            self.session.workbench.engine.clone(),
            cluster.clone(),
            Arc::clone(&self.session.emitter),
        ));
        sampler.spawn(sample_pods(
            cluster.clone(),
            locked.stack.namespace.clone(),
            Arc::clone(&self.session.emitter),
        ));
        let ended = self.on_cluster(&cluster, images).await;
        let wants_evidence = match &ended {
            Ok(exit) => *exit != Exit::Ok,
            Err(error) => !error.is_interrupted(),
        };
        if wants_evidence {
            self.collect(&cluster).await;
        }
        ended
    }

    async fn on_cluster(&self, cluster: &Cluster, images: StackImages) -> Result<Exit, RunError> {
        let Plan {
            locked, scenarios, ..
        } = self.plan;
        let session = &self.session;
        let placed = session.unless_interrupted(session.place(cluster, locked, images));
        let images = self.stage(Stage::Load, placed).await?;
        let installed = session.install(cluster, locked, &images.not_run);
        let installed = session.unless_interrupted(installed);
        self.stage(Stage::Install, installed).await?;
        let verified = session.verify(cluster, locked, &images.not_run, scenarios);
        let verified = session.unless_interrupted(verified);
        let summary = self.stage(Stage::Verify, verified).await?;
        if let Some(workload) = &self.plan.workload
            && summary.failed == 0
        {
            let measured = benchmark::measure(&self.session, cluster, locked, workload);
            let measured = self.stage(Stage::Benchmark, measured).await?;
            if !measured.missed.is_empty() {
                return Ok(Exit::BudgetMissed);
            }
        }
        Ok(if summary.failed == 0 {
            Exit::Ok
        } else {
            Exit::ScenariosFailed
        })
    }

    /// Runs one stage between its events. On Ctrl-C images and the cluster in the making
    /// end by themselves, after they have removed what there was of them.
    async fn stage<T>(
        &self,
        stage: Stage,
        work: impl Future<Output = Result<T, RunError>>,
    ) -> Result<T, RunError> {
        self.log.emit(Fact::StageStarted { stage });
        let started = Instant::now();
        let ended = work.await;
        let outcome = match &ended {
            Ok(_) => Outcome::Passed,
            Err(error) if error.is_interrupted() => Outcome::NotRun {
                reason: Hindrance::Interrupted,
            },
            Err(error) => Outcome::Failed {
                reason: cause(error),
            },
        };
        self.finish(stage, outcome, started);
        ended
    }

    fn finish(&self, stage: Stage, outcome: Outcome, started: Instant) {
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.log.emit(Fact::StageFinished {
            stage,
            outcome,
            millis,
        });
    }

    /// Keeps what can be seen, before it is removed.
    async fn collect(&self, cluster: &Cluster) {
        let started = Instant::now();
        self.log.emit(Fact::StageStarted {
            stage: Stage::Collect,
        });
        self.look_at_the_host().await;
        if let Ok(kube) = Kube::from_kubeconfig_file(&cluster.kubeconfig).await {
            let namespace = &self.plan.locked.stack.namespace;
            for evidence in evidence::of_namespace(&kube, namespace).await {
                self.log.emit(Fact::EvidenceCollected {
                    stage: Stage::Collect,
                    evidence,
                });
            }
        }
        self.finish(Stage::Collect, Outcome::Passed, started);
    }

    /// What the machine itself has too little of by now: disk, memory, watchers of files.
    async fn look_at_the_host(&self) {
        let Ok(findings) = preflight::look(&self.session.workbench.engine).await else {
            return;
        };
        let line = |it: &preflight::Finding| {
            let word = if it.ok { "ok" } else { "too little:" };
            format!("{word} {} {}", it.check, it.found)
        };
        let lines: Vec<_> = findings.iter().map(line).collect();
        let evidence = Evidence {
            source: "host".to_owned(),
            text: lines.join("\n"),
        };
        self.log.emit(Fact::EvidenceCollected {
            stage: Stage::Collect,
            evidence,
        });
    }

    /// Removes the cluster. Goes on after Ctrl-C: it is what the person waits for.
    async fn tear_down(&self, exit: Exit) -> Exit {
        let name = &self.plan.cluster;
        if self.plan.keep_on_failure && !matches!(exit, Exit::Ok | Exit::Interrupted) {
            self.log.emit(Fact::Noted {
                remark: Remark::ClusterKept {
                    cluster: name.clone(),
                },
            });
            return exit;
        }
        let started = Instant::now();
        self.log.emit(Fact::StageStarted {
            stage: Stage::Teardown,
        });
        let removed = lab_cluster::down(&self.session.workbench.engine, name).await;
        let outcome = match &removed {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed {
                reason: cause(error),
            },
        };
        self.finish(Stage::Teardown, outcome, started);
        if removed.is_ok() {
            exit
        } else {
            Exit::CleanupIncomplete
        }
    }
}

/// Reads memory and CPU for as long as the cluster answers.
async fn sample(engine: lab_engine::Engine, cluster: Cluster, emitter: Arc<dyn Emitter>) {
    let mut ticks = time::interval(SAMPLE_EVERY);
    loop {
        ticks.tick().await;
        if let Ok(usage) = lab_cluster::usage(&engine, &cluster).await {
            emitter.emit(Fact::ResourcesSampled {
                memory_bytes: usage.memory_bytes,
                cpu_seconds: usage.cpu_seconds,
            });
        }
    }
}

/// Reads what the stack's pods use, half as often: it asks every kubelet.
async fn sample_pods(cluster: Cluster, namespace: String, emitter: Arc<dyn Emitter>) {
    let Ok(kube) = Kube::from_kubeconfig_file(&cluster.kubeconfig).await else {
        return;
    };
    let mut ticks = time::interval(SAMPLE_EVERY * 2);
    loop {
        ticks.tick().await;
        // Not told where this user may not ask kubelets, as on others' clusters.
        match kube.pod_samples(&namespace).await {
            Ok(pods) if !pods.is_empty() => emitter.emit(Fact::PodsSampled { pods }),
            _ => {}
        }
    }
}
