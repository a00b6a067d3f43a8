//! gRPC: what is counted as right, wrong and unanswered, by both loops.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method};
use lab_bench::{
    error::BenchError,
    grpc::{MODEL_INFER, message::ModelInferRequest},
    load::{Course, Watch},
    measure::Window,
    record::FailureClass,
    session::Session,
    target::{Request, Target},
    trust::Trust,
};
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::{
    grpc_server::{Manner, Server},
    load::{closed, count, expect, open},
};

/// As many calls as are made once without load.
pub(crate) const CALLS: u64 = 10;

pub(crate) fn target(url: &str) -> Target {
    filled(url, 0)
}

/// The same, with so many bytes in each request that say nothing.
pub(crate) fn filled(url: &str, filling: usize) -> Target {
    let request = |label: u8| {
        let message = ModelInferRequest {
            model_name: "echo".to_owned(),
            raw_input_contents: vec![Bytes::from(vec![label]), vec![b'x'; filling].into()],
            ..ModelInferRequest::default()
        };
        Request {
            headers: HeaderMap::new(),
            body: Bytes::from(message.encode_to_vec()),
            label: Some(i64::from(label)),
        }
    };
    Target {
        url: format!("{url}{MODEL_INFER}"),
        trust: Trust::default(),
        method: Method::POST,
        headers: HeaderMap::new(),
        requests: (0..10).map(request).collect(),
        expect: expect(),
        min_agreement_percent: 100,
    }
}

async fn session(server: &Server, cancel: &CancellationToken) -> Session {
    Session::open(&target(&server.url), Duration::from_secs(5), cancel)
        .await
        .unwrap()
}

async fn measure(manner: Manner, course: &Course) -> Window {
    let server = Server::start(manner, CALLS).await;
    let session = session(&server, &CancellationToken::new()).await;
    session.measure(course, &Arc::default()).await.unwrap()
}

async fn refused(url: &str) -> String {
    let cancel = CancellationToken::new();
    let session = Session::open(&target(url), Duration::from_secs(1), &cancel).await;
    session.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn right_answers_are_counted_once_each() {
    for course in [closed(1, 300), closed(100, 300), open(3000.0, 64, 300)] {
        let point = measure(Manner::Right, &course).await.point;
        assert_eq!((point.requests, point.errors), (300, 0));
        let counted: u64 = point.histogram.iter().map(|bucket| bucket.count).sum();
        assert_eq!(counted, 300);
        assert!(point.generator.bytes_received > 300 * 20);
        assert!(point.generator.bytes_sent > 299 * 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_share_connections() {
    let server = Server::start(Manner::Right, CALLS).await;
    let session = session(&server, &CancellationToken::new()).await;
    let before = server.connections.load(Ordering::Relaxed);
    session
        .measure(&closed(100, 1000), &Arc::default())
        .await
        .unwrap();
    assert_eq!(server.connections.load(Ordering::Relaxed) - before, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_not_0_is_an_error_in_the_servers_words() {
    for manner in [Manner::Fails(10), Manner::Refuses(10)] {
        for course in [closed(2, 200), open(1000.0, 64, 200)] {
            let window = measure(manner, &course).await;
            assert_eq!((window.point.requests, window.point.errors), (200, 20));
            let failures = &window.tally.failures()[&FailureClass::Status(14)];
            assert_eq!(failures.count, 20);
            assert_eq!(failures.example, "14 UNAVAILABLE: queue full");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_another_image_is_an_error() {
    let window = measure(Manner::Confuses(25), &closed(4, 200)).await;
    assert_eq!(count(&window, FailureClass::WrongAnswer), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_is_an_error_and_the_rest_goes_on() {
    for course in [closed(2, 100), open(200.0, 64, 100)] {
        let window = measure(Manner::Stalls(50), &course).await;
        assert_eq!((window.point.requests, window.point.errors), (98, 2));
        assert_eq!(count(&window, FailureClass::TimedOut), 2);
        assert!(window.point.seconds >= 2.0, "{}", window.point.seconds);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_reset_or_has_no_end_is_an_error_of_its_own() {
    let window = measure(Manner::Resets(50), &closed(4, 200)).await;
    assert_eq!(count(&window, FailureClass::Broken), 4);
    let window = measure(Manner::Forgets(50), &closed(4, 200)).await;
    assert_eq!(count(&window, FailureClass::Malformed), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leaves_connections_is_asked_on_new_ones() {
    for course in [closed(8, 200), open(1000.0, 8, 200)] {
        let server = Server::start(Manner::Leaves(20), CALLS).await;
        let session = session(&server, &CancellationToken::new()).await;
        let window = session.measure(&course, &Arc::default()).await.unwrap();
        assert_eq!(window.point.requests + window.point.errors, 200);
        // A call that crossed the server's word on the way is lost; none other is.
        let broken = count(&window, FailureClass::Broken);
        assert_eq!(window.point.errors, broken, "{:?}", window.tally.failures());
        let connections = server.connections.load(Ordering::Relaxed) - CALLS;
        assert!(connections >= 5, "{connections}");
        assert!(broken <= 8 * connections, "{broken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_contents_in_parts_are_right() {
    let point = measure(Manner::Parts, &closed(2, 50)).await.point;
    assert_eq!((point.requests, point.errors), (50, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_beyond_the_streams_allowed_wait_and_are_told() {
    let window = measure(Manner::Slow, &open(1000.0, 1, 50)).await;
    let open = window.point.open.unwrap();
    assert!(open.held > 0);
    assert!(window.point.latency.p50 > 2.0 * open.service.p50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_leaves_what_was_measured() {
    let server = Server::start(Manner::Right, CALLS).await;
    let session = session(&server, &CancellationToken::new()).await;
    let course = Course {
        window: Duration::from_secs(1),
        ..closed(4, u64::MAX)
    };
    let watch = Arc::new(Watch::default());
    let window = tokio::join!(session.measure(&course, &watch), async {
        while watch.counts().0 < 100 {
            tokio::task::yield_now().await;
        }
        drop(server);
    });
    let window = window.0.unwrap();
    assert!(window.point.requests >= 100);
    let failures = window.tally.failures();
    assert!(count(&window, FailureClass::Connect) > 0, "{failures:?}");
    assert!(count(&window, FailureClass::Broken) <= 4, "{failures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_window_ends_early() {
    let server = Server::start(Manner::Right, CALLS).await;
    let cancel = CancellationToken::new();
    let session = session(&server, &cancel).await;
    let watch = Arc::new(Watch::default());
    let course = closed(2, u64::MAX);
    let ended = tokio::join!(session.measure(&course, &watch), async {
        while watch.counts().0 == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });
    assert!(matches!(ended.0, Err(BenchError::Cancelled)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_told_before_any_load() {
    let words = refused("grpc://127.0.0.1:9").await;
    let begin = format!(
        "request 1 of 10 to `grpc://127.0.0.1:9{MODEL_INFER}` was not answered rightly without load: "
    );
    assert!(words.starts_with(&begin), "{words}");
    assert!(words.contains("Connection refused"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_of_another_protocol_is_told_before_any_load() {
    let server = crate::server::Server::start(crate::server::Manner::Right, 0).await;
    let words = refused(&server.url.replace("http", "grpc")).await;
    assert!(words.ends_with("is this the port of gRPC?"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_into_no_buffer_comes_through_both_ways() {
    let server = Server::start(Manner::Large, CALLS).await;
    let target = filled(&server.url, crate::server::LARGE);
    let cancel = CancellationToken::new();
    let session = Session::open(&target, Duration::from_secs(5), &cancel);
    let session = session.await.unwrap();
    let window = session
        .measure(&closed(3, 30), &Arc::default())
        .await
        .unwrap();
    assert_eq!((window.point.requests, window.point.errors), (30, 0));
}
