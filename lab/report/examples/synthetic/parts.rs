//! What streams have in common: the set-up, the stages of a model's life, the end.

use lab_model::{
    benchmark::{BenchmarkSummary, Generator, LatencyMicros, Offered, Point},
    event::Fact,
    installed::{InstalledComponent, InstalledEndpoint, InstalledStack},
    outcome::Outcome,
    progress::{Step, Task},
    stage::Stage,
};

use crate::stream::{Failure, Stream, scenario};

/// Images, cluster and stack, up to the scenarios.
pub(crate) fn set_up(stream: &mut Stream, grafana: Outcome) -> Result<(), Failure> {
    let since = stream.start(Stage::Preflight);
    stream.image("debian", None, 12, 120);
    stream.image("node", None, 31, 412);
    stream.image("postgresql", None, 9, 210);
    stream.image("seaweedfs", None, 7, 160);
    stream.image("prometheus", None, 8, 240);
    let image = |name: &str| Task::Image {
        name: name.to_owned(),
    };
    stream.progress(image("mlflow"), Step::InstallPythonPackages, [2, 5, 40]);
    stream.image(
        "mlflow",
        Some("docker.io/bitnami/mlflow:2.21.3"),
        38_400,
        1_180,
    );
    stream.progress(image("airflow"), Step::InstallPythonPackages, [3, 5, 21]);
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
    stream.wait(1_400);
    stream.fact(Fact::StackInstalled(installed()));
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
        stream.pods(&[
            ("mlops-platform-postgresql-7d9", 90 + memory / 40, cpu / 9.0),
            ("airflow-webserver-5c4", memory / 4, cpu / 3.0),
            ("triton-6f9", memory / 6, cpu / 5.0),
        ]);
    }
    stream.end(Stage::Install, since, Outcome::Passed);
    Ok(())
}

/// The stack, as the catalogue's is made.
fn installed() -> InstalledStack {
    let component =
        |name: &str, needs: &[&str], endpoints: &[(&str, &str, u16)]| InstalledComponent {
            name: name.to_owned(),
            title: name.to_owned(),
            workload: format!("deployment/{name}"),
            needs: needs.iter().map(|it| (*it).to_owned()).collect(),
            endpoints: endpoints
                .iter()
                .enumerate()
                .map(|(index, (name, service, port))| InstalledEndpoint {
                    name: (*name).to_owned(),
                    service: (*service).to_owned(),
                    port: *port,
                    node_port: Some(30_000 + port % 1000),
                    url: Some(format!(
                        "http://127.0.0.1:{}",
                        40_000 + usize::from(*port) + index
                    )),
                })
                .collect(),
        };
    InstalledStack {
        namespace: "mlops-platform".to_owned(),
        release: "mlops-platform".to_owned(),
        chart: "mlops-platform".to_owned(),
        millis: 1_400,
        images: [
            "postgresql",
            "seaweedfs",
            "mlflow",
            "airflow",
            "triton",
            "prometheus",
        ]
        .map(|recipe| {
            (
                recipe.to_owned(),
                format!("docker.io/lab/{recipe}:0123456789ab"),
            )
        })
        .into(),
        components: vec![
            component("postgresql", &[], &[]),
            component("s3", &[], &[("s3", "mlops-platform-s3", 8333)]),
            component(
                "mlflow",
                &["postgresql", "s3"],
                &[("mlflow", "mlops-platform-mlflow-tracking", 80)],
            ),
            component(
                "airflow",
                &["postgresql", "mlflow"],
                &[("airflow", "airflow-webserver", 8080)],
            ),
            component(
                "triton",
                &["mlflow"],
                &[
                    ("triton", "triton", 8000),
                    ("triton-metrics", "triton", 8002),
                ],
            ),
            component(
                "prometheus",
                &[],
                &[("prometheus", "mlops-platform-prometheus-server", 80)],
            ),
        ],
    }
}

pub(crate) fn train(stream: &mut Stream) {
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

pub(crate) fn register(stream: &mut Stream) {
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

pub(crate) fn deploy(stream: &mut Stream, rolling: Outcome) {
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

pub(crate) fn monitor(stream: &mut Stream) {
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
        Outcome::Flaky { reason: "the alert was not there after 60 s at the first try".to_owned().into() },
    );
    stream.sample(3_510, 262.0);
}

pub(crate) fn benchmark(stream: &mut Stream) {
    let since = stream.start(Stage::Benchmark);
    stream.wait(21_400);
    let point = |concurrency, throughput: f64, quantiles: [f64; 4]| Point {
        offered: Offered::Closed { concurrency },
        requests: u64::from(concurrency) * 1000 + 7,
        errors: 0,
        seconds: 5.0,
        throughput,
        latency: LatencyMicros {
            p50: quantiles[0],
            p90: None,
            p95: quantiles[1],
            p99: quantiles[2],
            p999: None,
            p9999: None,
            max: quantiles[3],
        },
        open: None,
        steady: true,
        void: Vec::new(),
        generator: Generator {
            count: 1,
            cpu_seconds: 0.12,
            cpu_micros_per_request: 24.0,
            bytes_sent: 300_000,
            bytes_received: 240_000,
            stolen: None,
        },
        server: None,
        used: None,
        series: Vec::new(),
        histogram: Vec::new(),
    };
    stream.fact(Fact::BenchmarkFinished(BenchmarkSummary {
        workload: "digits-closed-loop".to_owned(),
        target: "POST /v2/models/digits/infer".to_owned(),
        batch_size: 1,
        points: vec![
            point(1, 612.4, [1_490.0, 2_210.0, 3_950.0, 9_870.0]),
            point(4, 1_385.2, [2_710.0, 4_480.0, 7_320.0, 21_400.0]),
            point(16, 1_811.0, [8_420.0, 13_900.0, 19_600.0, 48_200.0]),
        ],
        generators: None,
        highest: None,
        missed: Vec::new(),
    }));
    stream.sample(3_560, 301.0);
    stream.end(Stage::Benchmark, since, Outcome::Passed);
}

pub(crate) fn closing(stream: &mut Stream, exit_code: u8) {
    stream.stage(Stage::Collect, 1_900);
    stream.sample(3_300, 304.0);
    stream.stage(Stage::Teardown, 1_700);
    stream.finish(exit_code);
}
