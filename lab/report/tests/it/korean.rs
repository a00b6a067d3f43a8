//! What lab itself says of a run is in Korean for who reads Korean.

use lab_model::{
    cause::Cause,
    event::{Event, Fact, Progress, ScenarioRef},
    hindrance::Hindrance,
    outcome::Outcome,
    progress::{Doing, Step, Task},
    remark::Remark,
    stage::Stage,
};
use lab_report::{
    fold::fold,
    github, html,
    lang::Lang,
    reporter::Reporter,
    summary::{self, Look},
    terminal::{Settings, Terminal},
};

fn remarks() -> Vec<Remark> {
    vec![
        Remark::NoGpus,
        Remark::WithoutImage {
            recipe: "grafana".to_owned(),
            reason: "no such host".to_owned(),
        },
        Remark::ComponentReady {
            component: "MLflow".to_owned(),
        },
        Remark::Forwarded,
        Remark::ClusterKept {
            cluster: "demo".parse().unwrap(),
        },
    ]
}

fn progress() -> Vec<Progress> {
    let component = || Task::Component {
        name: "MLflow".to_owned(),
    };
    let image = || Task::Image {
        name: "mlflow".to_owned(),
    };
    let ended = Doing::ContainerEnded {
        container: "mlflow".to_owned(),
        times: 3,
        exit_code: 1,
        reason: None,
    };
    let told = [
        (image(), Step::InstallPythonPackages.into()),
        (component(), ended),
        (Task::LoadImages, Step::Stream.into()),
    ];
    let told = told.into_iter().map(|(task, now)| Progress {
        task,
        now,
        done: 0,
        total: None,
        remaining_seconds: None,
    });
    told.collect()
}

fn no_image() -> Hindrance {
    Hindrance::NoImage {
        recipe: "grafana".to_owned(),
    }
}

fn scenario(name: &str) -> ScenarioRef {
    ScenarioRef {
        feature: "Pod에 GPU를 나누어 준다".to_owned(),
        file: "ko/gpu.feature".to_owned(),
        name: name.to_owned(),
        line: 7,
        tags: Vec::new(),
    }
}

/// A scenario whose step nobody knows.
fn unknown() -> Vec<Fact> {
    let reason = Cause::Step {
        step: "만약 모르는 일을 한다".to_owned(),
        cause: Box::new(Cause::UnknownStep),
    };
    vec![
        Fact::StepFinished {
            scenario: scenario("하나"),
            keyword: "만약".to_owned(),
            text: "모르는 일을 한다".to_owned(),
            line: 8,
            outcome: Outcome::Failed {
                reason: Cause::UnknownStep,
            },
            millis: 1,
            evidence: Vec::new(),
        },
        Fact::ScenarioFinished {
            scenario: scenario("하나"),
            outcome: Outcome::Failed { reason },
            millis: 1,
        },
    ]
}

/// A run in which lab has much to say.
fn run() -> Vec<Event> {
    let mut facts: Vec<_> = progress().into_iter().map(Fact::Progressed).collect();
    facts.extend(remarks().into_iter().map(|remark| Fact::Noted { remark }));
    facts.push(Fact::ComponentFinished {
        component: "Grafana".to_owned(),
        image: None,
        documented: "11.5.1".to_owned(),
        actual: None,
        outcome: Outcome::NotRun { reason: no_image() },
        millis: 1,
    });
    facts.extend(unknown());
    let why = Box::new(Hindrance::NoGpu);
    facts.push(Fact::ScenarioFinished {
        scenario: scenario("둘"),
        outcome: Outcome::NotRun {
            reason: Hindrance::Gpu { why },
        },
        millis: 0,
    });
    facts.push(Fact::StageFinished {
        stage: Stage::Install,
        outcome: Outcome::Failed {
            reason: Cause::Error {
                error: "mlflow-0 OOMKilled".to_owned(),
                help: "the report has the pod's log and events; `lab logs NAME` follows a \
                       kept cluster"
                    .to_owned(),
                code: "lab::k8s::hopeless".to_owned(),
            },
        },
        millis: 1,
    });
    let event = |(seq, fact)| Event {
        seq,
        time: "2026-01-15T09:30:00Z".parse().unwrap(),
        elapsed_ms: 1_000,
        fact,
    };
    (1..).zip(facts).map(event).collect()
}

/// What lab says of that run in English.
fn english() -> Vec<String> {
    let mut english: Vec<_> = remarks().iter().map(ToString::to_string).collect();
    for progress in progress() {
        english.extend([progress.task.to_string(), progress.now.to_string()]);
    }
    let why = Box::new(Hindrance::NoGpu);
    english.extend([no_image(), Hindrance::NoGpu, Hindrance::Gpu { why }].map(|it| it.to_string()));
    english.extend([Cause::UnknownStep.to_string(), "hint: ".to_owned()]);
    english
}

/// The page as one who reads Korean sees it, without its marks.
fn seen(page: &str) -> String {
    let (_, page) = page.split_once("<body").unwrap();
    let mut parts = page.split("class=\"en\"");
    let mut seen = parts.next().unwrap().to_owned();
    for part in parts {
        seen.push_str(part.split_once("span>").unwrap().1);
    }
    let seen = seen.replace("<code>", "`").replace("</code>", "`");
    let mut parts = seen.split('<');
    let first = parts.next().unwrap().to_owned();
    // A mark that was cut off above has no end.
    let shown = parts.filter_map(|part| Some(part.split_once('>')?.1));
    shown.fold(first, |text, part| text + part)
}

#[test]
fn what_lab_says_of_a_run_is_in_korean() {
    let events = run();
    let report = fold(events.clone());
    let settings = Settings {
        lang: Lang::Korean,
        ..Settings::default()
    };
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, settings);
    for event in &events {
        terminal.event(event).unwrap();
    }
    drop(terminal);
    let terminal = String::from_utf8(out).unwrap();
    let look = Look {
        color: false,
        lang: Lang::Korean,
    };
    let outputs = [
        ("terminal", terminal.clone()),
        ("summary", summary::render(&report, None, look)),
        ("github", github::step_summary(&report, Lang::Korean)),
        ("page", seen(&html::render(&report, Lang::Korean))),
    ];
    for (name, output) in outputs {
        for words in english() {
            assert!(!output.contains(&words), "{name} says {words:?}:\n{output}");
        }
    }
    insta::assert_snapshot!(terminal);
}

#[test]
fn the_same_run_is_in_english_for_who_reads_english() {
    let page = html::render(&fold(run()), Lang::English).replace("<code>", "`");
    let page = page.replace("</code>", "`");
    for remark in remarks() {
        assert!(page.contains(&remark.to_string()), "{remark}");
    }
}
