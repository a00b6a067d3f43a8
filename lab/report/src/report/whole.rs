//! The whole of it, and what it says of itself.

use lab_model::{benchmark::BenchmarkSummary, event::ScenarioRef, outcome::Outcome, stage::Stage};

use super::{
    BestBenchmark, CollectedEvidence, ComponentReport, Counts, Failure, ImageReport, NotRun,
    NotRunKind, Note, PodSamples, ResourceSample, RunFacts, ScenarioReport, StackReport,
    StageReport, Verdict,
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
    /// The stack, once Helm had handed it over.
    pub stack: Option<StackReport>,
    /// Components, in the order they finished.
    pub components: Vec<ComponentReport>,
    /// Scenarios, in the order they began.
    pub scenarios: Vec<ScenarioReport>,
    /// Benchmarks, in time order.
    pub benchmarks: Vec<BenchmarkSummary>,
    /// Workloads whose benchmark never came to its end: only its windows before that are known.
    pub cut: Vec<String>,
    /// Memory and CPU over time.
    pub resources: Vec<ResourceSample>,
    /// What single pods used, over time.
    pub pods: Vec<PodSamples>,
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

    /// The best of all benchmarks: the point with most right answers a second.
    pub fn best_benchmark(&self) -> Option<BestBenchmark> {
        let points = self.benchmarks.iter().flat_map(|one| &one.points);
        let points = points.filter(|point| point.void.is_empty());
        let best = points.max_by(|one, other| one.throughput.total_cmp(&other.throughput))?;
        Some(BestBenchmark {
            throughput: best.throughput,
            p99_micros: best.latency.p99,
            offered: best.offered,
        })
    }

    /// The largest memory sample, bytes.
    pub fn memory_peak(&self) -> Option<u64> {
        self.resources
            .iter()
            .map(|sample| sample.memory_bytes)
            .max()
    }
}
