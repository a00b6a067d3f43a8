//! What is counted as right, wrong and unanswered, by both loops.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method};
use lab_bench::{
    error::BenchError,
    load::{Arrivals, Course, Pace, Watch},
    measure::Window,
    record::FailureClass,
    session::Session,
    target::{Expect, Inference, Output, Request, Target},
    trust::Trust,
};
use tokio_util::sync::CancellationToken;

use crate::server::{Manner, Server};

/// As many requests as are sent once without load.
pub(crate) const REQUESTS: u64 = 10;

pub(crate) fn target(url: &str) -> Target {
    let request = |label: i64| Request {
        headers: HeaderMap::new(),
        body: Bytes::from(format!(
            r#"{{"inputs":[{{"name":"x","shape":[1],"datatype":"FP32","data":[{label}]}}]}}"#
        )),
        label: Some(label),
    };
    Target {
        url: format!("{url}/v2/models/echo/infer"),
        trust: Trust::default(),
        method: Method::POST,
        headers: HeaderMap::new(),
        requests: (0..10).map(request).collect(),
        expect: expect(),
        min_agreement_percent: 100,
    }
}

pub(crate) fn expect() -> Expect {
    Expect::Inference(Inference {
        model: "echo".to_owned(),
        outputs: vec![Output {
            name: "label".to_owned(),
            datatype: "INT64".to_owned(),
            shape: vec![1],
        }],
        label: "label".to_owned(),
    })
}

fn course(pace: Pace, max_requests: u64) -> Course {
    Course {
        pace,
        warm_up: Duration::ZERO,
        settle: Duration::ZERO,
        window: Duration::from_secs(20),
        timeout: Duration::from_secs(2),
        max_requests,
        seed: 1,
    }
}

pub(crate) fn closed(connections: u32, max_requests: u64) -> Course {
    course(Pace::Closed { connections }, max_requests)
}

pub(crate) fn open(rate: f64, connections: u32, max_requests: u64) -> Course {
    let arrivals = Arrivals::Constant { rate };
    course(
        Pace::Open {
            arrivals,
            connections,
        },
        max_requests,
    )
}

async fn session(server: &Server, cancel: &CancellationToken) -> Result<Session, BenchError> {
    Session::open(&target(&server.url), Duration::from_secs(5), cancel).await
}

async fn measure(manner: Manner, course: &Course) -> Window {
    let server = Server::start(manner, REQUESTS).await;
    let session = session(&server, &CancellationToken::new()).await.unwrap();
    session.measure(course, &Arc::default()).await.unwrap()
}

pub(crate) fn count(window: &Window, class: FailureClass) -> u64 {
    window.tally.failures().get(&class).map_or(0, |it| it.count)
}

#[tokio::test(flavor = "multi_thread")]
async fn right_answers_are_counted_once_each() {
    for course in [closed(1, 300), closed(4, 300), open(3000.0, 64, 300)] {
        let point = measure(Manner::Right, &course).await.point;
        assert_eq!((point.requests, point.errors), (300, 0));
        assert!(point.throughput > 0.0);
        assert!(point.latency.p50 <= point.latency.p99);
        assert!(point.latency.p99 <= point.latency.max);
        assert_eq!(
            point
                .histogram
                .iter()
                .map(|bucket| bucket.count)
                .sum::<u64>(),
            300
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_open() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    let session = session(&server, &CancellationToken::new()).await.unwrap();
    let before = server.connections.load(Ordering::Relaxed);
    session
        .measure(&closed(4, 400), &Arc::default())
        .await
        .unwrap();
    assert_eq!(server.connections.load(Ordering::Relaxed) - before, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_500_is_an_error() {
    for course in [closed(2, 200), open(1000.0, 64, 200)] {
        let window = measure(Manner::Fails(10), &course).await;
        assert_eq!((window.point.requests, window.point.errors), (200, 20));
        let failures = &window.tally.failures()[&FailureClass::Status(500)];
        assert_eq!(failures.count, 20);
        assert_eq!(failures.example, "500 Internal Server Error: out of memory");
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
async fn a_server_that_closes_connections_is_asked_on_new_ones() {
    for course in [closed(2, 50), open(500.0, 8, 50)] {
        let point = measure(Manner::Closes, &course).await.point;
        assert_eq!((point.requests, point.errors), (50, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_chunks_is_right() {
    let point = measure(Manner::Chunks, &closed(2, 50)).await.point;
    assert_eq!((point.requests, point.errors), (50, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_beyond_the_connections_allowed_wait_and_are_told() {
    let window = measure(Manner::Slow, &open(1000.0, 1, 50)).await;
    let open = window.point.open.unwrap();
    assert!(open.held > 0);
    // Each waited for all before it: that is in the latency, and not in the service time.
    assert!(
        window.point.latency.p50 > 2.0 * open.service.p50,
        "{:?}",
        window.point
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_leaves_what_was_measured() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    let session = session(&server, &CancellationToken::new()).await.unwrap();
    let course = Course {
        window: Duration::from_secs(1),
        ..closed(2, u64::MAX)
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
    assert!(
        count(&window, FailureClass::Connect) > 0,
        "{:?}",
        window.tally.failures()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_window_ends_early() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    let cancel = CancellationToken::new();
    let session = session(&server, &cancel).await.unwrap();
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
    let target = target("http://127.0.0.1:9");
    let error = Session::open(&target, Duration::from_secs(1), &CancellationToken::new()).await;
    let words = error.unwrap_err().to_string();
    assert!(
        words.starts_with(
            "request 1 of 10 to `http://127.0.0.1:9/v2/models/echo/infer` \
             was not answered rightly without load: "
        ),
        "{words}"
    );
    assert!(words.contains("Connection refused"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_knows_too_little_is_not_measured() {
    let server = Server::start(Manner::Right, REQUESTS).await;
    let mut target = target(&server.url);
    target.requests[3].label = Some(9);
    let error = Session::open(&target, Duration::from_secs(5), &CancellationToken::new()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "the model knows 9 of 10 labels; at least 100 % were asked for"
    );
}
