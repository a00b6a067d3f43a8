//! A Job whose pods are spoken with: this process is their standard input and output.
//!
//! A pod's standard input closes with the connection, however this process ends: a pod
//! that ends with its input leaves nothing running behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, future::try_join_all};
use k8s_openapi::api::{batch::v1, core::v1::Pod};
use kube::{
    Api, ResourceExt,
    api::{AttachParams, AttachedProcess, DeleteParams, ListParams, PostParams},
    runtime::{WatchStreamExt, wait, watcher, watcher::Event},
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    client::{Kube, KubeError},
    evidence::PodState,
    readiness::{ReadinessError, hopeless, waits_for},
};

/// What Kubernetes labels the pods of a Job with; also in old versions.
const OF_JOB: &str = "job-name";
/// The user `nobody`, as images without users know it.
const NOBODY: i64 = 65_534;
/// What a figure's line of text may need on its way, bytes.
const BUFFER: usize = 1 << 16;
/// Garbage collection of a few pods that have ended takes a second or two; a kubelet that
/// failed to end one looks at it again within a minute or so.
const GONE_WITHIN: Duration = Duration::from_mins(2);

/// A Job to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSpec {
    /// Where.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The image of its pods, which their nodes have.
    pub image: String,
    /// Arguments of the image's program.
    pub args: Vec<String>,
    /// How many pods, all at once.
    pub pods: u32,
    /// The longest that they may run.
    pub limit: Duration,
    /// Labels of the Job.
    pub labels: BTreeMap<String, String>,
}

/// A pod that is spoken with. The connection ends when this is dropped.
pub struct Spoken {
    /// The pod.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// Its standard input.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
    /// Carries both.
    pub connection: AttachedProcess,
}

impl Kube {
    /// Makes a Job.
    ///
    /// # Errors
    /// When the API server does not answer, or refuses.
    pub async fn make_job(&self, spec: &JobSpec) -> Result<(), KubeError> {
        let doing = format!("make Job `{}/{}`", spec.namespace, spec.name);
        let jobs: Api<v1::Job> = Api::namespaced(self.client(), &spec.namespace);
        let made = jobs.create(&PostParams::default(), &job(spec)).await;
        made.map(drop).map_err(KubeError::doing(doing))
    }

    /// Waits until all pods of a Job run, as long as something changes, and speaks with each.
    ///
    /// # Errors
    /// As soon as the wait is known to be in vain, and when a pod cannot be spoken with.
    pub async fn speak_with_job(
        &self,
        spec: &JobSpec,
        idle_limit: Duration,
    ) -> Result<Vec<Spoken>, JobError> {
        let pods: Api<Pod> = Api::namespaced(self.client(), &spec.namespace);
        let running = until_running(&pods, spec, idle_limit).await?;
        let spoken = running.into_iter().map(async |pod| {
            let name = pod.name_any();
            let both = AttachParams {
                stdin: true,
                stdout: true,
                stderr: false,
                max_stdin_buf_size: Some(BUFFER),
                max_stdout_buf_size: Some(BUFFER),
                ..AttachParams::default()
            };
            let doing = format!("speak with pod `{name}`");
            let attached = pods.attach(&name, &both).await;
            let mut connection = attached.map_err(KubeError::doing(doing))?;
            let streams = connection.stdin().zip(connection.stdout());
            let (input, output) = streams.expect("both were asked for, and not taken yet");
            let spec = pod.spec.unwrap_or_default();
            Ok(Spoken {
                pod: name,
                node: spec.node_name.unwrap_or_default(),
                input: Box::new(input),
                output: Box::new(output),
                connection,
            })
        });
        try_join_all(spoken).await
    }

    /// How the pods of a Job are, as a person sees them in a list.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn job_pods(&self, spec: &JobSpec) -> Result<Vec<PodState>, KubeError> {
        let pods: Api<Pod> = Api::namespaced(self.client(), &spec.namespace);
        let its = ListParams::default().labels(&format!("{OF_JOB}={}", spec.name));
        let doing = format!("list the pods of Job `{}`", spec.name);
        let list = pods.list(&its).await.map_err(KubeError::doing(doing))?;
        Ok(list.iter().map(PodState::of).collect())
    }

    /// Removes the Jobs that have a label and whose pods have ended: nobody speaks with them.
    ///
    /// # Errors
    /// When the API server does not answer, refuses, or they do not go.
    pub async fn remove_ended_jobs(&self, namespace: &str, label: &str) -> Result<(), KubeError> {
        let jobs: Api<v1::Job> = Api::namespaced(self.client(), namespace);
        let found = jobs.list(&ListParams::default().labels(label)).await;
        let doing = format!("list the Jobs of `{namespace}`");
        let found = found.map_err(KubeError::doing(doing))?;
        let ended = found.items.iter().filter(|job| has_ended(job));
        try_join_all(ended.map(|job| remove(&jobs, job))).await?;
        Ok(())
    }

    /// Removes a Job with its pods, and waits for their end. One that is not there is success.
    ///
    /// # Errors
    /// When the API server does not answer, refuses, or it does not go.
    pub async fn remove_job(&self, spec: &JobSpec) -> Result<(), KubeError> {
        let jobs: Api<v1::Job> = Api::namespaced(self.client(), &spec.namespace);
        let doing = format!("read Job `{}/{}`", spec.namespace, spec.name);
        let found = jobs.get_opt(&spec.name).await;
        match found.map_err(KubeError::doing(doing))? {
            Some(job) => remove(&jobs, &job).await,
            None => Ok(()),
        }
    }
}

async fn remove(jobs: &Api<v1::Job>, job: &v1::Job) -> Result<(), KubeError> {
    let name = job.name_any();
    let what = format!("Job `{name}`");
    // In the foreground: the Job is gone once its pods are.
    match jobs.delete(&name, &DeleteParams::foreground()).await {
        Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(()),
        Err(error) => return Err(KubeError::doing(format!("remove {what}"))(error)),
        Ok(_) => {}
    }
    let uid = job.uid().unwrap_or_default();
    let gone = wait::await_condition(jobs.clone(), &name, wait::conditions::is_deleted(&uid));
    match timeout(GONE_WITHIN, gone).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(KubeError::NotGone {
            what,
            waited: GONE_WITHIN,
        }),
    }
}

/// Whether none of its pods runs, or may come to.
fn has_ended(job: &v1::Job) -> bool {
    let status = job.status.as_ref();
    let over = |kind: &str| matches!(kind, "Complete" | "Failed");
    let conditions = status.and_then(|it| it.conditions.as_deref());
    conditions
        .unwrap_or_default()
        .iter()
        .any(|it| over(&it.type_) && it.status == "True")
}

/// Why the pods of a Job cannot be spoken with.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum JobError {
    /// The API does not answer, or refuses.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kube(#[from] KubeError),
    /// They do not run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Readiness(#[from] ReadinessError),
}

async fn until_running(
    pods: &Api<Pod>,
    spec: &JobSpec,
    idle_limit: Duration,
) -> Result<Vec<Pod>, ReadinessError> {
    let its = watcher::Config::default().labels(&format!("{OF_JOB}={}", spec.name));
    let mut changes = watcher(pods.clone(), its).default_backoff().boxed();
    let mut there: BTreeMap<String, Pod> = BTreeMap::new();
    let mut deadline = Instant::now() + idle_limit;
    loop {
        let change = match timeout_at(deadline, changes.try_next()).await {
            Err(_) => return Err(stalled(spec, &there, idle_limit)),
            Ok(Err(source)) => {
                return Err(ReadinessError::Watch {
                    namespace: spec.namespace.clone(),
                    source: Box::new(source),
                });
            }
            Ok(Ok(change)) => change,
        };
        match change {
            Some(Event::Apply(pod) | Event::InitApply(pod)) => {
                deadline = Instant::now() + idle_limit;
                if let Some(reason) = hopeless(&pod).or_else(|| ended(&pod)) {
                    return Err(ReadinessError::Hopeless {
                        pod: pod.name_any(),
                        reason,
                    });
                }
                there.insert(pod.name_any(), pod);
            }
            Some(Event::Delete(pod)) => drop(there.remove(&pod.name_any())),
            Some(Event::Init | Event::InitDone) | None => {}
        }
        let running = || there.values().filter(|pod| phase(pod) == "Running");
        if running().count() >= spec.pods as usize {
            return Ok(running().cloned().collect());
        }
    }
}

fn phase(pod: &Pod) -> &str {
    let status = pod.status.as_ref();
    status.and_then(|it| it.phase.as_deref()).unwrap_or("")
}

/// A pod that ended before anybody spoke with it.
fn ended(pod: &Pod) -> Option<String> {
    matches!(phase(pod), "Failed" | "Succeeded").then(|| PodState::of(pod).to_string())
}

fn stalled(spec: &JobSpec, pods: &BTreeMap<String, Pod>, idle: Duration) -> ReadinessError {
    let reasons = pods.values().filter_map(waits_for);
    let reasons: BTreeSet<_> = reasons.map(|it| it.to_string()).collect();
    let reasons: Vec<_> = reasons.into_iter().collect();
    let running = pods.values().filter(|pod| phase(pod) == "Running").count();
    let mut waiting = format!("{} pods of `{}`, {running} run", spec.pods, spec.name);
    if !reasons.is_empty() {
        waiting.push_str(&format!(" ({})", reasons.join("; ")));
    }
    ReadinessError::Stalled {
        idle,
        waiting: vec![waiting],
    }
}

/// Its pods have no privileges, no token and no root; they take what CPU they get, for
/// one that is held back measures that.
fn job(spec: &JobSpec) -> v1::Job {
    let job = json!({
        "metadata": {"name": spec.name, "labels": spec.labels},
        "spec": {
            "parallelism": spec.pods,
            "completions": spec.pods,
            "backoffLimit": 0,
            "activeDeadlineSeconds": spec.limit.as_secs(),
            "ttlSecondsAfterFinished": 60,
            "template": {
                "metadata": {"labels": spec.labels},
                "spec": {
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 1,
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "securityContext": {
                        "runAsNonRoot": true, "runAsUser": NOBODY, "runAsGroup": NOBODY,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "topologySpreadConstraints": [{
                        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": {OF_JOB: spec.name}},
                    }],
                    "containers": [{
                        "name": "main",
                        "image": spec.image,
                        "imagePullPolicy": "Never",
                        "args": spec.args,
                        "stdin": true,
                        "stdinOnce": true,
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "readOnlyRootFilesystem": true,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "64Mi"},
                            "limits": {"memory": "512Mi"},
                        },
                    }],
                },
            },
        },
    });
    serde_json::from_value(job).expect("every field is one of a Job")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> JobSpec {
        JobSpec {
            namespace: "mlops".to_owned(),
            name: "lab-generators".to_owned(),
            image: "docker.io/lab/generator:1".to_owned(),
            args: vec!["generate".to_owned()],
            pods: 2,
            limit: Duration::from_mins(1),
            labels: BTreeMap::new(),
        }
    }

    fn pod(status: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()
    }

    #[test]
    fn its_pods_have_no_privileges_and_end_with_whoever_speaks_with_them() {
        let pod = job(&spec()).spec.unwrap().template.spec.unwrap();
        let container = &pod.containers[0];
        let security = container.security_context.clone().unwrap();

        assert_eq!(pod.automount_service_account_token, Some(false));
        assert_eq!(pod.security_context.unwrap().run_as_non_root, Some(true));
        assert_eq!(security.allow_privilege_escalation, Some(false));
        assert_eq!(security.read_only_root_filesystem, Some(true));
        assert_eq!(
            (container.stdin, container.stdin_once),
            (Some(true), Some(true))
        );
        assert_eq!(job(&spec()).spec.unwrap().completions, Some(2));
    }

    #[test]
    fn a_job_has_ended_once_kubernetes_says_so() {
        let with = |kind: &str| {
            let condition = json!({"type": kind, "status": "True"});
            let job = json!({"metadata": {}, "status": {"conditions": [condition]}});
            serde_json::from_value(job).unwrap()
        };
        assert!(has_ended(&with("Failed")));
        assert!(has_ended(&with("Complete")));
        assert!(!has_ended(&with("Suspended")));
        assert!(!has_ended(&job(&spec())));
    }

    #[test]
    fn a_pod_that_ended_early_is_told_as_one() {
        let failed = pod(&json!({"phase": "Failed"}));
        assert_eq!(ended(&failed).as_deref(), Some("p 0/0 Failed restarts=0"));
        assert_eq!(ended(&pod(&json!({"phase": "Running"}))), None);
    }

    #[test]
    fn a_wait_in_vain_says_what_kubernetes_says() {
        let full = pod(&json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
        }]}));
        let pods = BTreeMap::from([("a".to_owned(), full.clone()), ("b".to_owned(), full)]);

        let error = stalled(&spec(), &pods, Duration::from_mins(1));

        assert_eq!(
            error.to_string(),
            "nothing changed for 60s while waiting for 2 pods of `lab-generators`, 0 run \
             (0/1 nodes are available: 1 Insufficient cpu.)"
        );
    }
}
