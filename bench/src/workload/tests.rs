use std::{path::Path, time::Duration};

use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

use super::{
    Protocol, Workload,
    bodies::{RequestsError, Samples, Tensors},
    read::parse,
};
use crate::{
    grpc::message::ModelInferRequest,
    load::{Arrivals, Pace},
    target::{Expect, Output, Request},
};

const GOOD: &str = include_str!("../../../fixtures/workloads/digits.toml");

fn input(shape: &[u64]) -> Output {
    Output {
        name: "images".to_owned(),
        datatype: "FP32".to_owned(),
        shape: shape.to_vec(),
    }
}

fn body(protocol: Protocol, text: &str, shape: &[u64]) -> String {
    let label = Output {
        name: "label".to_owned(),
        ..input(&[1])
    };
    let tensors = Tensors {
        model: "digits".to_owned(),
        input: input(shape),
        outputs: vec![label],
    };
    let samples = Samples::parse(text, &tensors.input).unwrap();
    let requests = samples.requests(protocol, &tensors, 1).unwrap();
    String::from_utf8_lossy(&requests[0].body).into_owned()
}

#[test]
fn the_digits_workload_is_usable() {
    let workload = digits();
    assert_eq!(workload.closed.concurrency, [1, 4, 16]);
    assert_eq!(workload.requests.len(), 64);
    let target = workload.target(&"http://127.0.0.1:8000/".into());
    assert_eq!(target.url, "http://127.0.0.1:8000/v2/models/digits/infer");
}

#[test]
fn every_problem_is_told_with_line_and_key() {
    let text = GOOD
        .replace("model = \"digits\"", "modell = \"digits\"")
        .replace("concurrency = [1, 4, 16]", "concurrency = [1, 0]")
        .replace("window_seconds = 3", "window_seconds = 0")
        .replace("max_requests = 200000", "max_requests = \"many\"")
        .replace("min_agreement_percent = 0", "min_agreement_percent = 101")
        .replace("shape = [1, 10]", "shape = 10")
        .replace("arrivals = \"poisson\"", "arrivals = \"gusts\"")
        .replace("rates = [100, 300, 600, 1000, 1500, 2000]", "rates = [0]")
        + "\n[search]\np99_ms = \"low\"\n[[budgets]]\nconcurrency = 4\nmax_error_percent = 200\n";
    let error = parse("w.toml", &text).err().unwrap();
    insta::assert_snapshot!(error.to_string());
}

#[test]
fn a_workload_must_offer_some_load() {
    let (closed, _) = GOOD.split_once("[open]").unwrap();
    let text = closed.replace("concurrency = [1, 4, 16]", "");
    let error = parse("w.toml", &text).err().unwrap();
    insta::assert_snapshot!(error.to_string());
}

#[test]
fn a_sample_of_another_size_is_named() {
    let text = r#"[{"input":[1,2,3]},{"label":1,"input":[1,2]}]"#;
    let error = Samples::parse(text, &input(&[1, 3])).unwrap_err();
    assert_eq!(error, "sample 2 has 2 numbers, `input.shape` asks for 3");
}

#[test]
fn each_protocol_writes_its_own_body() {
    let text = r#"[{"label":1,"input":[1,2.5,3,4]}]"#;
    let written: Vec<String> = [
        Protocol::V2Json,
        Protocol::V2Binary,
        Protocol::SeldonV1,
        Protocol::Mlflow,
    ]
    .map(|protocol| body(protocol, text, &[2, 2]))
    .to_vec();
    insta::assert_debug_snapshot!(written);
}

fn digits() -> Workload {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/workloads/digits.toml");
    Workload::load(&path).unwrap()
}

proptest! {
    #[test]
    fn every_sample_is_in_one_request_of_a_batch(size in 1..=64_u32) {
        let (single, batched) = (digits(), digits().batched(size).unwrap());
        let numbers = |requests: &[Request]| -> Vec<Value> {
            let bodies = requests.iter().map(|it| serde_json::from_slice(&it.body).unwrap());
            let data = bodies.map(|body: Value| body["inputs"][0]["data"].as_array().cloned());
            data.flatten().flatten().collect()
        };
        let (all, put) = (numbers(&single.requests), numbers(&batched.requests));
        prop_assert_eq!(&put[..all.len()], &all[..]);
        prop_assert_eq!(put.len(), batched.requests.len() * 64 * usize::try_from(size).unwrap());
        prop_assert!(put[all.len()..].iter().zip(&all).all(|(more, first)| more == first));
        prop_assert_eq!(batched.requests.len(), 64_usize.div_ceil(usize::try_from(size).unwrap()));
    }
}

#[test]
fn a_batch_is_the_first_dimension_of_all_tensors() {
    let workload = digits().batched(8).unwrap();
    let body: Value = serde_json::from_slice(&workload.requests[1].body).unwrap();
    assert_eq!(body["inputs"][0]["shape"], json!([8, 64]));
    assert_eq!(workload.requests[1].label, digits().requests[8].label);
    let Expect::Inference(expected) = workload.expect else {
        panic!("{:?}", workload.expect);
    };
    let shapes: Vec<_> = expected.outputs.iter().map(|it| it.shape.clone()).collect();
    assert_eq!(shapes, [[8, 1], [8, 10]]);
}

#[test]
fn samples_that_cannot_be_batched_are_told() {
    let samples = Samples::parse(r#"[{"input":[1]}, {"input":[2]}]"#, &input(&[])).unwrap();
    let tensors = Tensors {
        model: "digits".to_owned(),
        input: input(&[]),
        outputs: Vec::new(),
    };
    let batched = |size| samples.requests(Protocol::V2Json, &tensors, size).map(drop);
    assert_eq!(batched(1), Ok(()));
    assert_eq!(batched(2), Err(RequestsError::NoDimension));
    assert_eq!(
        batched(3),
        Err(RequestsError::TooFew {
            size: 3,
            samples: 2
        })
    );
}

#[test]
fn open_loops_follow_closed_ones() {
    let courses = digits().courses();
    assert_eq!(courses.len(), 9);
    assert_eq!(courses[2].pace, Pace::Closed { connections: 16 });
    let first = Pace::Open {
        arrivals: Arrivals::Poisson { rate: 100.0 },
        connections: 256,
    };
    assert_eq!(courses[3].pace, first);
}

#[test]
fn a_trace_is_read_and_its_faults_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.txt");
    std::fs::write(&trace, "# seconds\n0\n0.5\n0.25\n").unwrap();
    let load = |window| super::trace::load(&trace, Duration::from_millis(window));
    let error = load(1000).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("line 4 comes before the line above it")
    );
    std::fs::write(&trace, "0\n0.5\n").unwrap();
    assert_eq!(*load(501).unwrap(), [0, 500_000_000]);
    let error = load(500).unwrap_err().to_string();
    assert!(
        error.ends_with("its last arrival is at 500ms, and the window ends at 500ms"),
        "{error}"
    );
}

#[test]
fn a_window_has_the_pace_it_is_given() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/workloads/digits.toml");
    let workload = Workload::load(&path).unwrap();
    let course = workload.course(Pace::Closed { connections: 3 });
    assert_eq!(course.pace, Pace::Closed { connections: 3 });
    assert_eq!(course.window, Duration::from_secs(3));
}

#[test]
fn the_digits_workload_of_grpc_is_usable() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/workloads/digits-grpc.toml");
    let workload = Workload::load(&path).unwrap();
    for server in ["http://127.0.0.1:8001", "grpc://127.0.0.1:8001/"] {
        assert_eq!(
            workload.target(&server.into()).url,
            "grpc://127.0.0.1:8001/inference.GRPCInferenceService/ModelInfer"
        );
    }
    let message = ModelInferRequest::decode(workload.requests[0].body.clone()).unwrap();
    assert_eq!(message.model_name, "digits");
    assert_eq!(message.inputs[0].shape, [1, 64]);
    assert_eq!(message.raw_input_contents[0].len(), 4 * 64);
    let wanted: Vec<_> = message.outputs.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(wanted, ["label", "probabilities"]);
}
