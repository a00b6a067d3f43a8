//! Before any load: every request once, alone, and its answer kept as what is right.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use lab_model::outcome::reason;
use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    greeting::greet,
    grpc,
    judge::{Answer, Reference, Status, refer},
    server::{Peer, Tls},
    target::{Address, Expect, Request, Target, TargetError},
};

/// A target that was asked once without load.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) peer: Peer,
    pub(crate) protocol: Protocol,
    /// Requests as they are written to the connection; of gRPC, their bodies.
    pub(crate) payloads: Vec<Bytes>,
    /// What each of them was answered.
    pub(crate) references: Vec<Reference>,
    pub(crate) expect: Expect,
}

/// What the payloads are written in.
#[derive(Debug)]
pub(crate) enum Protocol {
    Http,
    /// Each request's head.
    Grpc(Vec<http::Request<()>>),
}

/// Sends every request once, alone, and keeps the answers as what is right.
///
/// # Errors
/// When the target cannot be asked or answers wrongly, or the token is cancelled.
pub(crate) async fn prepare(
    target: &Target,
    timeout: Duration,
    cancel: &CancellationToken,
) -> Result<Prepared, BenchError> {
    let address = target.address()?;
    if target.requests.is_empty() {
        return Err(TargetError::NoRequests {
            url: target.url.clone(),
        }
        .into());
    }
    let peer = Peer::find(&target.url, &address, &target.trust).await?;
    let (protocol, payloads) = if address.scheme.is_grpc() {
        let calls: Vec<_> = target
            .requests
            .iter()
            .map(|request| call(target, &address, request))
            .collect::<Result<_, _>>()?;
        let (heads, payloads) = calls.into_iter().unzip();
        (Protocol::Grpc(heads), payloads)
    } else {
        let payload = |request| Bytes::from(payload(target, &address, request));
        let payloads = target.requests.iter().map(payload).collect();
        (Protocol::Http, payloads)
    };
    let mut prepared = Prepared {
        peer,
        protocol,
        payloads,
        references: Vec::new(),
        expect: target.expect.clone(),
    };
    prepared.references = tokio::select! {
        () = cancel.cancelled() => return Err(BenchError::Cancelled),
        references = async {
            greet(&target.url, &prepared.peer, timeout).await?;
            ask_each(target, &prepared, timeout).await
        } => references?,
    };
    agree(target, &prepared.references)?;
    Ok(prepared)
}

/// A client for what is not measured. It goes past no proxy: the load does not either.
pub(crate) fn client(timeout: Duration, tls: Option<&Tls>) -> Result<reqwest::Client, BenchError> {
    // The second one to install it is told so; either is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(timeout);
    let builder = match tls {
        Some(tls) => builder.tls_backend_preconfigured(tls.config()),
        // Nothing is read that is not needed: a generator's image has no certificates.
        None => builder.tls_certs_only([]),
    };
    builder
        .build()
        .map_err(|source| BenchError::Client { source })
}

async fn ask_each(
    target: &Target,
    prepared: &Prepared,
    timeout: Duration,
) -> Result<Vec<Reference>, BenchError> {
    let client = client(timeout, prepared.peer.tls.as_ref())?;
    let mut references = Vec::new();
    for (number, request) in target.requests.iter().enumerate() {
        let reference = match &prepared.protocol {
            Protocol::Http => ask(&client, target, request).await,
            Protocol::Grpc(heads) => {
                let payload = prepared.payloads[number].clone();
                let call = grpc::call(&prepared.peer, heads[number].clone(), payload);
                let reply = tokio::time::timeout(timeout, call).await;
                reply
                    .map_err(|_| format!("no answer within {timeout:?}"))
                    .and_then(|reply| refer_reply(&target.expect, &reply?))
            }
        };
        references.push(reference.map_err(|reason| BenchError::WrongWithoutLoad {
            url: target.url.clone(),
            number: number + 1,
            of: target.requests.len(),
            reason,
        })?);
    }
    Ok(references)
}

fn refer_reply(expect: &Expect, reply: &grpc::Reply) -> Result<Reference, String> {
    let answer = Answer {
        status: Status::Grpc(reply.code, &reply.words),
        body: &reply.message,
    };
    refer(expect, &answer).map_err(|wrong| wrong.reason)
}

async fn ask(
    client: &reqwest::Client,
    target: &Target,
    request: &Request,
) -> Result<Reference, String> {
    let answer = client
        .request(target.method.clone(), &target.url)
        .headers(target.headers.clone())
        .headers(request.headers.clone())
        .body(request.body.clone())
        .send()
        .await
        .map_err(|error| reason(&error))?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(|error| reason(&error))?;
    let answer = Answer {
        status: Status::Http(status),
        body: &body,
    };
    refer(&target.expect, &answer).map_err(|wrong| wrong.reason)
}

/// A request as it goes over the wire.
fn payload(target: &Target, address: &Address, request: &Request) -> Vec<u8> {
    let mut bytes = format!(
        "{} {} HTTP/1.1\r\n{}: {}\r\n",
        target.method,
        address.path,
        header::HOST,
        address.authority
    )
    .into_bytes();
    put(&mut bytes, &target.headers);
    put(&mut bytes, &request.headers);
    if !request.body.is_empty() || target.method == http::Method::POST {
        let length = format!("{}: {}\r\n", header::CONTENT_LENGTH, request.body.len());
        bytes.extend_from_slice(length.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}

/// A call's head and its message, as HTTP/2 takes them.
fn call(
    target: &Target,
    address: &Address,
    request: &Request,
) -> Result<(http::Request<()>, Bytes), TargetError> {
    let wrong = || TargetError::Address {
        url: target.url.clone(),
    };
    let mut head = grpc::head(address).ok_or_else(wrong)?;
    let headers = head.headers_mut();
    headers.extend(target.headers.clone());
    headers.extend(request.headers.clone());
    let message = grpc::frame(&request.body).ok_or_else(wrong)?;
    Ok((head, message))
}

fn put(bytes: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
}

/// Checks that the model knows enough of the true labels.
fn agree(target: &Target, references: &[Reference]) -> Result<(), BenchError> {
    let judged: Vec<bool> = target
        .requests
        .iter()
        .zip(references)
        .filter_map(|(request, reference)| request.label.map(|truth| reference.knows(truth)))
        .collect();
    let known = judged.iter().filter(|knows| **knows).count();
    let at_least = target.min_agreement_percent;
    if known * 100 < judged.len() * usize::from(at_least) {
        return Err(BenchError::Disagrees {
            known,
            of: judged.len(),
            at_least,
        });
    }
    Ok(())
}
