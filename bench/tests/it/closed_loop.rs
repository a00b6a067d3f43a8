//! What is counted as right, wrong and unanswered.

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use lab_bench::{
    closed_loop::{BenchError, FailureCount, Measured, Sweep, run},
    target::{Expect, Inference, Output, Request, Target},
};
use tokio_util::sync::CancellationToken;

use crate::server::{Manner, Server};

/// As many requests as are sent once without load.
const REQUESTS: u64 = 10;

fn target(url: &str) -> Target {
    let request = |label: i64| Request {
        body: Bytes::from(format!(
            r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"FP32","data":[{label}]}}]}}"#
        )),
        label: Some(label),
    };
    Target {
        url: format!("{url}/v2/models/echo/infer"),
        requests: (0..10).map(request).collect(),
        expect: Expect::Inference(Inference {
            model: "echo".to_owned(),
            outputs: vec![Output {
                name: "label".to_owned(),
                datatype: "INT64".to_owned(),
                shape: vec![1],
            }],
            label: "label".to_owned(),
            min_agreement_percent: 100,
        }),
    }
}

fn sweep(concurrency: &[u32], max_requests: u64) -> Sweep {
    Sweep {
        name: "test".to_owned(),
        concurrency: concurrency.to_vec(),
        warm_up: Duration::ZERO,
        window: Duration::from_secs(20),
        timeout: Duration::from_millis(500),
        max_requests,
    }
}

async fn measure(manner: Manner, concurrency: &[u32], max_requests: u64) -> Measured {
    let server = Server::start(manner, REQUESTS).await;
    run(
        &target(&server.url),
        &sweep(concurrency, max_requests),
        &CancellationToken::new(),
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn right_answers_are_counted_once_each() {
    let measured = measure(Manner::Right, &[1, 4], 300).await;
    assert_eq!(measured.summary.target, "POST /v2/models/echo/infer");
    for point in &measured.summary.points {
        assert_eq!((point.requests, point.errors), (300, 0));
        assert!(point.throughput > 0.0);
        assert!(point.latency.p50 <= point.latency.p99);
        assert!(point.latency.p99 <= point.latency.max);
    }
    assert_eq!(measured.failures, []);
}

#[tokio::test]
async fn connections_are_kept_open() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    run(
        &target(&server.url),
        &sweep(&[4], 400),
        &CancellationToken::new(),
    )
    .await
    .unwrap();
    // One for the requests without load, one a worker.
    assert_eq!(server.connections.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn a_status_500_is_an_error() {
    let measured = measure(Manner::Fails(10), &[2], 200).await;
    let point = &measured.summary.points[0];
    assert_eq!((point.requests, point.errors), (200, 20));
    assert_eq!(
        measured.failures,
        [FailureCount {
            concurrency: 2,
            class: "status 500".to_owned(),
            count: 20,
            example: "500 Internal Server Error: out of memory".to_owned(),
        }]
    );
}

#[tokio::test]
async fn the_answer_to_another_image_is_an_error() {
    let measured = measure(Manner::Confuses(25), &[4], 200).await;
    assert_eq!(measured.summary.points[0].errors, 8);
    assert_eq!(measured.failures[0].class, "wrong answer");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_an_error_and_the_rest_goes_on() {
    let measured = measure(Manner::Stalls(50), &[2], 100).await;
    let point = &measured.summary.points[0];
    assert_eq!((point.requests, point.errors), (98, 2));
    assert_eq!(measured.failures[0].class, "no answer in time");
    assert!(point.seconds >= 0.5, "{}", point.seconds);
}

#[tokio::test]
async fn a_server_that_closes_connections_is_asked_on_new_ones() {
    let measured = measure(Manner::Closes, &[2], 50).await;
    let point = &measured.summary.points[0];
    assert_eq!((point.requests, point.errors), (50, 0));
}

#[tokio::test]
async fn the_window_ends_the_load() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    let sweep = Sweep {
        warm_up: Duration::from_millis(50),
        window: Duration::from_millis(200),
        ..sweep(&[2], u64::MAX)
    };
    let measured = run(&target(&server.url), &sweep, &CancellationToken::new())
        .await
        .unwrap();
    let seconds = measured.summary.points[0].seconds;
    assert!((0.15..2.0).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_cancelled_sweep_ends_early() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    let cancel = CancellationToken::new();
    let target = target(&server.url);
    let sweep = sweep(&[2], u64::MAX);
    let ended = tokio::join!(run(&target, &sweep, &cancel), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    });
    assert!(matches!(ended.0, Err(BenchError::Cancelled)), "{ended:?}");
}

#[tokio::test]
async fn nobody_there_is_told_before_any_load() {
    let error = run(
        &target("http://127.0.0.1:9"),
        &sweep(&[1], 10),
        &CancellationToken::new(),
    )
    .await
    .unwrap_err();
    assert!(
        error.to_string().starts_with(
            "request 1 of 10 to `http://127.0.0.1:9/v2/models/echo/infer` \
             was not answered rightly without load: no connection: "
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_model_that_knows_too_little_is_not_measured() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    let mut target = target(&server.url);
    target.requests[3].label = Some(9);
    let error = run(&target, &sweep(&[1], 10), &CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model knows 9 of 10 labels; at least 100 % were asked for"
    );
}
