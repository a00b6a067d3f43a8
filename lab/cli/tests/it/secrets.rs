//! No secret of a cluster reaches anything that people or programs read.

use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use lab_model::{
    event::{Emitter, Event, Evidence, Fact, ScenarioRef},
    outcome::Outcome,
    stage::Stage,
};
use lab_report::{
    fold::fold,
    github, html, junit,
    lang::Lang,
    messages,
    record::Recorder,
    reporter::Reporter,
    summary::{self, Look},
    terminal::{Settings, Terminal, Verbosity},
};
use lab_runner::{EventLog, error::cause};
use lab_stack::Helm;
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;

/// Every kind of fact into which text from a cluster comes, with the text in each place.
fn facts(text: &str) -> Vec<Fact> {
    let owned = || text.to_owned();
    let failed = || Outcome::Failed {
        reason: owned().into(),
    };
    let evidence = || Evidence {
        source: owned(),
        text: format!("before\nAuthorization: {text}\nafter"),
    };
    let scenario = ScenarioRef {
        feature: owned(),
        file: "train.feature".to_owned(),
        name: owned(),
        line: 3,
        tags: vec![owned()],
    };
    vec![
        Fact::Noted {
            remark: owned().into(),
        },
        Fact::ComponentFinished {
            component: owned(),
            image: Some(owned()),
            documented: owned(),
            actual: Some(owned()),
            outcome: failed(),
            millis: 1,
        },
        Fact::ScenarioStarted {
            scenario: scenario.clone(),
        },
        Fact::StepFinished {
            scenario: scenario.clone(),
            keyword: "Then".to_owned(),
            text: owned(),
            line: 4,
            outcome: failed(),
            millis: 1,
            evidence: vec![evidence()],
        },
        Fact::ScenarioFinished {
            scenario,
            outcome: failed(),
            millis: 1,
        },
        Fact::EvidenceCollected {
            stage: Stage::Collect,
            evidence: evidence(),
        },
        Fact::StageFinished {
            stage: Stage::Install,
            outcome: failed(),
            millis: 1,
        },
    ]
}

/// Everything that is written of events.
fn outputs(events: &[Event]) -> Vec<String> {
    let report = fold(events.to_vec());
    let mut record = Recorder::new(Vec::new());
    let settings = Settings {
        verbosity: Verbosity::Verbose,
        ..Settings::default()
    };
    let mut shown = Vec::new();
    let mut terminal = Terminal::new(&mut shown, settings);
    for event in events {
        record.record(event).unwrap();
        terminal.event(event).unwrap();
    }
    drop(terminal);
    vec![
        String::from_utf8(record.into_inner()).unwrap(),
        String::from_utf8(shown).unwrap(),
        html::render(&report, Lang::Korean),
        junit::render(&report).unwrap(),
        messages::render(&report),
        github::step_summary(&report, Lang::English),
        github::annotations(&report),
        summary::render(&report, None, Look::default()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    // As Kubernetes' own and the chart's secrets are made: no sign that any output writes
    // in another way, so that what leaks is found as it is.
    #[test]
    fn no_output_holds_a_secret(secret in "[A-Za-z0-9_.-]{16,60}", around in "[a-z =:/]{0,10}") {
        let (log, mut events) = EventLog::new();
        log.hide(vec![secret.clone()]);
        for fact in facts(&format!("{around}{secret}{around}")) {
            log.emit(fact);
        }
        drop(log);
        let events: Vec<Event> = std::iter::from_fn(|| events.try_recv().ok()).collect();
        prop_assert_eq!(events.len(), 7);
        for output in outputs(&events) {
            prop_assert!(!output.contains(&secret), "{output}");
        }
    }

    // Helm quotes the objects that it could not apply. Their passwords were made by it, for
    // this one try: nobody can list them.
    #[test]
    fn no_output_holds_a_secret_that_helm_quotes(secret in "[a-z][0-9][A-Z][A-Za-z0-9]{29}") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
        let helm = Helm::new(folder.join("quotes.sh"), "/kubeconfig".into());
        let values = json!({
            "data": {"password": BASE64_STANDARD.encode(&secret), "x": secret},
            "url": format!("postgresql://airflow:{secret}@db/airflow"),
        });
        let runtime = Runtime::new().unwrap();
        let ended = runtime.block_on(helm.upgrade_install("r", "n", &folder, &values));
        let error = ended.unwrap_err();
        prop_assert!(error.to_string().contains("cannot be handled as a Secret"), "{error}");

        let (log, mut events) = EventLog::new();
        for fact in facts(&cause(&error).to_string()) {
            log.emit(fact);
        }
        drop(log);
        let events: Vec<Event> = std::iter::from_fn(|| events.try_recv().ok()).collect();

        let shown = format!("{error:?} {}", cause(&error));
        for output in outputs(&events).into_iter().chain([shown]) {
            prop_assert!(!output.contains(&secret), "{output}");
            prop_assert!(!output.contains(&BASE64_STANDARD.encode(&secret)), "{output}");
        }
    }
}
