//! Runs that no fixture has: broken at each stage, and large ones.

use std::fmt::Write;

use lab_model::{
    event::{Event, Fact, ScenarioRef},
    exit::Exit,
    hindrance::Hindrance,
    outcome::Outcome,
    stage::Stage,
};
use lab_report::{
    fold::fold,
    github, html, junit,
    lang::Lang,
    messages,
    summary::{self, Look},
};

use crate::recording;

/// The largest page that is mailed and opened on a phone without a thought, bytes.
const LARGEST_PAGE: usize = 1_500_000;

/// A run that came as far as a stage, and broke in it.
fn broken_at(broken: Stage) -> Vec<Event> {
    let mut events = recording("passed").events;
    let starts =
        |event: &Event| matches!(event.fact, Fact::StageStarted { stage } if stage == broken);
    let start = events.iter().position(starts).unwrap();
    events.truncate(start + 1);
    let at = events[start].clone();
    let mut then = |after: u64, fact: Fact| {
        events.push(Event {
            seq: at.seq + after,
            elapsed_ms: at.elapsed_ms + after,
            fact,
            ..at.clone()
        });
    };
    then(
        700,
        Fact::StageFinished {
            stage: broken,
            outcome: Outcome::Failed {
                reason: format!("{broken} broke: the engine went away").into(),
            },
            millis: 700,
        },
    );
    let exit = if broken == Stage::Teardown {
        Exit::CleanupIncomplete
    } else {
        Exit::SetupFailed
    };
    then(
        701,
        Fact::RunFinished {
            exit_code: exit.code(),
            millis: at.elapsed_ms + 701,
        },
    );
    events
}

#[test]
fn a_run_that_broke_at_any_stage_says_where_and_why() {
    let mut told = String::new();
    for stage in Stage::ALL {
        let report = fold(broken_at(stage));
        let page = html::render(&report, Lang::English);
        let (_, cause) = page.split_once("<section class=\"cause\">").unwrap();
        assert!(
            cause.contains(&format!("{stage} broke: the engine went away")),
            "{stage}"
        );
        write!(
            told,
            "{stage}\n{}{}\n",
            summary::render(&report, None, Look::default()),
            github::annotations(&report)
        )
        .unwrap();
        assert!(junit::render(&report).unwrap().contains("first cause"));
    }
    insta::assert_snapshot!(told);
}

/// A run of many scenarios, each with the steps of one that was recorded.
fn of_many_scenarios(number: u32) -> Vec<Event> {
    let recorded = recording("passed").events;
    let is_scenario = |event: &&Event| {
        matches!(
            event.fact,
            Fact::ScenarioStarted { .. }
                | Fact::StepFinished { .. }
                | Fact::ScenarioFinished { .. }
        )
    };
    let one: Vec<Event> = recorded
        .iter()
        .filter(is_scenario)
        .take(6)
        .cloned()
        .collect();
    let first = recorded
        .iter()
        .position(|event| is_scenario(&event))
        .unwrap();
    let mut events = recorded[..first].to_vec();
    for index in 0..number {
        let renamed = one.iter().cloned().map(|mut event| {
            if let Fact::ScenarioStarted { scenario }
            | Fact::StepFinished { scenario, .. }
            | Fact::ScenarioFinished { scenario, .. } = &mut event.fact
            {
                *scenario = ScenarioRef {
                    file: format!("feature-{}.feature", index % 20),
                    name: format!("scenario {index}"),
                    line: index + 1,
                    ..scenario.clone()
                };
            }
            event.elapsed_ms += u64::from(index) * 100;
            event
        });
        events.extend(renamed);
    }
    events.extend(recorded.iter().rev().take(2).rev().cloned());
    events
}

#[test]
fn five_hundred_scenarios_are_all_there_and_the_page_stays_light() {
    let report = fold(of_many_scenarios(500));
    assert_eq!(report.counts().passed, 500);
    let page = html::render(&report, Lang::Korean);
    assert_eq!(
        page.matches("<details class=\"scenario passed\">").count(),
        500
    );
    assert!(page.len() < LARGEST_PAGE, "{}", page.len());
    let xml = junit::render(&report).unwrap();
    assert_eq!(xml.matches("classname=\"features/feature-").count(), 500);
    let messages = messages::render(&report);
    assert_eq!(messages.matches("{\"testCase\":").count(), 500);
}

#[test]
fn of_thousands_of_scenarios_those_that_failed_are_shown() {
    let mut events = of_many_scenarios(10_000);
    let last = events
        .iter_mut()
        .rev()
        .find_map(|event| match &mut event.fact {
            Fact::ScenarioFinished { outcome, .. } => Some(outcome),
            _ => None,
        });
    *last.unwrap() = Outcome::Failed {
        reason: "the last one".to_owned().into(),
    };
    let report = fold(events);
    assert_eq!(report.counts().all(), 10_000);
    let page = html::render(&report, Lang::Korean);
    let shown = |class: &str| {
        page.matches(&format!("<details class=\"scenario {class}\""))
            .count()
    };
    assert_eq!((shown("passed"), shown("failed")), (1_000, 1));
    assert!(page.contains("+ 시나리오 449개: events.ndjson"));
    assert!(page.len() < 2 * LARGEST_PAGE, "{}", page.len());
}

#[test]
fn a_page_of_thousands_that_failed_or_did_not_run_lists_the_first_of_them() {
    let mut events = of_many_scenarios(4_000);
    let outcomes = events.iter_mut().filter_map(|event| match &mut event.fact {
        Fact::ScenarioFinished { outcome, .. } => Some(outcome),
        _ => None,
    });
    for (turn, outcome) in outcomes.enumerate() {
        *outcome = if turn % 2 == 0 {
            Outcome::Failed {
                reason: format!("{turn}: {}", "no answer ".repeat(100)).into(),
            }
        } else {
            Outcome::NotRun {
                reason: Hindrance::StepFailed,
            }
        };
    }
    let page = html::render(&fold(events), Lang::English);
    assert!(page.contains("1,999 failures after it, in time order"));
    assert!(page.contains("+ 1,899 failures: events.ndjson"));
    // With the component that the recorded run could not run either.
    assert!(page.contains("+ 1,901 items: events.ndjson"));
    assert!(page.len() < 6 * LARGEST_PAGE, "{}", page.len());
}

#[test]
fn an_empty_record_is_no_passed_run() {
    let report = fold([]);
    assert!(html::render(&report, Lang::English).contains("Interrupted"));
    assert!(summary::render(&report, None, Look::default()).contains("Interrupted"));
}
