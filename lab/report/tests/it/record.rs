//! Writing and reading the record.

use std::fs;

use lab_model::event::{Event, Fact};
use lab_report::{
    fold::fold,
    read::{ReadError, Rest, read_events, read_report},
    record::Recorder,
    report::{Place, Verdict},
};

use crate::{STREAMS, recorded, recording, report};

fn lines(name: &str) -> String {
    let mut recorder = Recorder::new(Vec::new());
    for event in &recording(name).events {
        recorder.record(event).unwrap();
    }
    String::from_utf8(recorder.into_inner()).unwrap()
}

#[test]
fn what_is_recorded_is_read_back() {
    for name in STREAMS {
        let again = read_events(lines(name).as_bytes()).unwrap();
        assert_eq!(again.events, recording(name).events, "{name}");
        assert_eq!(again.rest, Rest::default(), "{name}");
    }
}

#[test]
fn a_report_is_read_as_it_is_folded() {
    for name in STREAMS {
        let file = recorded::file(name);
        assert_eq!(read_report(&file).unwrap(), (report(name), Rest::default()));
    }
}

#[test]
fn a_torn_last_line_is_tolerated_and_told() {
    let whole = lines("passed");
    let torn = &whole[..whole.len() - 10];
    let recording = read_events(torn.as_bytes()).unwrap();
    assert!(recording.rest.torn);
    assert_eq!(fold(recording.events).verdict(), Verdict::Interrupted);
}

#[test]
fn facts_of_a_later_version_are_skipped_and_counted() {
    let later = r#"{"seq":1,"time":"2026-01-15T09:30:00Z","elapsed_ms":0,"fact":{"kind":"pod-changed","pod":"x"}}"#;
    let known = r#"{"seq":2,"time":"2026-01-15T09:30:00Z","elapsed_ms":5,"zone":"new key","fact":{"kind":"noted","text":"hi","by":"new key"}}"#;
    let recording = read_events(format!("{later}\n\n{known}\n").as_bytes()).unwrap();
    assert_eq!(recording.rest.unknown, 1);
    assert!(
        matches!(&recording.events[..], [Event { fact: Fact::Noted { remark }, .. }] if remark.to_string() == "hi")
    );
}

#[test]
fn a_line_that_is_no_event_is_named() {
    let error = read_events("{\"seq\":1}\n{}\n".as_bytes()).unwrap_err();
    assert!(matches!(error, ReadError::Damaged { line: 1, .. }));
}

#[test]
fn a_missing_record_names_the_file() {
    let missing = fs::canonicalize(".").unwrap().join("none.ndjson");
    let error = lab_report::read::read_file(&missing).unwrap_err();
    assert!(error.to_string().ends_with("none.ndjson`"), "{error}");
}

#[test]
fn the_first_failed_step_is_the_first_cause() {
    let report = report("failed-scenario");
    let cause = report.first_cause().unwrap();
    assert!(
        matches!(&cause.place, Place::Scenario { step: Some(step), .. } if step == "Then no request failed")
    );
    assert_eq!(
        cause.reason.to_string(),
        "3 of 1200 requests were answered 503 while version 2 was rolled out"
    );
    assert_eq!(cause.evidence.len(), 2);
    assert_eq!(report.failures.len(), 2);
}

#[test]
fn verdicts_follow_the_exit_code() {
    for (name, verdict) in [
        ("passed", Verdict::Passed),
        ("failed-scenario", Verdict::ScenariosFailed),
        ("setup-failed", Verdict::SetupFailed),
        ("interrupted", Verdict::Interrupted),
        ("not-run-component", Verdict::NothingVerified),
    ] {
        assert_eq!(report(name).verdict(), verdict, "{name}");
    }
}

#[test]
fn a_failure_is_never_green() {
    let mut events = recording("failed-scenario").events;
    if let Some(Fact::RunFinished { exit_code, .. }) =
        events.last_mut().map(|event| &mut event.fact)
    {
        *exit_code = 0;
    }
    assert_eq!(fold(events).verdict(), Verdict::ScenariosFailed);
}
