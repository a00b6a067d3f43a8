//! The parts of a run.

use std::time::Duration;

use jiff::Timestamp;
use lab_model::{
    cause::Cause,
    event::{Evidence, ImageReady, PodSample, RunStarted, ScenarioRef},
    installed::InstalledStack,
    outcome::Outcome,
    remark::Remark,
    stage::Stage,
};

/// What ran, where, and how it ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFacts {
    /// What the run said when it began; `None` where the record lacks its beginning.
    pub about: Option<RunStarted>,
    /// When it began.
    pub began: Option<Timestamp>,
    /// The cluster, once it answered.
    pub cluster: Option<ClusterReport>,
    /// The exit code; `None` where the run never told its end.
    pub exit_code: Option<u8>,
    /// Time from the beginning to the end, or to the last event.
    pub total: Duration,
}

/// A cluster that answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterReport {
    /// Its name.
    pub name: String,
    /// The provider that made it.
    pub provider: String,
    /// Kubernetes version.
    pub version: String,
    /// Names of its nodes.
    pub nodes: Vec<String>,
    /// When it answered.
    pub at: Duration,
}

/// A part of the run's time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// From the beginning of the run to the start of this.
    pub start: Duration,
    /// From the beginning of the run to the end of this.
    pub end: Duration,
}

impl Span {
    /// How long it is.
    pub const fn length(self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// A stage that began.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// Which.
    pub stage: Stage,
    /// When; an unfinished stage ends with the run.
    pub span: Span,
    /// How it ended; `None` where the run ended first.
    pub outcome: Option<Outcome>,
}

/// An image that became usable.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageReport {
    /// The image.
    pub image: ImageReady,
    /// When it was being made ready.
    pub span: Span,
}

/// A component of the stack.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentReport {
    /// Its name.
    pub name: String,
    /// Recipe of its image.
    pub image: Option<String>,
    /// The version the documents give.
    pub documented: String,
    /// The version that answered.
    pub actual: Option<String>,
    /// From the start of the installation until it was ready.
    pub span: Span,
    /// How it ended.
    pub outcome: Outcome,
}

/// A scenario that began.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioReport {
    /// Which.
    pub scenario: ScenarioRef,
    /// When; an unfinished scenario ends with the run.
    pub span: Span,
    /// How it ended; `None` where the run ended first.
    pub outcome: Option<Outcome>,
    /// How often it was tried.
    pub attempts: u32,
    /// Its steps, in time order, of every attempt.
    pub steps: Vec<StepReport>,
}

/// A step that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// The keyword as written.
    pub keyword: String,
    /// The step's text.
    pub text: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub span: Span,
    /// Its line in the feature's file, from 1; 0 where it is not known.
    pub line: u32,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// The attempt it belongs to, from 1.
    pub attempt: u32,
}

/// Memory and CPU of the cluster at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResourceSample {
    /// When.
    pub at: Duration,
    /// Resident memory, bytes.
    pub memory_bytes: u64,
    /// CPU seconds used since the cluster started.
    pub cpu_seconds: f64,
}

/// The stack that Helm handed to the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct StackReport {
    /// What it is made of and how it is reached.
    pub stack: InstalledStack,
    /// While Helm worked.
    pub span: Span,
}

/// What single pods used at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PodSamples {
    /// When.
    pub at: Duration,
    /// The pods.
    pub pods: Vec<PodSample>,
}

/// A remark.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// When.
    pub at: Duration,
    /// What was remarked.
    pub remark: Remark,
}

/// Evidence gathered outside scenarios.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedEvidence {
    /// When.
    pub at: Duration,
    /// The stage it belongs to.
    pub stage: Stage,
    /// What was seen.
    pub evidence: Evidence,
}

/// Something that failed, at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// When it was known.
    pub at: Duration,
    /// What failed.
    pub place: Place,
    /// Why.
    pub reason: Cause,
    /// What was seen there.
    pub evidence: Vec<Evidence>,
}

/// Where something failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A whole stage.
    Stage(Stage),
    /// A component of the stack.
    Component(String),
    /// A scenario, at one of its steps where that is known.
    Scenario {
        /// Which.
        scenario: ScenarioRef,
        /// The step that failed: keyword and text.
        step: Option<String>,
    },
}
