//! The same over TLS: what is counted, what comes beside answers, and what is told of
//! servers that are not believed.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use lab_bench::{
    error::BenchError,
    generators::{Generators, Wire, serve},
    load::Course,
    measure::Window,
    record::FailureClass,
    session::Session,
    target::Target,
    trust::Trust,
};
use lab_model::outcome::reason;
use miette::Diagnostic;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt, duplex},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;

use crate::{
    authority::Authority,
    grpc, grpc_server,
    load::{self, REQUESTS, closed, count, open},
    server::{LARGE, Manner, Server},
    tls_server::{Aside, Talker},
};

pub(crate) const HERE: &str = "127.0.0.1";
const HTTP: &str = "http/1.1";
const H2: &str = "h2";

async fn session(mut target: Target, trust: Trust) -> Result<Session, BenchError> {
    target.trust = trust;
    Session::open(&target, Duration::from_secs(5), &CancellationToken::new()).await
}

pub(crate) async fn measure(target: Target, trust: Trust, course: &Course) -> Window {
    let session = session(target, trust).await.unwrap();
    session.measure(course, &Arc::default()).await.unwrap()
}

/// Servers of both protocols; that of gRPC answers rightly.
pub(crate) struct Both {
    http: Server,
    grpc: grpc_server::Server,
}

impl Both {
    pub(crate) async fn start(
        http: Manner,
        config: impl Fn(&'static str) -> Arc<ServerConfig>,
    ) -> Self {
        let grpc = grpc_server::Manner::Right;
        Self {
            http: Server::start_tls(config(HTTP), http, REQUESTS).await,
            grpc: grpc_server::Server::start_tls(config(H2), grpc, grpc::CALLS).await,
        }
    }

    pub(crate) fn targets(&self) -> [Target; 2] {
        [load::target(&self.http.url), grpc::target(&self.grpc.url)]
    }
}

async fn over_https(manner: Manner, course: &Course) -> Window {
    let authority = Authority::new("lab");
    let server = Server::start_tls(authority.server(HERE, HTTP), manner, REQUESTS).await;
    measure(load::target(&server.url), authority.trust(), course).await
}

async fn over_grpcs(manner: grpc_server::Manner, course: &Course) -> Window {
    let authority = Authority::new("lab");
    let config = authority.server(HERE, H2);
    let server = grpc_server::Server::start_tls(config, manner, grpc::CALLS).await;
    measure(grpc::target(&server.url), authority.trust(), course).await
}

#[tokio::test(flavor = "multi_thread")]
async fn right_answers_are_counted_once_each() {
    for course in [closed(1, 300), closed(100, 1000), open(3000.0, 64, 300)] {
        let point = over_https(Manner::Right, &course).await.point;
        assert_eq!((point.requests, point.errors), (course.max_requests, 0));
        let point = over_grpcs(grpc_server::Manner::Right, &course).await.point;
        assert_eq!((point.requests, point.errors), (course.max_requests, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_signed_its_own_certificate_is_believed_by_that() {
    let (config, trust) = Authority::own(HERE, HTTP);
    let server = Server::start_tls(config, Manner::Right, REQUESTS).await;
    let target = load::target(&server.url);
    let point = measure(target, trust, &closed(2, 50)).await.point;
    assert_eq!((point.requests, point.errors), (50, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_another_image_is_an_error() {
    let course = closed(4, 200);
    let window = over_https(Manner::Confuses(25), &course).await;
    assert_eq!(count(&window, FailureClass::WrongAnswer), 8);
    let window = over_grpcs(grpc_server::Manner::Confuses(25), &course).await;
    assert_eq!(count(&window, FailureClass::WrongAnswer), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_into_no_buffer_comes_through_both_ways() {
    let authority = Authority::new("lab");
    let config = authority.server(HERE, HTTP);
    let server = Server::start_tls(config, Manner::Large, REQUESTS).await;
    let mut target = load::target(&server.url);
    for request in &mut target.requests {
        let filling = format!(r#"{{"filling":"{}","#, "x".repeat(LARGE));
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        request.body = body.replacen('{', &filling, 1).into();
    }
    let point = measure(target, authority.trust(), &closed(3, 30))
        .await
        .point;
    assert_eq!((point.requests, point.errors), (30, 0));

    let config = authority.server(HERE, H2);
    let manner = grpc_server::Manner::Large;
    let server = grpc_server::Server::start_tls(config, manner, grpc::CALLS).await;
    let target = grpc::filled(&server.url, LARGE);
    let point = measure(target, authority.trust(), &closed(3, 30))
        .await
        .point;
    assert_eq!((point.requests, point.errors), (30, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_connections_is_asked_on_new_ones() {
    for course in [closed(2, 50), open(500.0, 8, 50)] {
        let point = over_https(Manner::Closes, &course).await.point;
        assert_eq!((point.requests, point.errors), (50, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_behind_an_answer_is_heard() {
    let authority = Authority::new("lab");
    let config = authority.server(HERE, HTTP);
    for server in [
        Talker::start(Some(config), Aside::End).await,
        Talker::start(None, Aside::End).await,
    ] {
        for course in [closed(2, 50), open(500.0, 8, 50)] {
            let target = load::target(&server.url);
            let window = measure(target, authority.trust(), &course).await;
            let failures = window.tally.failures();
            assert!(failures.is_empty(), "{} {failures:?}", server.url);
            assert_eq!(window.point.requests, 50);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tls_says_while_nothing_is_owed_is_not_the_end() {
    let authority = Authority::new("lab");
    let server = Talker::start(Some(authority.server(HERE, HTTP)), Aside::Keys).await;
    let target = load::target(&server.url);
    let session = session(target, authority.trust()).await.unwrap();
    let before = server.connections.load(Ordering::Relaxed);
    // Far enough apart that each connection is idle when it comes.
    let course = open(50.0, 1, 20);
    let point = session
        .measure(&course, &Arc::default())
        .await
        .unwrap()
        .point;
    assert_eq!((point.requests, point.errors), (20, 0));
    assert_eq!(server.connections.load(Ordering::Relaxed) - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_cannot_be_made_under_load_are_told_in_their_words() {
    let authority = Authority::new("lab");
    let both = Both::start(Manner::Right, |it| authority.server(HERE, it)).await;
    let plain = [&both.http.plain, &both.grpc.plain];
    for (target, plain) in both.targets().into_iter().zip(plain) {
        let session = session(target, authority.trust()).await.unwrap();
        plain.store(true, Ordering::Relaxed);
        for course in [closed(2, 20), open(200.0, 2, 20)] {
            let window = session.measure(&course, &Arc::default()).await.unwrap();
            assert_eq!((window.point.requests, window.point.errors), (0, 20));
            let failures = &window.tally.failures()[&FailureClass::Connect];
            assert_eq!(
                (failures.count, failures.example.as_str()),
                (20, "received corrupt message of type InvalidContentType")
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_end_is_an_error() {
    let authority = Authority::new("lab");
    let both = Both::start(Manner::Right, |it| authority.server(HERE, it)).await;
    let mut sessions = Vec::new();
    for target in both.targets() {
        let place = place(&target).to_owned();
        sessions.push((session(target, authority.trust()).await.unwrap(), place));
    }
    drop(both);
    for (session, place) in sessions {
        // The kernel makes the connections, and nobody takes them.
        let silent = loop {
            match TcpListener::bind(&place).await {
                Ok(silent) => break silent,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        for course in [closed(2, 4), open(100.0, 2, 4)] {
            let course = Course {
                timeout: Duration::from_millis(200),
                ..course
            };
            let window = session.measure(&course, &Arc::default()).await.unwrap();
            assert_eq!((window.point.requests, window.point.errors), (0, 4));
            let failures = &window.tally.failures();
            let connect = &failures[&FailureClass::Connect];
            assert_eq!(connect.example, "not there within 200ms", "{failures:?}");
        }
        drop(silent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generators_believe_whom_they_are_told_to() {
    let (authority, other) = (Authority::new("lab"), Authority::new("other"));
    let server = Server::start_tls(authority.server(HERE, HTTP), Manner::Right, REQUESTS).await;
    let target = || load::target(&server.url);
    elsewhere(target(), authority.trust()).await.unwrap();
    let told = elsewhere(target(), other.trust()).await;
    let told = told.unwrap_err().to_string();
    assert!(told.contains("UnknownIssuer"), "{told}");
}

/// Has a generator ask a target.
pub(crate) async fn elsewhere(mut target: Target, trust: Trust) -> Result<(), BenchError> {
    target.trust = trust;
    let (here, there) = (duplex(1 << 16), duplex(1 << 16));
    let wire = Wire {
        name: "a".to_owned(),
        input: Box::new(here.0),
        output: Box::new(there.0),
    };
    let (limit, cancel) = (Duration::from_secs(5), CancellationToken::new());
    tokio::select! {
        opened = Generators::open(vec![wire], &target, limit, &cancel) => opened.map(drop),
        ended = serve(here.1, there.1) => panic!("{ended:?}"),
    }
}

/// A target's host and port.
fn place(target: &Target) -> &str {
    target.url.split('/').nth(2).unwrap()
}

/// What is told of a server, with its address and times taken out.
pub(crate) async fn refused(target: Target, trust: &Trust) -> String {
    let place = place(&target).to_owned();
    let error = session(target, trust.clone()).await.unwrap_err();
    format!(
        "{}\n{}\nhelp: {}",
        error.code().unwrap(),
        reason(&error).replace(&place, "HOST:PORT"),
        error.help().unwrap()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_believed_is_told_before_any_load() {
    let (authority, other) = (Authority::new("lab"), Authority::new("other"));
    let mut told = Vec::new();
    for (config, trust) in [
        (authority.server(HERE, HTTP), other.trust()),
        (authority.server("model.example", HTTP), authority.trust()),
        (authority.expired(HERE, HTTP), authority.trust()),
        (authority.itself(HTTP), authority.trust()),
        (authority.server(HERE, H2), authority.trust()),
        (Authority::refusing(), authority.trust()),
    ] {
        let server = Server::start_tls(config, Manner::Right, 0).await;
        told.push(refused(load::target(&server.url), &trust).await);
    }
    insta::with_settings!({filters => vec![(r"\d{9,}", "TIME")]}, {
        insta::assert_snapshot!(told.join("\n\n"));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_grpc_that_is_not_believed_is_told_before_any_load() {
    let (authority, other) = (Authority::new("lab"), Authority::new("other"));
    let mut told = Vec::new();
    for (protocol, trust) in [(H2, other.trust()), (HTTP, authority.trust())] {
        let config = authority.server(HERE, protocol);
        let manner = grpc_server::Manner::Right;
        let server = grpc_server::Server::start_tls(config, manner, 0).await;
        told.push(refused(grpc::target(&server.url), &trust).await);
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_speaks_no_tls_is_told_before_any_load() {
    let trust = Authority::new("lab").trust();
    let plain = Server::start(Manner::Right, 0).await;
    let url = |scheme| plain.url.replace("http", scheme);
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let closing = format!("https://{}", listener.local_addr().unwrap());
    let closes = async {
        while let Ok((mut stream, _)) = listener.accept().await {
            // What came is read: a socket that is closed over it is reset.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    };
    let told = async {
        [
            refused(load::target(&url("https")), &trust).await,
            refused(grpc::target(&url("grpcs")), &trust).await,
            refused(load::target(&closing), &trust).await,
        ]
    };
    tokio::select! {
        () = closes => {}
        told = told => insta::assert_snapshot!(told.join("\n\n")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_told_as_without_tls() {
    let trust = Authority::new("lab").trust();
    for target in [
        load::target("https://127.0.0.1:9"),
        grpc::target("grpcs://127.0.0.1:9"),
    ] {
        let told = refused(target, &trust).await;
        assert!(told.starts_with("lab::bench::wrong_without_load"), "{told}");
        assert!(told.contains("Connection refused"), "{told}");
    }
}
