//! The facts of a run, numbered and timed. `runs/<id>/events.ndjson` is a list of
//! them and the only record; every report is a fold of it.
//!
//! The format only grows: a reader skips kinds and keys it does not know.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    benchmark::{BenchmarkSummary, Point},
    installed::InstalledStack,
    name::{ClusterName, RunId},
    outcome::Outcome,
    progress::{Doing, Task},
    remark::Remark,
    stage::Stage,
};

/// One fact, with its number and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the run, from 1, without gaps.
    pub seq: u64,
    /// Wall-clock time, UTC.
    pub time: Timestamp,
    /// Milliseconds since the run began, from a clock that never goes back.
    pub elapsed_ms: u64,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Fact {
    /// The run began.
    RunStarted(RunStarted),
    /// A stage began.
    StageStarted {
        /// Which.
        stage: Stage,
    },
    /// A stage ended.
    StageFinished {
        /// Which.
        stage: Stage,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
        /// How long it took, milliseconds.
        millis: u64,
    },
    /// An image is on the engine and can be loaded.
    ImageReady(ImageReady),
    /// The cluster answers: its nodes are Ready and DNS resolves.
    ClusterReady {
        /// Its name.
        cluster: ClusterName,
        /// The provider that made it: `node`, `k3s`, `kind`, `existing`.
        provider: String,
        /// Kubernetes version, for example `v1.20.2`.
        version: String,
        /// Names of its nodes.
        nodes: Vec<String>,
    },
    /// Helm has handed the stack to the cluster.
    StackInstalled(InstalledStack),
    /// A component of the stack is ready, or is said not to run.
    ComponentFinished {
        /// The component's name.
        component: String,
        /// Recipe of its image; several components may share one.
        #[serde(default)]
        image: Option<String>,
        /// Documented version beside the version that really answered.
        documented: String,
        /// The version that answered, where it could be read.
        actual: Option<String>,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
        /// Milliseconds from the start of the installation until it was ready.
        millis: u64,
    },
    /// A scenario began.
    ScenarioStarted {
        /// Which.
        scenario: ScenarioRef,
    },
    /// A step of a scenario ended.
    StepFinished {
        /// Its scenario.
        scenario: ScenarioRef,
        /// The keyword as written, for example `Given` or `만약`.
        keyword: String,
        /// The step's text.
        text: String,
        /// Line of the step in the feature's file, from 1; 0 where it is not known.
        #[serde(default)]
        line: u32,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
        /// How long it took, milliseconds.
        millis: u64,
        /// What was seen: requests and answers, states, figures.
        evidence: Vec<Evidence>,
    },
    /// A scenario ended.
    ScenarioFinished {
        /// Which.
        scenario: ScenarioRef,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
        /// How long it took, milliseconds.
        millis: u64,
    },
    /// A window of a benchmark ended. The figures of a benchmark that never came to its
    /// end are in these.
    WindowMeasured(WindowMeasured),
    /// A benchmark ended.
    BenchmarkFinished(BenchmarkSummary),
    /// Memory and CPU of the cluster at one moment.
    ResourcesSampled {
        /// Resident memory of the cluster and all its pods, bytes.
        memory_bytes: u64,
        /// CPU seconds used by it since it started.
        cpu_seconds: f64,
    },
    /// Memory and CPU of single pods at one moment.
    PodsSampled {
        /// The pods, in no order.
        pods: Vec<PodSample>,
    },
    /// Something seen while looking for a failure's cause.
    EvidenceCollected {
        /// The stage it belongs to.
        stage: Stage,
        /// What was seen.
        evidence: Evidence,
    },
    /// A remark for the person who runs it.
    Noted {
        /// The remark.
        #[serde(rename = "text")]
        remark: Remark,
    },
    /// Progress of a long piece of work. May be dropped; reports do not need it.
    Progressed(Progress),
    /// The run ended. Always the last event.
    RunFinished {
        /// The exit code.
        exit_code: u8,
        /// How long it took, milliseconds.
        millis: u64,
    },
}

/// What a run is about to do, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The run.
    pub run: RunId,
    /// The cluster it will make.
    pub cluster: ClusterName,
    /// Version of `lab`.
    pub lab_version: String,
    /// Name of the stack.
    pub stack: String,
    /// Name of its lock.
    pub lock: String,
    /// Provider that will make the cluster.
    pub provider: String,
    /// All else by which one run does the same as another, in a line: nodes, scenarios,
    /// workload; nothing in older records.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plan: String,
    /// The machine.
    pub host: Host,
}

/// The machine a run uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system, as it names itself.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// CPUs.
    pub cpus: u32,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Docker Engine version.
    pub engine: String,
}

/// Where an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSource {
    /// Pulled from a registry in this run.
    Pulled,
    /// Built from its recipe in this run.
    Built,
    /// Already on the engine, with the content asked for.
    Cached,
}

/// An image that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageReady {
    /// The recipe's name, for example `mlflow`.
    pub name: String,
    /// The image as the documents name it, where they do.
    pub documented: Option<String>,
    /// The reference on the engine, tagged by content.
    pub reference: String,
    /// What it is pulled as, by digest; none for one that is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_as: Option<String>,
    /// The engine's id of it, `sha256:…`.
    pub id: String,
    /// Where it came from.
    pub source: ImageSource,
    /// Size, bytes.
    pub bytes: u64,
    /// How long it took, milliseconds.
    pub millis: u64,
}

/// Names a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScenarioRef {
    /// The feature's name, as its file says.
    pub feature: String,
    /// The feature's file, relative to `features/`.
    pub file: String,
    /// The scenario's name.
    pub name: String,
    /// Line of the scenario in the file, from 1.
    pub line: u32,
    /// Tags without `@`, of the feature and the scenario.
    pub tags: Vec<String>,
}

/// What a pod used, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PodSample {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// Memory that its processes hold, bytes.
    pub memory_bytes: u64,
    /// CPU seconds used by its containers since they started.
    pub cpu_seconds: f64,
}

/// Something seen, kept for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it was seen: `GET /v2/models/digits/ready`, `pod airflow-scheduler-0 log`.
    pub source: String,
    /// What was seen, plain text.
    pub text: String,
}

/// One window of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowMeasured {
    /// Name of the workload.
    pub workload: String,
    /// What was asked, for example `POST /v2/models/digits/infer`.
    pub target: String,
    /// Its position among the windows of the workload, from 1; of a search, among its
    /// own.
    pub number: usize,
    /// How many windows the workload asks for; none for a search, which ends when it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// What was measured.
    pub point: Box<Point>,
}

impl WindowMeasured {
    /// What it is called while it runs.
    pub const fn task(&self) -> Task {
        Task::Window {
            number: self.number,
            of: self.of,
        }
    }
}

/// How far a long piece of work is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The work.
    pub task: Task,
    /// What is being done now.
    pub now: Doing,
    /// Done so far.
    pub done: u64,
    /// Whole, where known.
    pub total: Option<u64>,
    /// Rough remaining time, seconds, where known.
    pub remaining_seconds: Option<u64>,
}

/// Takes facts as they happen. The runner numbers, times and records them.
pub trait Emitter: Send + Sync {
    /// Records a fact.
    fn emit(&self, fact: Fact);

    /// Texts that must never be told: passwords, tokens. Whoever records leaves them out
    /// of every fact from now on.
    fn hide(&self, secrets: Vec<String>) {
        drop(secrets);
    }

    /// Tells how far something is; may be dropped.
    fn progress(&self, progress: Progress) {
        self.emit(Fact::Progressed(progress));
    }
}

/// An [`Emitter`] that forgets everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Emitter for Silent {
    fn emit(&self, _: Fact) {}
}
