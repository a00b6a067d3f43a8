//! The streams.

use lab_model::{
    event::{Evidence, Fact},
    outcome::Outcome,
    stage::Stage,
};

use crate::{
    load,
    parts::{benchmark, closing, deploy, monitor, register, set_up, train},
    stream::{Failure, Stream, failed, not_run, scenario},
};

const REGISTRY: &str = "its image is only on Docker Hub, which does not answer: \
    dial tcp: lookup registry-1.docker.io: no such host";

pub(crate) fn all() -> Result<Vec<(&'static str, Stream)>, Failure> {
    Ok(vec![
        ("passed", passed()?),
        ("failed-scenario", failed_scenario()?),
        ("setup-failed", setup_failed()?),
        ("interrupted", interrupted()?),
        ("not-run-component", not_run_component()?),
        ("hostile", hostile()?),
        ("load", under_load(false)?),
        ("load-cut", under_load(true)?),
    ])
}

fn passed() -> Result<Stream, Failure> {
    let mut stream = Stream::begin("synthetic-passed", "lifecycle")?;
    set_up(&mut stream, not_run(REGISTRY))?;
    let since = stream.start(Stage::Verify);
    train(&mut stream);
    register(&mut stream);
    deploy(&mut stream, Outcome::Passed);
    monitor(&mut stream);
    stream.end(Stage::Verify, since, Outcome::Passed);
    benchmark(&mut stream);
    stream.fact(Fact::Noted {
        remark: "synthetic: none of these figures was measured"
            .to_owned()
            .into(),
    });
    closing(&mut stream, 0);
    Ok(stream)
}

fn failed_scenario() -> Result<Stream, Failure> {
    let mut stream = Stream::begin("synthetic-failed", "lifecycle")?;
    set_up(&mut stream, not_run(REGISTRY))?;
    let since = stream.start(Stage::Verify);
    train(&mut stream);
    deploy(
        &mut stream,
        failed("3 of 1200 requests were answered 503 while version 2 was rolled out"),
    );
    stream.end(Stage::Verify, since, failed("1 of 5 scenarios failed"));
    stream.fact(Fact::EvidenceCollected {
        stage: Stage::Verify,
        evidence: Evidence {
            source: "events of namespace mlops-platform".to_owned(),
            text: "2026-01-15T09:33:49Z Pod triton-6f9 Killing: Stopping container triton\n\
                   2026-01-15T09:33:50Z Pod triton-6f9 Unhealthy: Readiness probe failed: connection refused"
                .to_owned(),
        },
    });
    closing(&mut stream, 10);
    Ok(stream)
}

fn setup_failed() -> Result<Stream, Failure> {
    let mut stream = Stream::begin("synthetic-setup-failed", "lifecycle")?;
    stream.stage(Stage::Preflight, 800);
    stream.stage(Stage::Provision, 7_900);
    stream.stage(Stage::Load, 25_000);
    let since = stream.start(Stage::Install);
    stream.wait(9_000);
    stream.component("postgresql", ("15", Some("15.14")), Outcome::Passed, since);
    stream.wait(12_000);
    stream.component(
        "mlflow",
        ("2.21.3", None),
        failed("pod mlflow-tracking-0 is in CrashLoopBackOff: exit code 1"),
        since,
    );
    for (source, text) in [
        (
            "kubectl -n mlops-platform get pods",
            "postgresql-7d9 1/1 Running restarts=0\n\
          mlflow-tracking-0 0/1 Running restarts=2 waiting: CrashLoopBackOff",
        ),
        (
            "kubectl -n mlops-platform get events",
            "2026-01-15T09:30:49Z Pod mlflow-tracking-0 BackOff: \
          Back-off restarting failed container",
        ),
        (
            "kubectl -n mlops-platform logs mlflow-tracking-0 -c mlflow",
            "2026-01-15T09:30:45Z starting\n\
          2026-01-15T09:30:46Z sqlalchemy.exc.OperationalError: FATAL: password authentication failed for user \"mlflow\"",
        ),
    ] {
        stream.fact(Fact::EvidenceCollected {
            stage: Stage::Install,
            evidence: Evidence {
                source: source.to_owned(),
                text: text.to_owned(),
            },
        });
    }
    stream.end(
        Stage::Install,
        since,
        failed("component mlflow did not become ready"),
    );
    stream.fact(Fact::StageFinished {
        stage: Stage::Verify,
        outcome: not_run("the stack is not installed"),
        millis: 0,
    });
    stream.stage(Stage::Teardown, 1_800);
    stream.finish(12);
    Ok(stream)
}

fn interrupted() -> Result<Stream, Failure> {
    let mut stream = Stream::begin("synthetic-interrupted", "lifecycle")?;
    stream.stage(Stage::Preflight, 800);
    stream.stage(Stage::Provision, 7_900);
    stream.start(Stage::Verify);
    let scenario = scenario(
        "train.feature",
        "A model is trained as a pipeline",
        "The pipeline's pods run in order and the run is kept",
        9,
    );
    stream.fact(Fact::ScenarioStarted {
        scenario: scenario.clone(),
    });
    stream.wait(3_200);
    stream.fact(Fact::StepFinished {
        scenario,
        keyword: "Given".to_owned(),
        text: "the DAG \"train_digits\" is known to Airflow".to_owned(),
        line: 10,
        outcome: Outcome::Passed,
        millis: 3_200,
        evidence: Vec::new(),
    });
    Ok(stream)
}

fn not_run_component() -> Result<Stream, Failure> {
    let mut stream = Stream::begin("synthetic-not-run", "lifecycle")?;
    stream.stage(Stage::Preflight, 800);
    let since = stream.start(Stage::Install);
    stream.component("grafana", ("11.5.1", None), not_run(REGISTRY), since);
    stream.end(Stage::Install, since, Outcome::Passed);
    let since = stream.start(Stage::Verify);
    let scenario = scenario(
        "monitor.feature",
        "모델을 지켜본다",
        "대시보드의 모든 패널이 값을 보여 준다",
        44,
    );
    stream.scenario(
        &scenario,
        40,
        &[("만약", "Grafana의 대시보드를 연다", &[])],
        not_run("component grafana did not run"),
    );
    stream.end(Stage::Verify, since, Outcome::Passed);
    stream.finish(0);
    Ok(stream)
}

/// A run whose benchmark missed its budget, or was killed within it.
fn under_load(cut: bool) -> Result<Stream, Failure> {
    let run = if cut {
        "synthetic-load-cut"
    } else {
        "synthetic-load"
    };
    let mut stream = Stream::begin(run, "lifecycle")?;
    set_up(&mut stream, not_run(REGISTRY))?;
    let since = stream.start(Stage::Verify);
    deploy(&mut stream, Outcome::Passed);
    stream.end(Stage::Verify, since, Outcome::Passed);
    if cut {
        load::cut(&mut stream);
    } else {
        load::benchmark(&mut stream);
        closing(&mut stream, 11);
    }
    Ok(stream)
}

/// Text that tries to break out of whatever shows it.
fn hostile() -> Result<Stream, Failure> {
    const SCRIPT: &str =
        "</pre></style></title><script>alert(1)</script><img src=x onerror=alert(1)>";
    const TERMINAL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}[31mred\u{1b}[0m \u{202e}txt.exe\u{2066} \u{0} \u{8}\r over";
    let mut stream = Stream::begin("synthetic-hostile", &format!("life{SCRIPT}"))?;
    let since = stream.start(Stage::Install);
    stream.image(&format!("image{SCRIPT}"), Some(SCRIPT), 1_000, 1);
    let component = format!("component {SCRIPT}{TERMINAL}");
    stream.component(
        &component,
        (SCRIPT, Some(TERMINAL)),
        failed(&format!("{SCRIPT}\n{TERMINAL}")),
        since,
    );
    stream.end(Stage::Install, since, Outcome::Passed);
    let mut scenario = scenario(
        &format!("\"><svg onload=alert(1)>{SCRIPT}.feature"),
        SCRIPT,
        TERMINAL,
        1,
    );
    scenario.tags = vec![SCRIPT.to_owned(), "]]>".to_owned()];
    let line = format!("{TERMINAL}{SCRIPT}]]>&amp;").repeat(60);
    stream.scenario(
        &scenario,
        500,
        &[(SCRIPT, TERMINAL, &[(SCRIPT, &line), (TERMINAL, SCRIPT)])],
        failed(&format!("]]> {SCRIPT} {TERMINAL}")),
    );
    stream.fact(Fact::Noted {
        remark: format!("{SCRIPT}{TERMINAL}").into(),
    });
    load::hostile(&mut stream, &format!("{SCRIPT}{TERMINAL}"));
    stream.finish(10);
    Ok(stream)
}
