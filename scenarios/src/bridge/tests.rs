//! The bridge, fed with the events of one scenario.

use std::sync::Mutex;

use cucumber::{
    codegen::Regex,
    event::{HookType, Source},
    gherkin::GherkinEnv,
};

use super::*;

#[derive(Default)]
struct Kept(Mutex<Vec<Fact>>);

impl Emitter for Kept {
    fn emit(&self, fact: Fact) {
        self.0.lock().unwrap().push(fact);
    }
}

impl Kept {
    /// Each fact in one line, without times.
    fn lines(&self) -> String {
        let words = |outcome: &Outcome| {
            let reason = outcome.reason().map(|reason| format!(" ({reason})"));
            format!("{}{}", outcome.word(), reason.unwrap_or_default())
        };
        let facts = self.0.lock().unwrap();
        let lines = facts.iter().map(|fact| match fact {
            Fact::ScenarioStarted { scenario } => {
                format!("{}:{} {}", scenario.file, scenario.line, scenario.name)
            }
            Fact::StepFinished {
                keyword,
                text,
                outcome,
                evidence,
                ..
            } => format!("{keyword} {text}: {}, saw {evidence:?}", words(outcome)),
            Fact::ScenarioFinished { outcome, .. } => words(outcome),
            other => format!("{other:?}"),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Feeds the events of the first scenario to a bridge; `step` numbers from 0.
struct Play {
    kept: Arc<Kept>,
    recorder: Recorder,
    bridge: Bridge,
    feature: Feature,
}

impl Play {
    fn new() -> Self {
        let text = "Feature: f\n  @tag\n  Scenario: s\n    Given a\n    When b\n    Then c\n";
        let mut feature = Feature::parse(text, GherkinEnv::default()).unwrap();
        feature.path = Some(PathBuf::from("/features/ko/train.feature"));
        let kept = Arc::new(Kept::default());
        let recorder = Recorder::default();
        let emitter: Arc<dyn Emitter> = Arc::clone(&kept) as _;
        let bridge = Bridge::new(emitter, recorder.clone(), PathBuf::from("/features"));
        Self {
            kept,
            recorder,
            bridge,
            feature,
        }
    }

    fn event(&mut self, event: ScenarioEvent<World>) {
        let feature = self.feature.clone();
        let at = SystemTime::now();
        self.bridge
            .scenario(at, (&feature, &feature.scenarios[0]), event);
    }

    fn step(&mut self, number: usize, event: StepEvent<World>) {
        let step = Source::new(self.feature.scenarios[0].steps[number].clone());
        self.event(ScenarioEvent::Step(step, event));
    }
}

fn passed() -> StepEvent<World> {
    StepEvent::Passed(Regex::new("").unwrap().capture_locations(), None)
}

fn panicked(text: &str) -> Arc<dyn Any + Send> {
    Arc::new(text.to_owned())
}

#[test]
fn a_failed_step_gives_the_reason_and_leaves_the_rest_not_run() {
    let mut play = Play::new();
    play.event(ScenarioEvent::Started);
    play.recorder.saw("GET /", "200");
    play.step(0, passed());
    let failed = StepEvent::Failed(None, None, None, StepError::Panic(panicked("refused")));
    play.step(1, failed);
    play.event(ScenarioEvent::Finished);

    insta::assert_snapshot!(play.kept.lines(), @r#"
    ko/train.feature:3 s
    Given a: passed, saw [Evidence { source: "GET /", text: "200" }]
    When b: failed (refused), saw []
    Then c: not-run (a step before it failed), saw []
    failed (When b: refused)
    "#);
    assert_eq!(play.bridge.summary().failed, 1);
}

#[test]
fn a_step_that_matches_no_function_is_a_failure() {
    let mut play = Play::new();
    play.event(ScenarioEvent::Started);
    play.step(0, StepEvent::Skipped);
    play.event(ScenarioEvent::Finished);

    assert_eq!(play.bridge.summary().failed, 1);
    assert!(
        play.kept
            .lines()
            .ends_with("failed (Given a: no step function matches this step)")
    );
}

#[test]
fn a_failed_hook_is_a_failure() {
    let mut play = Play::new();
    play.event(ScenarioEvent::Started);
    let hook = Hook::Failed(None, panicked("no lab"));
    play.event(ScenarioEvent::Hook(HookType::Before, hook));
    play.event(ScenarioEvent::Finished);

    assert!(
        play.kept
            .lines()
            .ends_with("failed (hook `Before`: no lab)")
    );
}

#[test]
fn a_scenario_that_cannot_run_is_told_with_its_reason() {
    let mut play = Play::new();
    let feature = play.feature.clone();
    let reason = "grafana does not run here".to_owned().into();
    play.bridge.not_run(&feature, &feature.scenarios[0], reason);

    assert!(
        play.kept
            .lines()
            .ends_with("not-run (grafana does not run here)")
    );
    assert_eq!(play.bridge.summary().not_run, 1);
}

#[test]
fn a_passed_scenario_is_passed() {
    let mut play = Play::new();
    play.event(ScenarioEvent::Started);
    for number in 0..3 {
        play.step(number, passed());
    }
    play.event(ScenarioEvent::Finished);

    assert_eq!(play.bridge.summary().passed, 1);
    assert!(play.kept.lines().ends_with("\npassed"));
}
