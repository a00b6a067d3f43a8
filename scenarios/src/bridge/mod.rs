//! From cucumber's events to the lab's facts.

#[cfg(test)]
mod tests;

use std::{
    any::Any,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use cucumber::{
    Event, Writer, cli,
    event::{
        Cucumber, Feature as FeatureEvent, Hook, RetryableScenario, Rule as RuleEvent,
        Scenario as ScenarioEvent, Step as StepEvent, StepError,
    },
    gherkin::{Feature, Scenario, Step},
    parser,
};
use lab_model::{
    cause::Cause,
    event::{Emitter, Fact, ScenarioRef},
    hindrance::Hindrance,
    outcome::Outcome,
};

use crate::{catalog::all_tags, evidence::Recorder, run::Summary, world::World};

/// A cucumber writer that emits facts. It expects normalized events: whole
/// scenarios, one after the other.
pub(crate) struct Bridge {
    emitter: Arc<dyn Emitter>,
    recorder: Recorder,
    folder: PathBuf,
    summary: Summary,
    current: Option<Current>,
}

/// The scenario that runs now.
struct Current {
    scenario: ScenarioRef,
    started: SystemTime,
    step_started: SystemTime,
    steps_told: usize,
    failed: Option<Cause>,
}

impl Bridge {
    /// Names files relative to `folder`.
    pub(crate) fn new(emitter: Arc<dyn Emitter>, recorder: Recorder, folder: PathBuf) -> Self {
        Self {
            emitter,
            recorder,
            folder,
            summary: Summary::default(),
            current: None,
        }
    }

    /// How the scenarios ended.
    pub(crate) fn summary(&self) -> Summary {
        self.summary.clone()
    }

    /// Tells of a scenario that cannot run here.
    pub(crate) fn not_run(&mut self, feature: &Feature, scenario: &Scenario, reason: Hindrance) {
        let scenario = self.reference(feature, scenario);
        self.emitter.emit(Fact::ScenarioStarted {
            scenario: scenario.clone(),
        });
        let outcome = Outcome::NotRun { reason };
        self.finish(scenario, outcome, 0);
    }

    fn reference(&self, feature: &Feature, scenario: &Scenario) -> ScenarioRef {
        let path = feature.path.clone().unwrap_or_default();
        let file = path.strip_prefix(&self.folder).unwrap_or(&path);
        ScenarioRef {
            feature: feature.name.clone(),
            file: file.to_string_lossy().into_owned(),
            name: scenario.name.clone(),
            line: u32::try_from(scenario.position.line).unwrap_or(0),
            tags: all_tags(feature, scenario).map(str::to_owned).collect(),
        }
    }

    fn finish(&mut self, scenario: ScenarioRef, outcome: Outcome, millis: u64) {
        match &outcome {
            Outcome::Passed | Outcome::Flaky { .. } => self.summary.passed += 1,
            Outcome::Failed { .. } => self.summary.failed += 1,
            Outcome::NotRun { .. } => self.summary.not_run += 1,
        }
        self.emitter.emit(Fact::ScenarioFinished {
            scenario,
            outcome,
            millis,
        });
    }

    fn scenario(
        &mut self,
        at: SystemTime,
        (feature, scenario): (&Feature, &Scenario),
        event: ScenarioEvent<World>,
    ) {
        match event {
            ScenarioEvent::Started => {
                let reference = self.reference(feature, scenario);
                self.emitter.emit(Fact::ScenarioStarted {
                    scenario: reference.clone(),
                });
                self.current = Some(Current {
                    scenario: reference,
                    started: at,
                    step_started: at,
                    steps_told: 0,
                    failed: None,
                });
            }
            ScenarioEvent::Hook(which, Hook::Failed(_, info)) => {
                if let Some(current) = &mut self.current {
                    let text = format!("hook `{which}`: {}", panic_text(&info));
                    current.failed.get_or_insert(text.into());
                }
            }
            ScenarioEvent::Background(step, event) | ScenarioEvent::Step(step, event) => {
                self.step(at, &step, event);
            }
            ScenarioEvent::Hook(..) | ScenarioEvent::Log(_) => {}
            ScenarioEvent::Finished => self.scenario_finished(at, feature, scenario),
        }
    }

    fn step(&mut self, at: SystemTime, step: &Step, event: StepEvent<World>) {
        let outcome = match event {
            StepEvent::Started => {
                if let Some(current) = &mut self.current {
                    current.step_started = at;
                }
                return;
            }
            StepEvent::Passed(..) => Outcome::Passed,
            StepEvent::Skipped => Outcome::Failed {
                reason: Cause::UnknownStep,
            },
            StepEvent::Failed(.., error) => Outcome::Failed {
                reason: step_error_text(&error).into(),
            },
        };
        let evidence = self.recorder.take_until(at);
        let Some(current) = &mut self.current else {
            return;
        };
        current.steps_told += 1;
        if let Outcome::Failed { reason } = &outcome {
            current.failed.get_or_insert_with(|| Cause::Step {
                step: format!("{} {}", step.keyword.trim(), step.value),
                cause: Box::new(reason.clone()),
            });
        }
        self.emitter.emit(Fact::StepFinished {
            scenario: current.scenario.clone(),
            keyword: step.keyword.trim().to_owned(),
            text: step.value.clone(),
            line: line(step),
            outcome,
            millis: millis(current.step_started, at),
            evidence,
        });
    }

    fn scenario_finished(&mut self, at: SystemTime, feature: &Feature, scenario: &Scenario) {
        let Some(current) = self.current.take() else {
            return;
        };
        let background = feature.background.iter().flat_map(|part| &part.steps);
        for step in background.chain(&scenario.steps).skip(current.steps_told) {
            self.emitter.emit(Fact::StepFinished {
                scenario: current.scenario.clone(),
                keyword: step.keyword.trim().to_owned(),
                text: step.value.clone(),
                line: line(step),
                outcome: Outcome::NotRun {
                    reason: Hindrance::StepFailed,
                },
                millis: 0,
                evidence: Vec::new(),
            });
        }
        let outcome = current
            .failed
            .map_or(Outcome::Passed, |reason| Outcome::Failed { reason });
        self.finish(current.scenario, outcome, millis(current.started, at));
    }
}

impl Writer<World> for Bridge {
    type Cli = cli::Empty;

    async fn handle_event(&mut self, event: parser::Result<Event<Cucumber<World>>>, _: &Self::Cli) {
        // Features are read before the run, so that none can fail to be read here.
        let Ok(event) = event else {
            return;
        };
        let at = event.at;
        let Cucumber::Feature(feature, event) = event.into_inner() else {
            return;
        };
        let (scenario, event) = match event {
            FeatureEvent::Scenario(scenario, event)
            | FeatureEvent::Rule(_, RuleEvent::Scenario(scenario, event)) => (scenario, event),
            FeatureEvent::Started | FeatureEvent::Finished | FeatureEvent::Rule(..) => return,
        };
        let RetryableScenario { event, .. } = event;
        self.scenario(at, (&feature, &scenario), event);
    }
}

/// The step's line, from 1.
fn line(step: &Step) -> u32 {
    u32::try_from(step.position.line).unwrap_or(0)
}

fn millis(from: SystemTime, to: SystemTime) -> u64 {
    let time = to.duration_since(from).unwrap_or(Duration::ZERO);
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn step_error_text(error: &StepError) -> String {
    match error {
        StepError::Panic(info) => panic_text(info),
        other => other.to_string(),
    }
}

/// A step that returns an error reaches cucumber as a panic with the error's text.
fn panic_text(info: &Arc<dyn Any + Send + 'static>) -> String {
    info.downcast_ref::<String>()
        .cloned()
        .or_else(|| info.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked without a message".to_owned())
}
