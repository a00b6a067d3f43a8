//! Load from within the cluster: the engine in several pods, against the Service itself
//! and not a published NodePort.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub use lab_bench::generators::serve;
use lab_bench::{
    Server,
    generators::{Generators, Wire},
    suite::Bench,
    workload::Workload,
};
use lab_cluster::{Cluster, node};
use lab_k8s::{
    Kube,
    job::{JobSpec, Spoken},
};
use lab_model::{
    benchmark::{self, BenchmarkSummary},
    event::Fact,
    name::label,
    provider::Provider,
    remark::Remark,
    stack::Endpoint,
};
use lab_stack::catalogue::LockedStack;
use tokio::time::sleep;

use crate::{
    Endpoints,
    benchmark::{BenchmarkError, endpoint, finish, server},
    error::RunError,
    server_pods::ServerPods,
    session::Session,
    telling::Telling,
};

/// What generators are started with; `lab` hides it from people.
const COMMAND: &str = "generate";
/// Everything that makes load for a benchmark carries this label.
const LABEL: &str = "lab.generators";
/// A pod whose image is there starts within seconds, also on a busy machine.
const IDLE: Duration = Duration::from_mins(1);
/// How often, and how many times, it is looked whether generators have ended.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const LOOKS: u32 = 20;
/// Beyond what the workload takes, generators are ended by Kubernetes itself: should
/// neither lab nor their streams do it.
const SPARE: Duration = Duration::from_mins(10);

/// Runs a workload against the stack's own server, with `count` generators in the cluster.
///
/// # Errors
/// As [`crate::benchmark::measure`]; when generators cannot be brought to the nodes, do
/// not start, or are not gone afterwards.
pub async fn measure(
    session: &Session<'_>,
    cluster: &Cluster,
    locked: &LockedStack,
    workload: &Workload,
    count: u32,
) -> Result<BenchmarkSummary, RunError> {
    if cluster.provider == Provider::Existing {
        return Err(BenchmarkError::NodesOfOthers {
            name: cluster.name.to_string(),
        }
        .into());
    }
    let endpoints = session
        .unless_interrupted(Endpoints::open(cluster, locked))
        .await?;
    let within = Within {
        session,
        workload,
        here: server(&endpoints, locked, workload)?,
        there: inside(locked, workload)?,
        pods: ServerPods::of(cluster, locked, workload).await?,
    };
    let loading = node::load_own_program(&session.workbench.engine, cluster, &*session.emitter);
    let image = session
        .unless_interrupted(async { Ok(loading.await?) })
        .await?;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
    let job = job(cluster, locked, workload, image, count);
    kube.remove_ended_jobs(&job.namespace, LABEL).await?;
    // From here on nothing is dropped half-way: the Job is removed whatever happens.
    let measured = within.measure(&kube, &job).await;
    within.see_them_end(&kube, &job).await;
    let removed = kube.remove_job(&job).await;
    let summary = measured?;
    removed?;
    Ok(summary)
}

/// The address that pods know the stack's server by.
fn inside(locked: &LockedStack, workload: &Workload) -> Result<Server, BenchmarkError> {
    let Endpoint { service, port, .. } = endpoint(locked, workload)?;
    let namespace = &locked.stack.namespace;
    Ok(format!("http://{service}.{namespace}.svc.cluster.local:{port}").into())
}

fn job(
    cluster: &Cluster,
    locked: &LockedStack,
    workload: &Workload,
    image: String,
    count: u32,
) -> JobSpec {
    // Several may measure one cluster; each has a Job of its own.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let number = now.unwrap_or_default().as_millis();
    let windows = workload.courses().into_iter();
    let windows: Duration = windows
        .map(|it| it.settle.max(it.warm_up) + it.window + it.timeout)
        .sum();
    let search = workload.search.map(|it| it.limit).unwrap_or_default();
    JobSpec {
        namespace: locked.stack.namespace.clone(),
        name: format!("lab-generators-{number:x}"),
        image,
        args: vec![COMMAND.to_owned()],
        pods: count,
        limit: windows + search + SPARE,
        labels: BTreeMap::from([
            (label::CLUSTER.to_owned(), cluster.name.to_string()),
            (LABEL.to_owned(), count.to_string()),
        ]),
    }
}

/// One benchmark from within the cluster.
struct Within<'a> {
    session: &'a Session<'a>,
    workload: &'a Workload,
    /// The server, by its address for lab.
    here: Server,
    /// The server, by its address for pods.
    there: Server,
    /// The server's own pods.
    pods: ServerPods,
}

impl Within<'_> {
    async fn measure(&self, kube: &Kube, job: &JobSpec) -> Result<BenchmarkSummary, RunError> {
        let Session {
            emitter, cancel, ..
        } = self.session;
        kube.make_job(job).await?;
        let speaking = async { Ok(kube.speak_with_job(job, IDLE).await?) };
        let spoken = self.session.unless_interrupted(speaking).await?;
        let mut nodes: Vec<_> = spoken.iter().map(|it| it.node.clone()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        // Held until all is measured: with them the pods end.
        let (wires, _connections): (Vec<_>, Vec<_>) = spoken.into_iter().map(wire).unzip();
        let target = self.workload.target(&self.there);
        let generators = Generators::open(wires, &target, self.workload.timeout, cancel)
            .await
            .map_err(BenchmarkError::from)?;
        let clocks = generators.clocks();
        let told = benchmark::Generators {
            count: job.pods,
            nodes: u32::try_from(nodes.len()).unwrap_or(u32::MAX),
            clocks_apart_micros: clocks.apart,
            clocks_within_micros: clocks.within,
        };
        emitter.emit(Fact::Noted {
            remark: Remark::LoadOf(told),
        });
        let bench = Bench {
            workload: self.workload,
            server: &self.here,
            behind: Some(&self.pods),
            cancel,
        };
        let telling = Telling::new(self.workload, &self.here, &**emitter);
        let running = bench.run_by(&generators, |progress| telling.turn(&progress));
        let mut measured = telling
            .during(running)
            .await
            .map_err(BenchmarkError::from)?;
        measured.summary.generators = Some(told);
        finish(measured, &**emitter)
    }

    /// Waits for the pods' end, and says how those ended that should not have. They end by
    /// themselves when nobody speaks with them any more; a kubelet that kills one just then
    /// may need a minute to see it.
    async fn see_them_end(&self, kube: &Kube, job: &JobSpec) {
        let mut pods = kube.job_pods(job).await.unwrap_or_default();
        for _ in 0..LOOKS {
            if pods.iter().all(|it| it.phase != "Running") {
                break;
            }
            sleep(LOOK_AGAIN).await;
            pods = kube.job_pods(job).await.unwrap_or_default();
        }
        for pod in pods.iter().filter(|it| it.phase == "Failed") {
            self.session.emitter.emit(Fact::Noted {
                remark: Remark::GeneratorEnded {
                    pod: pod.to_string(),
                },
            });
        }
    }
}

fn wire(spoken: Spoken) -> (Wire, impl Sized) {
    let wire = Wire {
        name: format!("{} on {}", spoken.pod, spoken.node),
        input: spoken.input,
        output: spoken.output,
    };
    (wire, spoken.connection)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lab_stack::Catalogue;

    use super::*;
    use crate::benchmark::workload;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn lifecycle() -> LockedStack {
        let catalogue = Catalogue::new(root().join("fixtures"));
        catalogue.load("lifecycle", "documented").unwrap()
    }

    #[test]
    fn pods_ask_the_service_by_its_name() {
        let inside = |named| {
            let workload = workload(&root(), named).unwrap();
            inside(&lifecycle(), &workload).unwrap().url
        };
        assert_eq!(
            inside("digits"),
            "http://triton.mlops-platform.svc.cluster.local:8000"
        );
        assert_eq!(
            inside("digits-grpc"),
            "http://triton.mlops-platform.svc.cluster.local:8001"
        );
    }
}
