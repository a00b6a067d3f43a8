//! Cucumber Messages: NDJSON that Cucumber's own report viewers read.
//!
//! The protocol's schema is <https://github.com/cucumber/messages>, `jsonschema/src`.
//! Events tell no more of a feature's file than the lines of scenarios and steps; where
//! the protocol asks for another place in it, the nearest one known stands there.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lab_model::{event::Evidence, outcome::Outcome};
use serde_json::{Value, json};

use crate::{
    report::{Report, ScenarioReport, StepReport},
    text::{one_line, plain, shorten},
};

/// The version of the protocol that this speaks.
const PROTOCOL: &str = "34.2.0";
/// The longest name, characters.
const NAME_LIMIT: usize = 1000;
/// The longest evidence, bytes: viewers hold everything in memory.
const EVIDENCE_LIMIT: usize = 32 * 1024;
/// What a step stands for that no line of the feature has: the scenario could not run
/// here, or broke outside its steps.
const HOOK: &str = "hook";

/// Renders messages, one JSON object a line.
pub fn render(report: &Report) -> String {
    let mut out = Messages {
        began: report.run.began.unwrap_or(Timestamp::UNIX_EPOCH),
        lines: String::new(),
    };
    out.say("meta", &meta(report));
    for scenarios in &features(report) {
        out.say("gherkinDocument", &document(scenarios));
        for (number, scenario) in scenarios {
            out.say("pickle", &pickle(*number, scenario));
        }
    }
    out.say(
        "hook",
        &json!({
            "id": HOOK, "name": "can it run here",
            "sourceReference": {"uri": "features"},
        }),
    );
    let start = out.at(Duration::ZERO);
    out.say("testRunStarted", &json!({"id": "run", "timestamp": start}));
    for (number, scenario) in report.scenarios.iter().enumerate() {
        out.say("testCase", &test_case(number, scenario));
        out.attempts(number, scenario);
    }
    let end = out.at(report.run.total);
    out.say(
        "testRunFinished",
        &json!({
            "testRunStartedId": "run", "timestamp": end,
            "success": report.run.exit_code == Some(0) && report.failures.is_empty(),
        }),
    );
    out.lines
}

/// A scenario with its place in the report.
type Numbered<'a> = (usize, &'a ScenarioReport);

/// Scenarios by their feature's file, in the order of the first of each.
fn features(report: &Report) -> Vec<Vec<Numbered<'_>>> {
    let mut features: Vec<Vec<Numbered<'_>>> = Vec::new();
    for numbered in report.scenarios.iter().enumerate() {
        let file = &numbered.1.scenario.file;
        let known = features
            .iter_mut()
            .find(|it| it[0].1.scenario.file == *file);
        match known {
            Some(feature) => feature.push(numbered),
            None => features.push(vec![numbered]),
        }
    }
    features
}

fn meta(report: &Report) -> Value {
    let about = report.run.about.as_ref();
    let version = about.map_or_else(String::new, |it| one_line(&it.lab_version, NAME_LIMIT));
    let os = about.map_or_else(String::new, |it| one_line(&it.host.os, NAME_LIMIT));
    json!({
        "protocolVersion": PROTOCOL,
        "implementation": {"name": "lab", "version": version},
        "runtime": {"name": "lab", "version": version},
        "os": {"name": os},
        "cpu": {"name": about.map_or(0, |it| it.host.cpus).to_string()},
    })
}

fn document(scenarios: &[Numbered<'_>]) -> Value {
    let first = &scenarios[0].1.scenario;
    let is_korean = language(&first.file) == "ko";
    let (feature, keyword) = if is_korean {
        ("기능", "시나리오")
    } else {
        ("Feature", "Scenario")
    };
    let children: Vec<_> = scenarios
        .iter()
        .map(|(number, it)| json!({"scenario": scenario(*number, it, keyword)}))
        .collect();
    json!({
        "uri": uri(&first.file),
        "comments": [],
        "feature": {
            "location": {"line": 1}, "tags": [], "language": language(&first.file),
            "keyword": feature, "name": one_line(&first.feature, NAME_LIMIT),
            "description": "", "children": children,
        },
    })
}

fn scenario(number: usize, report: &ScenarioReport, keyword: &str) -> Value {
    let at = &report.scenario;
    let line = at.line.max(1);
    let tags: Vec<_> = tags(report)
        .enumerate()
        .map(|(index, tag)| {
            json!({"location": {"line": line}, "name": tag, "id": tag_id(number, index)})
        })
        .collect();
    let steps: Vec<_> = steps(report)
        .iter()
        .enumerate()
        .map(|(index, step)| {
            json!({
                "id": step_id(number, index),
                "location": {"line": if step.line > 0 { step.line } else { line }},
                "keyword": format!("{} ", one_line(&step.keyword, NAME_LIMIT)),
                "text": one_line(&step.text, NAME_LIMIT),
            })
        })
        .collect();
    json!({
        "id": format!("scenario-{number}"), "location": {"line": line}, "tags": tags,
        "keyword": keyword, "name": one_line(&at.name, NAME_LIMIT), "description": "",
        "steps": steps, "examples": [],
    })
}

fn pickle(number: usize, report: &ScenarioReport) -> Value {
    let at = &report.scenario;
    let tags: Vec<_> = tags(report)
        .enumerate()
        .map(|(index, tag)| json!({"name": tag, "astNodeId": tag_id(number, index)}))
        .collect();
    let steps: Vec<_> = steps(report)
        .iter()
        .enumerate()
        .map(|(index, step)| {
            json!({
                "id": pickle_step_id(number, index),
                "astNodeIds": [step_id(number, index)],
                "text": one_line(&step.text, NAME_LIMIT),
            })
        })
        .collect();
    json!({
        "id": format!("pickle-{number}"), "uri": uri(&at.file),
        "name": one_line(&at.name, NAME_LIMIT), "language": language(&at.file),
        "steps": steps, "tags": tags, "astNodeIds": [format!("scenario-{number}")],
    })
}

fn test_case(number: usize, report: &ScenarioReport) -> Value {
    let hook = json!({"id": test_step_id(number, None), "hookId": HOOK});
    let steps = (0..steps(report).len()).map(|index| {
        json!({
            "id": test_step_id(number, Some(index)),
            "pickleStepId": pickle_step_id(number, index),
            "stepDefinitionIds": [], "stepMatchArgumentsLists": [],
        })
    });
    json!({
        "id": format!("case-{number}"), "pickleId": format!("pickle-{number}"),
        "testRunStartedId": "run", "testSteps": std::iter::once(hook).chain(steps).collect::<Vec<_>>(),
    })
}

/// The steps of the attempt that has most of them: of a scenario that was cut off, all
/// that are known.
fn steps(report: &ScenarioReport) -> Vec<&StepReport> {
    let of = |attempt: u32| report.steps.iter().filter(move |it| it.attempt == attempt);
    let longest = (1..=report.attempts.max(1)).max_by_key(|attempt| of(*attempt).count());
    of(longest.unwrap_or(1)).collect()
}

struct Messages {
    began: Timestamp,
    lines: String,
}

impl Messages {
    fn say(&mut self, kind: &str, message: &Value) {
        self.lines.push_str(&json!({ kind: message }).to_string());
        self.lines.push('\n');
    }

    /// A moment of the run, as the protocol writes it.
    fn at(&self, moment: Duration) -> Value {
        let since = SignedDuration::try_from(moment).unwrap_or_default();
        let time = self.began.checked_add(since).unwrap_or(self.began);
        json!({"seconds": time.as_second(), "nanos": time.subsec_nanosecond().max(0)})
    }

    fn attempts(&mut self, number: usize, report: &ScenarioReport) {
        let last = report.attempts.max(1);
        for attempt in 1..=last {
            let id = format!("attempt-{number}-{attempt}");
            let of_attempt = |it: &&StepReport| it.attempt == attempt;
            let steps: Vec<_> = report.steps.iter().filter(of_attempt).collect();
            let (first, end) = match (steps.first(), steps.last()) {
                (Some(first), Some(end)) => (first.span.start, end.span.end),
                _ => (report.span.start, report.span.end),
            };
            let (started, finished) = (self.at(first), self.at(end));
            self.say(
                "testCaseStarted",
                &json!({
                    "id": id, "testCaseId": format!("case-{number}"),
                    "attempt": attempt - 1, "timestamp": started,
                }),
            );
            let outcome = outside_steps(report, attempt == last, &steps);
            let hook = test_step_id(number, None);
            self.step((&id, &hook), (first, first), &outcome, &[]);
            for (index, step) in steps.iter().enumerate() {
                let result = result(&step.outcome, step.span.length());
                let span = (step.span.start, step.span.end);
                let step_id = test_step_id(number, Some(index));
                self.step((&id, &step_id), span, &result, &step.evidence);
            }
            self.say(
                "testCaseFinished",
                &json!({
                    "testCaseStartedId": id, "timestamp": finished,
                    "willBeRetried": attempt < last,
                }),
            );
        }
    }

    fn step(
        &mut self,
        (attempt, step): (&str, &str),
        (start, end): (Duration, Duration),
        result: &Value,
        evidence: &[Evidence],
    ) {
        let (start, end) = (self.at(start), self.at(end));
        self.say(
            "testStepStarted",
            &json!({"testCaseStartedId": attempt, "testStepId": step, "timestamp": start}),
        );
        for one in evidence {
            self.say(
                "attachment",
                &json!({
                    "testCaseStartedId": attempt, "testStepId": step,
                    "fileName": one_line(&one.source, NAME_LIMIT),
                    "mediaType": "text/plain", "contentEncoding": "IDENTITY",
                    "body": body(&one.text),
                }),
            );
        }
        self.say(
            "testStepFinished",
            &json!({
                "testCaseStartedId": attempt, "testStepId": step,
                "testStepResult": result, "timestamp": end,
            }),
        );
    }
}

/// How the scenario ended, as far as no step of it says so.
fn outside_steps(report: &ScenarioReport, is_last: bool, steps: &[&StepReport]) -> Value {
    let nothing = Duration::ZERO;
    let step_failed = steps.iter().any(|it| it.outcome.is_failed());
    match &report.outcome {
        Some(outcome @ Outcome::NotRun { .. }) => result(outcome, nothing),
        Some(outcome @ Outcome::Failed { .. }) if is_last && !step_failed => {
            result(outcome, nothing)
        }
        None => json!({
            "status": "UNKNOWN", "message": "the run ended before this scenario did",
            "duration": duration(nothing),
        }),
        _ => result(&Outcome::Passed, nothing),
    }
}

fn result(outcome: &Outcome, length: Duration) -> Value {
    let status = match outcome {
        Outcome::Passed | Outcome::Flaky { .. } => "PASSED",
        Outcome::Failed { .. } => "FAILED",
        Outcome::NotRun { .. } => "SKIPPED",
    };
    let mut result = json!({"status": status, "duration": duration(length)});
    if let (Some(reason), Some(result)) = (outcome.reason(), result.as_object_mut()) {
        result.insert("message".to_owned(), Value::from(body(&reason)));
    }
    result
}

fn duration(length: Duration) -> Value {
    json!({"seconds": length.as_secs(), "nanos": length.subsec_nanos()})
}

/// Text from outside, shortened in its middle.
fn body(text: &str) -> String {
    let short = shorten(text, EVIDENCE_LIMIT);
    if short.left_out == 0 {
        return plain(text).into_owned();
    }
    let left_out = short.left_out;
    format!(
        "{}\n… {left_out} bytes left out …\n{}",
        plain(short.head),
        plain(short.tail)
    )
}

fn tags(report: &ScenarioReport) -> impl Iterator<Item = String> {
    let tags = report.scenario.tags.iter();
    tags.map(|tag| format!("@{}", one_line(tag, NAME_LIMIT)))
}

fn uri(file: &str) -> String {
    format!("features/{}", one_line(file, NAME_LIMIT))
}

/// The language of a feature, by its folder.
fn language(file: &str) -> &'static str {
    if file.starts_with("ko/") { "ko" } else { "en" }
}

fn tag_id(scenario: usize, tag: usize) -> String {
    format!("tag-{scenario}-{tag}")
}

fn step_id(scenario: usize, step: usize) -> String {
    format!("step-{scenario}-{step}")
}

fn pickle_step_id(scenario: usize, step: usize) -> String {
    format!("pickle-step-{scenario}-{step}")
}

/// The id of a test step; `None` is the hook before them.
fn test_step_id(scenario: usize, step: Option<usize>) -> String {
    match step {
        Some(step) => format!("test-step-{scenario}-{step}"),
        None => format!("test-step-{scenario}-{HOOK}"),
    }
}
