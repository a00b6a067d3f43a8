//! `JUnit` XML for CI systems: a suite a feature, and one of the set-up, so that a run
//! that never reached its scenarios still shows what broke. GitHub, GitLab and Jenkins
//! read it: only what all three know is used.

use std::time::Duration;

use lab_model::outcome::Outcome;
use miette::Diagnostic;
use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestRerun, TestSuite};
use thiserror::Error;

use crate::{
    clues::clues,
    figures::moment,
    lang::Lang,
    report::{Report, ScenarioReport},
    text::{one_line, plain, shorten},
    words,
};

/// The longest evidence of one failed step, bytes; CI systems refuse huge files.
const EVIDENCE_LIMIT: usize = 8 * 1024;

/// The longest name or message, characters.
const LINE_LIMIT: usize = 1000;

/// The XML could not be written.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to write `junit.xml`")]
#[diagnostic(
    code(lab::report::junit),
    help("this is a bug; send `events.ndjson` with the report of it")
)]
pub struct JunitError(#[source] quick_junit::SerializeError);

/// Renders `JUnit` XML.
///
/// # Errors
/// Fails where the XML cannot be written.
pub fn render(report: &Report) -> Result<String, JunitError> {
    let mut xml = Xml::new("lab");
    xml.set_time(report.run.total);
    let mut set_up = set_up(report);
    add_properties(&mut set_up, report);
    xml.add_test_suite(set_up);
    for mut suite in features(report) {
        add_properties(&mut suite, report);
        xml.add_test_suite(suite);
    }
    xml.to_string().map_err(JunitError)
}

/// Stages and components.
fn set_up(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("lab");
    let mut time = Duration::ZERO;
    for stage in &report.stages {
        let mut status = status(stage.outcome.as_ref());
        if let Some(Outcome::Failed { .. }) = &stage.outcome {
            status.set_description(first_cause(report));
        }
        let mut case = TestCase::new(format!("stage {}", stage.stage), status);
        case.set_classname("lab.stages");
        case.set_time(stage.span.length());
        time += stage.span.length();
        suite.add_test_case(case);
    }
    for component in &report.components {
        let mut case = TestCase::new(
            format!("component {}", one_line(&component.name, LINE_LIMIT)),
            status(Some(&component.outcome)),
        );
        case.set_classname("lab.components");
        case.set_time(component.span.length());
        suite.add_test_case(case);
    }
    suite.set_time(time);
    suite
}

/// Versions, on every suite: a viewer shows one suite at a time.
fn add_properties(suite: &mut TestSuite, report: &Report) {
    for (name, value) in properties(report) {
        suite.add_property((name, value));
    }
}

fn properties(report: &Report) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    let mut add = |name: &str, value: &str| {
        properties.push((one_line(name, LINE_LIMIT), one_line(value, LINE_LIMIT)));
    };
    if let Some(about) = &report.run.about {
        add("run", about.run.as_str());
        add("stack", &format!("{}/{}", about.stack, about.lock));
        add("lab.version", &about.lab_version);
        add("engine.version", &about.host.engine);
    }
    if let Some(cluster) = &report.run.cluster {
        add("provider", &cluster.provider);
        add("kubernetes.version", &cluster.version);
    }
    for component in &report.components {
        let version = component
            .actual
            .as_deref()
            .unwrap_or(component.outcome.word());
        add(&format!("{}.version", component.name), version);
        add(
            &format!("{}.documented", component.name),
            &component.documented,
        );
    }
    properties
}

/// A suite a feature, in the order of their first scenario.
fn features(report: &Report) -> Vec<TestSuite> {
    let mut suites: Vec<(&str, TestSuite, Duration)> = Vec::new();
    for scenario in &report.scenarios {
        let file = scenario.scenario.file.as_str();
        let index = suites
            .iter()
            .position(|(of, ..)| *of == file)
            .unwrap_or_else(|| {
                let suite = TestSuite::new(one_line(&scenario.scenario.feature, LINE_LIMIT));
                suites.push((file, suite, Duration::ZERO));
                suites.len() - 1
            });
        let (_, suite, time) = &mut suites[index];
        *time += scenario.span.length();
        suite.add_test_case(case(scenario));
    }
    suites
        .into_iter()
        .map(|(_, mut suite, time)| {
            suite.set_time(time);
            suite
        })
        .collect()
}

fn case(scenario: &ScenarioReport) -> TestCase {
    let at = &scenario.scenario;
    let mut status = status(scenario.outcome.as_ref());
    if let Some(Outcome::Failed { .. }) = &scenario.outcome {
        status.set_description(steps(scenario));
    }
    let mut case = TestCase::new(one_line(&at.name, LINE_LIMIT), status);
    case.set_classname(format!("features/{}", one_line(&at.file, LINE_LIMIT)));
    case.set_time(scenario.span.length());
    let file = format!("features/{}", one_line(&at.file, LINE_LIMIT));
    case.extra.insert("file".into(), file.into());
    case.extra.insert("line".into(), at.line.to_string().into());
    case
}

fn status(outcome: Option<&Outcome>) -> TestCaseStatus {
    let message = |mut status: TestCaseStatus, reason: &str| {
        status.set_message(one_line(reason, LINE_LIMIT));
        status
    };
    match outcome {
        Some(Outcome::Passed) => TestCaseStatus::success(),
        Some(Outcome::Failed { reason }) => message(
            TestCaseStatus::non_success(NonSuccessKind::Failure),
            &reason.to_string(),
        ),
        Some(Outcome::Flaky { reason }) => {
            let mut status = TestCaseStatus::success();
            let mut rerun = TestRerun::new(NonSuccessKind::Failure);
            rerun.set_message(one_line(&reason.to_string(), LINE_LIMIT));
            status.add_rerun(rerun);
            status
        }
        Some(Outcome::NotRun { reason }) => message(TestCaseStatus::skipped(), &reason.to_string()),
        None => message(
            TestCaseStatus::non_success(NonSuccessKind::Error),
            "the run ended before this did",
        ),
    }
}

/// What failed first, and what was seen around it: whichever case of the set-up a person
/// opens tells the same.
fn first_cause(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some(first) = report.first_cause() {
        let place = words::place(&first.place);
        lines.push(format!("first cause: {}", place.of(Lang::English)));
        lines.push(first.reason.to_string());
    }
    for clue in clues(report) {
        let at = clue.at.map_or("–".to_owned(), moment);
        lines.push(format!(
            "{at:>7}  {}: {}",
            clue.source.of(Lang::English),
            clue.text.of(Lang::English)
        ));
    }
    plain(&lines.join("\n")).into_owned()
}

/// The steps of a failed scenario, with the evidence of the failed one.
fn steps(scenario: &ScenarioReport) -> String {
    let mut lines = Vec::new();
    for step in &scenario.steps {
        let mark = step.outcome.word();
        lines.push(format!("{mark:>8}  {} {}", step.keyword.trim(), step.text));
        let Some(reason) = step.outcome.reason() else {
            continue;
        };
        lines.push(format!("          {reason}"));
        for evidence in &step.evidence {
            let short = shorten(&evidence.text, EVIDENCE_LIMIT);
            lines.push(format!("--- {}", evidence.source));
            lines.push(short.head.to_owned());
            if short.left_out > 0 {
                lines.push(format!("… {} bytes left out …", short.left_out));
                lines.push(short.tail.to_owned());
            }
        }
    }
    plain(&lines.join("\n")).into_owned()
}
