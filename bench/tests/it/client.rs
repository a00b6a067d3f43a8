//! Servers that ask who speaks to them: what they are shown, and what is told of those that
//! do not take it.

use std::time::Duration;

use lab_bench::session::Session;
use rustls::{ALL_VERSIONS, SupportedProtocolVersion, version::TLS12};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{
    authority::{Asks, Authority},
    load::{self, closed, open},
    server::Manner,
    tls::{Both, HERE, elsewhere, measure, refused},
};

const ONLY_TLS12: &[&SupportedProtocolVersion] = &[&TLS12];

/// Servers of both protocols that ask for clients of this authority; of HTTP, hands are shaken
/// for each request.
async fn asking(authority: &Authority, asks: Asks) -> Both {
    Both::start(Manner::Closes, |it| authority.asking(HERE, it, &asks)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_is_shown_a_certificate_by_all_that_speaks_to_it() {
    let authority = Authority::new("lab");
    let trust = authority.trust().showing(authority.client());
    for versions in [ALL_VERSIONS, ONLY_TLS12] {
        let of_all = true;
        let both = asking(&authority, Asks { of_all, versions }).await;
        for course in [closed(2, 50), open(500.0, 8, 50)] {
            for target in both.targets() {
                let point = measure(target, trust.clone(), &course).await.point;
                assert_eq!((point.requests, point.errors), (50, 0));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_and_wants_none_is_measured() {
    let authority = Authority::new("lab");
    let (of_all, versions) = (false, ALL_VERSIONS);
    let both = asking(&authority, Asks { of_all, versions }).await;
    for target in both.targets() {
        let point = measure(target, authority.trust(), &closed(2, 50))
            .await
            .point;
        assert_eq!((point.requests, point.errors), (50, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_take_a_client_is_told_before_any_load() {
    let (authority, other) = (Authority::new("lab"), Authority::new("other"));
    let mut told = Vec::new();
    for versions in [ALL_VERSIONS, ONLY_TLS12] {
        let of_all = true;
        let both = asking(&authority, Asks { of_all, versions }).await;
        for trust in [authority.trust(), authority.trust().showing(other.client())] {
            for target in both.targets() {
                told.push(refused(target, &trust).await);
            }
        }
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_a_client_without_a_word_is_asked() {
    let authority = Authority::new("lab");
    let (of_all, versions) = (true, ALL_VERSIONS);
    let config = authority.asking(HERE, "http/1.1", &Asks { of_all, versions });
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let holds = async {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(acceptor.accept(stream).await);
        }
    };
    let mut target = load::target(&url);
    target.trust = authority.trust().showing(authority.client());
    let (limit, cancel) = (Duration::from_secs(1), CancellationToken::new());
    tokio::select! {
        () = holds => {}
        opened = Session::open(&target, limit, &cancel) => {
            // It does not answer the request, either; but that was sent.
            let told = opened.unwrap_err().to_string();
            assert!(told.starts_with("request 1 of 10"), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generators_show_what_they_are_told_to() {
    let authority = Authority::new("lab");
    let (of_all, versions) = (true, ALL_VERSIONS);
    let both = asking(&authority, Asks { of_all, versions }).await;
    let [target, _] = both.targets();
    let trust = authority.trust().showing(authority.client());
    elsewhere(target.clone(), trust).await.unwrap();
    let told = elsewhere(target, authority.trust()).await;
    let told = told.unwrap_err().to_string();
    assert!(told.contains("CertificateRequired"), "{told}");
}
