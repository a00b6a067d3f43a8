//! What a run amounts to, folded from its events. Plain data that every output reads.

use std::time::Duration;

use jiff::Timestamp;
use lab_model::{
    benchmark::BenchmarkSummary,
    event::{Evidence, ImageReady, RunStarted, ScenarioRef},
    outcome::Outcome,
    stage::Stage,
};

/// A whole run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What ran, where, and how it ended.
    pub run: RunFacts,
    /// Stages that began, in the order they began.
    pub stages: Vec<StageReport>,
    /// Images that became usable, in time order.
    pub images: Vec<ImageReport>,
    /// Components, in the order they finished.
    pub components: Vec<ComponentReport>,
    /// Scenarios, in the order they began.
    pub scenarios: Vec<ScenarioReport>,
    /// Benchmarks, in time order.
    pub benchmarks: Vec<BenchmarkSummary>,
    /// Memory and CPU over time.
    pub resources: Vec<ResourceSample>,
    /// Remarks, in time order.
    pub notes: Vec<Note>,
    /// Evidence gathered outside scenarios, in time order.
    pub evidence: Vec<CollectedEvidence>,
    /// Failures in time order; the first is the first cause.
    pub failures: Vec<Failure>,
}

impl Report {
    /// The failure that happened first.
    pub fn first_cause(&self) -> Option<&Failure> {
        self.failures.first()
    }

    /// How the run as a whole ended.
    pub fn verdict(&self) -> Verdict {
        let Some(code) = self.run.exit_code else {
            return Verdict::Interrupted;
        };
        match code {
            0 if self.failures.is_empty() && !self.verified() => Verdict::NothingVerified,
            0 if self.failures.is_empty() => Verdict::Passed,
            0 | 10 => Verdict::ScenariosFailed,
            11 => Verdict::BudgetMissed,
            12 => Verdict::SetupFailed,
            13 => Verdict::CleanupIncomplete,
            130 => Verdict::Interrupted,
            code => Verdict::Error(code),
        }
    }

    /// Whether at least one scenario passed: what did not run is never shown as passed.
    fn verified(&self) -> bool {
        let counts = self.counts();
        counts.passed + counts.flaky > 0
    }

    /// The stage that the run ended in, with the scenario, where it ended before its end.
    pub fn stopped_at(&self) -> Option<(Stage, Option<&ScenarioRef>)> {
        let stage = self
            .stages
            .iter()
            .rev()
            .find(|stage| stage.outcome.is_none())?;
        let scenario = self
            .scenarios
            .iter()
            .rev()
            .find(|one| one.outcome.is_none());
        Some((stage.stage, scenario.map(|one| &one.scenario)))
    }

    /// How many scenarios ended how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for scenario in &self.scenarios {
            match &scenario.outcome {
                Some(Outcome::Passed) => counts.passed += 1,
                Some(Outcome::Flaky { .. }) => counts.flaky += 1,
                Some(Outcome::Failed { .. }) => counts.failed += 1,
                Some(Outcome::NotRun { .. }) => counts.not_run += 1,
                None => counts.unfinished += 1,
            }
        }
        counts
    }

    /// What could not run, with the reason: components first, then scenarios, then stages.
    pub fn not_run(&self) -> Vec<NotRun<'_>> {
        let components = self.components.iter().map(|component| {
            (
                component.name.as_str(),
                NotRunKind::Component,
                Some(&component.outcome),
            )
        });
        let scenarios = self.scenarios.iter().map(|scenario| {
            (
                scenario.scenario.name.as_str(),
                NotRunKind::Scenario,
                scenario.outcome.as_ref(),
            )
        });
        let stages = self.stages.iter().map(|stage| {
            (
                stage.stage.as_str(),
                NotRunKind::Stage,
                stage.outcome.as_ref(),
            )
        });
        components
            .chain(scenarios)
            .chain(stages)
            .filter_map(|(name, kind, outcome)| match outcome {
                Some(Outcome::NotRun { reason }) => Some(NotRun { name, kind, reason }),
                _ => None,
            })
            .collect()
    }

    /// The largest memory sample, bytes.
    pub fn memory_peak(&self) -> Option<u64> {
        self.resources
            .iter()
            .map(|sample| sample.memory_bytes)
            .max()
    }
}

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

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Duration,
    /// The remark.
    pub text: String,
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
    /// Why, in plain words.
    pub reason: String,
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

/// How a run ended as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was asked for happened.
    Passed,
    /// Nothing failed, and no scenario passed: none was run.
    NothingVerified,
    /// At least one scenario failed.
    ScenariosFailed,
    /// A benchmark missed its budget.
    BudgetMissed,
    /// The set-up failed before scenarios could run.
    SetupFailed,
    /// Something could not be removed.
    CleanupIncomplete,
    /// The run ended before its end: by a signal, or without a last event.
    Interrupted,
    /// Another exit code: a wrong command line or a bug.
    Error(u8),
}

/// How many scenarios ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed at the first try.
    pub passed: usize,
    /// Passed at a later try.
    pub flaky: usize,
    /// Failed.
    pub failed: usize,
    /// Could not run here.
    pub not_run: usize,
    /// Began and never ended.
    pub unfinished: usize,
}

impl Counts {
    /// All scenarios that began.
    pub const fn all(self) -> usize {
        self.passed + self.flaky + self.failed + self.not_run + self.unfinished
    }
}

/// Something that could not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRun<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: NotRunKind,
    /// Why it could not run.
    pub reason: &'a str,
}

/// What could not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRunKind {
    /// A component of the stack.
    Component,
    /// A scenario.
    Scenario,
    /// A stage.
    Stage,
}
