//! The streams.

use lab_model::{
    benchmark::{BenchmarkSummary, ClosedLoopPoint, LatencyMicros},
    event::{Evidence, Fact},
    outcome::Outcome,
    stage::Stage,
};

use crate::stream::{Failure, Stream, failed, not_run, scenario};

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
    ])
}

/// Images, cluster and stack, up to the scenarios.
fn set_up(stream: &mut Stream, grafana: Outcome) -> Result<(), Failure> {
    let since = stream.start(Stage::Preflight);
    stream.image("debian", None, 12, 120);
    stream.image("node", None, 31, 412);
    stream.progress("image mlflow", "installing 142 Python packages", [2, 5, 40]);
    stream.image(
        "mlflow",
        Some("docker.io/bitnami/mlflow:2.21.3"),
        38_400,
        1_180,
    );
    stream.progress(
        "image airflow",
        "installing 210 Python packages",
        [3, 5, 21],
    );
    stream.image("airflow", Some("apache/airflow:2.10.5"), 21_900, 1_620);
    stream.image(
        "triton",
        Some("nvcr.io/nvidia/tritonserver:24.10-py3"),
        18,
        1_450,
    );
    stream.end(Stage::Preflight, since, Outcome::Passed);

    let since = stream.start(Stage::Provision);
    stream.wait(7_600);
    stream.fact(Fact::ClusterReady {
        cluster: "lab-synthetic".parse()?,
        provider: "node".to_owned(),
        version: "v1.20.2".to_owned(),
        nodes: vec!["lab-synthetic".to_owned()],
    });
    stream.sample(512, 9.0);
    stream.end(Stage::Provision, since, Outcome::Passed);
    stream.stage(Stage::Load, 24_300);
    stream.sample(640, 31.0);

    let since = stream.start(Stage::Install);
    stream.component("grafana", ("11.5.1", None), grafana, since);
    for (name, versions, millis, memory, cpu) in [
        ("postgresql", ("15", Some("15.14")), 9_100, 810, 47.0),
        (
            "s3",
            ("MinIO 2024-12", Some("SeaweedFS 3.87")),
            2_200,
            930,
            51.0,
        ),
        ("prometheus", ("2.42", Some("2.42.0")), 3_900, 1_080, 58.0),
        ("mlflow", ("2.21.3", Some("2.21.3")), 14_000, 1_630, 84.0),
        ("airflow", ("2.10.5", Some("2.10.5")), 19_500, 2_610, 121.0),
        ("triton", ("24.10", Some("2.51.0")), 6_300, 3_050, 133.0),
    ] {
        stream.wait(millis);
        stream.component(name, versions, Outcome::Passed, since);
        stream.sample(memory, cpu);
    }
    stream.end(Stage::Install, since, Outcome::Passed);
    Ok(())
}

fn train(stream: &mut Stream) {
    let feature = "A model is trained as a pipeline";
    stream.scenario(
        &scenario("train.feature", feature, "The pipeline's pods run in order and the run is kept", 9),
        41_200,
        &[
            ("Given", "the DAG \"train_digits\" is known to Airflow", &[("GET /api/v1/dags/train_digits", "200 OK\n{\"dag_id\": \"train_digits\", \"is_paused\": false}")]),
            ("When", "it is triggered with seed 42", &[("POST /api/v1/dags/train_digits/dagRuns", "200 OK\n{\"dag_run_id\": \"lab-1\", \"state\": \"queued\"}")]),
            ("Then", "its pods run in order: validate, train, register, deploy", &[("pods", "validate  Succeeded  09:31:02\ntrain     Succeeded  09:31:11\nregister  Succeeded  09:31:25\ndeploy    Succeeded  09:31:33")]),
            ("And", "MLflow holds a finished run with an accuracy of at least 0.95", &[("GET /api/2.0/mlflow/runs/get", "200 OK\n{\"run\": {\"info\": {\"status\": \"FINISHED\"}, \"data\": {\"metrics\": [{\"key\": \"accuracy\", \"value\": 0.9722}]}}}")]),
        ],
        Outcome::Passed,
    );
    stream.sample(3_320, 171.0);
    stream.scenario(
        &scenario(
            "train.feature",
            feature,
            "A data set with a broken column registers nothing",
            24,
        ),
        18_700,
        &[
            (
                "When",
                "the DAG is triggered with the data set \"digits-broken\"",
                &[],
            ),
            (
                "Then",
                "the task \"validate\" fails and names the column",
                &[(
                    "task log",
                    "ValueError: column 12: 17 of 1797 values are not finite",
                )],
            ),
            ("And", "no new version is registered", &[]),
        ],
        Outcome::Passed,
    );
    stream.scenario(
        &scenario(
            "train.feature",
            feature,
            "Requests too large for the node are told as unschedulable",
            38,
        ),
        6_400,
        &[(
            "Then",
            "the pod's condition says Unschedulable",
            &[(
                "pod train-x7",
                "PodScheduled=False Unschedulable: 0/1 nodes are available: 1 Insufficient memory.",
            )],
        )],
        Outcome::Passed,
    );
}

fn register(stream: &mut Stream) {
    for (name, line, millis) in [
        (
            "The better candidate becomes a version with an alias",
            7,
            900,
        ),
        ("A worse candidate is refused", 15, 22_600),
        ("An equal rerun registers nothing new", 27, 19_800),
    ] {
        stream.scenario(
            &scenario(
                "register.feature",
                "Only better models are registered",
                name,
                line,
            ),
            millis,
            &[(
                "Then",
                "the alias \"champion\" says which version is in use",
                &[(
                    "GET /api/2.0/mlflow/registered-models/alias",
                    "{\"model_version\": {\"version\": \"1\"}}",
                )],
            )],
            Outcome::Passed,
        );
    }
    stream.sample(3_290, 214.0);
}

fn deploy(stream: &mut Stream, rolling: Outcome) {
    let feature = "A version reaches the inference server";
    stream.scenario(
        &scenario("deploy.feature", feature, "100 predictions equal those of the MLflow model", 11),
        2_300,
        &[("Then", "100 predictions equal those of the MLflow model", &[("POST /v2/models/digits/infer", "{\"model_name\":\"digits\",\"outputs\":[{\"name\":\"label\",\"datatype\":\"INT64\",\"shape\":[1],\"data\":[7]}]}")])],
        Outcome::Passed,
    );
    stream.scenario(
        &scenario("deploy.feature", feature, "No request fails while a version is rolled out", 31),
        14_100,
        &[
            ("Given", "10 requests a second are sent", &[]),
            ("When", "version 2 is rolled out", &[("deployment triton", "replicas 1 → 2 → 1, ready all the time: no")]),
            ("Then", "no request failed", &[("requests", "1200 sent, 1197 answered 200, 3 answered 503"), ("pod triton-6f9 log", "I0115 09:34:11.221 signal (15) received.\nI0115 09:34:11.221 Waiting for in-flight requests to complete.\nerror: creating server: Internal - failed to load all models")]),
        ],
        rolling,
    );
    stream.sample(3_480, 239.0);
}

fn monitor(stream: &mut Stream) {
    let feature = "The model is watched";
    stream.scenario(
        &scenario(
            "monitor.feature",
            feature,
            "Prometheus counts exactly the inferences sent",
            8,
        ),
        11_000,
        &[(
            "Then",
            "the count of successful inferences grew by exactly 50",
            &[(
                "nv_inference_request_success{model=\"digits\"}",
                "1402 → 1452",
            )],
        )],
        Outcome::Passed,
    );
    stream.scenario(
        &scenario("monitor.feature", feature, "Shifted inputs raise the alert", 19),
        16_200,
        &[("Then", "Alertmanager holds the alert \"ModelInputDrift\"", &[("GET /api/v2/alerts", "[{\"labels\":{\"alertname\":\"ModelInputDrift\"},\"status\":{\"state\":\"active\"}}]")])],
        Outcome::Flaky { reason: "the alert was not there after 60 s at the first try".to_owned() },
    );
    stream.sample(3_510, 262.0);
}

fn benchmark(stream: &mut Stream) {
    let since = stream.start(Stage::Benchmark);
    stream.wait(21_400);
    let point = |concurrency, throughput: f64, quantiles: [u64; 4]| ClosedLoopPoint {
        concurrency,
        requests: u64::from(concurrency) * 1000 + 7,
        errors: 0,
        seconds: 5.0,
        throughput,
        latency: LatencyMicros {
            p50: quantiles[0],
            p95: quantiles[1],
            p99: quantiles[2],
            max: quantiles[3],
        },
    };
    stream.fact(Fact::BenchmarkFinished(BenchmarkSummary {
        workload: "digits-closed-loop".to_owned(),
        target: "POST /v2/models/digits/infer".to_owned(),
        points: vec![
            point(1, 612.4, [1_490, 2_210, 3_950, 9_870]),
            point(4, 1_385.2, [2_710, 4_480, 7_320, 21_400]),
            point(16, 1_811.0, [8_420, 13_900, 19_600, 48_200]),
        ],
    }));
    stream.sample(3_560, 301.0);
    stream.end(Stage::Benchmark, since, Outcome::Passed);
}

fn closing(stream: &mut Stream, exit_code: u8) {
    stream.stage(Stage::Collect, 1_900);
    stream.sample(3_300, 304.0);
    stream.stage(Stage::Teardown, 1_700);
    stream.finish(exit_code);
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
        text: "synthetic: none of these figures was measured".to_owned(),
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
            text: "09:34:11 Normal  Killing    pod/triton-6f9  Stopping container triton\n\
                   09:34:12 Warning Unhealthy  pod/triton-6f9  Readiness probe failed: connection refused"
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
    stream.fact(Fact::EvidenceCollected {
        stage: Stage::Install,
        evidence: Evidence {
            source: "pod mlflow-tracking-0 log".to_owned(),
            text: "sqlalchemy.exc.OperationalError: FATAL: password authentication failed for user \"mlflow\"".to_owned(),
        },
    });
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
        text: format!("{SCRIPT}{TERMINAL}"),
    });
    stream.finish(10);
    Ok(stream)
}
