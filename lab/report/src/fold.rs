//! Folds events into a [`Report`]. Takes any events in any order without failing:
//! a record may be cut, and later versions write facts this one does not know.

use std::{collections::HashMap, time::Duration};

use lab_model::{
    benchmark::BenchmarkSummary,
    cause::Cause,
    event::{Event, Fact, ScenarioRef, WindowMeasured},
    outcome::Outcome,
    stage::Stage,
};

use crate::report::{
    ClusterReport, CollectedEvidence, ComponentReport, Failure, ImageReport, Note, Place,
    PodSamples, Report, ResourceSample, ScenarioReport, Span, StackReport, StageReport, StepReport,
};

/// Folds a run's events, in the order they were recorded.
pub fn fold(events: impl IntoIterator<Item = Event>) -> Report {
    let mut fold = Fold::default();
    for event in events {
        fold.take(event);
    }
    fold.finish()
}

/// A report in the making: events go in one by one, so that a large record is never whole
/// in memory.
#[derive(Debug, Default)]
pub struct Fold {
    report: Report,
    /// Where each scenario is in the report.
    scenarios: HashMap<ScenarioRef, usize>,
    /// Benchmarks that have not told their end, with their windows so far.
    benchmarks: Vec<BenchmarkSummary>,
    last: Duration,
}

/// A span of a known length that ended at a moment.
fn ended(at: Duration, millis: u64) -> Span {
    Span {
        start: at.saturating_sub(Duration::from_millis(millis)),
        end: at,
    }
}

/// Whether the figures are of this workload against this target.
fn same(benchmark: &BenchmarkSummary, workload: &str, target: &str) -> bool {
    benchmark.workload == workload && benchmark.target == target
}

impl Fold {
    /// Takes the next event.
    pub fn take(&mut self, event: Event) {
        let at = Duration::from_millis(event.elapsed_ms);
        self.last = self.last.max(at);
        match event.fact {
            Fact::RunStarted(about) => {
                self.report.run.about = Some(about);
                self.report.run.began = Some(event.time);
            }
            Fact::RunFinished { exit_code, millis } => {
                self.report.run.exit_code = Some(exit_code);
                self.report.run.total = Duration::from_millis(millis);
            }
            Fact::StageStarted { stage } => self.start_stage(stage, at),
            Fact::StageFinished {
                stage,
                outcome,
                millis,
            } => {
                self.finish_stage(stage, outcome, ended(at, millis));
            }
            Fact::ScenarioStarted { scenario } => {
                self.scenario(scenario, at).attempts += 1;
            }
            Fact::ScenarioFinished {
                scenario,
                outcome,
                millis,
            } => {
                self.finish_scenario(scenario, outcome, ended(at, millis));
            }
            Fact::WindowMeasured(window) => self.window(window),
            Fact::BenchmarkFinished(summary) => {
                self.benchmarks
                    .retain(|one| !same(one, &summary.workload, &summary.target));
                self.report.benchmarks.push(summary);
            }
            fact @ Fact::StepFinished { .. } => self.step(fact, at),
            fact @ Fact::ComponentFinished { .. } => self.component(fact, at),
            other => self.remark(other, at),
        }
    }

    /// Keeps a window until its benchmark tells its end, which has all of them.
    fn window(&mut self, window: WindowMeasured) {
        // A window of a search stands in the search's own list.
        if window.of.is_none() {
            return;
        }
        let point = *window.point;
        let open = self.benchmarks.iter_mut();
        match open
            .rev()
            .find(|one| same(one, &window.workload, &window.target))
        {
            Some(benchmark) => benchmark.points.push(point),
            None => self.benchmarks.push(BenchmarkSummary {
                workload: window.workload,
                target: window.target,
                batch_size: 1,
                points: vec![point],
                generators: None,
                highest: None,
                missed: Vec::new(),
            }),
        }
    }

    /// What was measured of benchmarks that never ended is shown, and said to be a part.
    fn cut_benchmarks(&mut self) {
        for benchmark in std::mem::take(&mut self.benchmarks) {
            self.report.cut.push(benchmark.workload.clone());
            self.report.benchmarks.push(benchmark);
        }
    }

    /// Facts that stand for themselves.
    fn remark(&mut self, fact: Fact, at: Duration) {
        let report = &mut self.report;
        match fact {
            Fact::ImageReady(image) => report.images.push(ImageReport {
                span: ended(at, image.millis),
                image,
            }),
            Fact::ClusterReady {
                cluster,
                provider,
                version,
                nodes,
            } => {
                report.run.cluster = Some(ClusterReport {
                    name: cluster.to_string(),
                    provider,
                    version,
                    nodes,
                    at,
                });
            }
            Fact::ResourcesSampled {
                memory_bytes,
                cpu_seconds,
            } => {
                report.resources.push(ResourceSample {
                    at,
                    memory_bytes,
                    cpu_seconds,
                });
            }
            Fact::StackInstalled(stack) => {
                report.stack = Some(StackReport {
                    span: ended(at, stack.millis),
                    stack,
                });
            }
            Fact::PodsSampled { pods } => report.pods.push(PodSamples { at, pods }),
            Fact::EvidenceCollected { stage, evidence } => {
                report.evidence.push(CollectedEvidence {
                    at,
                    stage,
                    evidence,
                });
            }
            Fact::Noted { remark } => report.notes.push(Note { at, remark }),
            // Progress is for the person who watches; the rest is taken elsewhere.
            _ => {}
        }
    }

    fn start_stage(&mut self, stage: Stage, at: Duration) {
        let span = Span { start: at, end: at };
        self.report.stages.push(StageReport {
            stage,
            span,
            outcome: None,
        });
    }

    fn finish_stage(&mut self, stage: Stage, outcome: Outcome, span: Span) {
        if let Outcome::Failed { reason } = &outcome {
            self.fail(span.end, Place::Stage(stage), reason);
        }
        let open = self
            .report
            .stages
            .iter_mut()
            .rev()
            .find(|report| report.stage == stage && report.outcome.is_none());
        match open {
            Some(report) => {
                report.span.end = span.end.max(report.span.start);
                report.outcome = Some(outcome);
            }
            None => self.report.stages.push(StageReport {
                stage,
                span,
                outcome: Some(outcome),
            }),
        }
    }

    fn component(&mut self, fact: Fact, at: Duration) {
        let Fact::ComponentFinished {
            component,
            image,
            documented,
            actual,
            outcome,
            millis,
        } = fact
        else {
            return;
        };
        if let Outcome::Failed { reason } = &outcome {
            self.fail(at, Place::Component(component.clone()), reason);
        }
        // Told together, once all are ready: when each was is known from the start of it all.
        let installing = self.report.stages.iter().rev();
        let installing = installing
            .filter(|it| it.stage == Stage::Install && it.outcome.is_none())
            .map(|it| it.span.start)
            .next();
        let span = installing.map_or(ended(at, millis), |start| Span {
            start,
            end: start + Duration::from_millis(millis),
        });
        self.report.components.push(ComponentReport {
            name: component,
            image,
            documented,
            actual,
            span,
            outcome,
        });
    }

    /// The scenario's report, made when this is the first word of it.
    fn scenario(&mut self, scenario: ScenarioRef, at: Duration) -> &mut ScenarioReport {
        let scenarios = &mut self.report.scenarios;
        let index = if let Some(index) = self.scenarios.get(&scenario) {
            *index
        } else {
            self.scenarios.insert(scenario.clone(), scenarios.len());
            scenarios.push(ScenarioReport {
                scenario,
                span: Span { start: at, end: at },
                outcome: None,
                attempts: 0,
                steps: Vec::new(),
            });
            scenarios.len() - 1
        };
        &mut scenarios[index]
    }

    fn step(&mut self, fact: Fact, at: Duration) {
        let Fact::StepFinished {
            scenario,
            keyword,
            text,
            line,
            outcome,
            millis,
            evidence,
        } = fact
        else {
            return;
        };
        let report = self.scenario(scenario, at);
        report.span.end = report.span.end.max(at);
        let attempt = report.attempts.max(1);
        report.steps.push(StepReport {
            keyword,
            text,
            line,
            outcome,
            span: ended(at, millis),
            evidence,
            attempt,
        });
    }

    fn finish_scenario(&mut self, scenario: ScenarioRef, outcome: Outcome, span: Span) {
        let report = self.scenario(scenario, span.start);
        report.span.end = span.end.max(report.span.start);
        report.attempts = report.attempts.max(1);
        let outcome = report.outcome.insert(outcome);
        let Outcome::Failed { reason } = outcome else {
            return;
        };
        let step = report.steps.iter().rfind(|step| step.outcome.is_failed());
        let failure = Failure {
            at: step.map_or(span.end, |step| step.span.end),
            reason: step
                .and_then(|step| step.outcome.cause())
                .unwrap_or(reason)
                .clone(),
            evidence: step.map(|step| step.evidence.clone()).unwrap_or_default(),
            place: Place::Scenario {
                scenario: report.scenario.clone(),
                step: step.map(|step| format!("{} {}", step.keyword.trim(), step.text)),
            },
        };
        self.report.failures.push(failure);
    }

    fn fail(&mut self, at: Duration, place: Place, reason: &Cause) {
        self.report.failures.push(Failure {
            at,
            place,
            reason: reason.clone(),
            evidence: Vec::new(),
        });
    }

    /// The report of all that was taken.
    pub fn finish(mut self) -> Report {
        self.cut_benchmarks();
        let report = &mut self.report;
        report.run.total = report.run.total.max(self.last);
        let end = report.run.total;
        for stage in report
            .stages
            .iter_mut()
            .filter(|stage| stage.outcome.is_none())
        {
            stage.span.end = end;
        }
        for scenario in report
            .scenarios
            .iter_mut()
            .filter(|one| one.outcome.is_none())
        {
            scenario.span.end = end;
        }
        // Stable: of two failures known in the same millisecond the one told first is the cause.
        report.failures.sort_by_key(|failure| failure.at);
        self.report
    }
}
