//! Before any load: every request once, alone, and its answer kept as what is right.

use std::{net::SocketAddr, time::Duration};

use http::{HeaderMap, header};
use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    judge::{Answer, Reference, refer},
    target::{Address, Expect, Request, Target, TargetError},
};

/// A target that was asked once without load.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) address: SocketAddr,
    /// Requests as they are written to the connection.
    pub(crate) payloads: Vec<Vec<u8>>,
    /// What each of them was answered.
    pub(crate) references: Vec<Reference>,
    pub(crate) expect: Expect,
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
    let references = tokio::select! {
        () = cancel.cancelled() => return Err(BenchError::Cancelled),
        references = ask_each(target, timeout) => references?,
    };
    agree(target, &references)?;
    Ok(Prepared {
        payloads: target
            .requests
            .iter()
            .map(|request| payload(target, &address, request))
            .collect(),
        address: resolve(target, &address).await?,
        references,
        expect: target.expect.clone(),
    })
}

async fn resolve(target: &Target, address: &Address) -> Result<SocketAddr, BenchError> {
    let url = target.url.clone();
    let found = tokio::net::lookup_host(&address.authority).await;
    let unknown = |source| TargetError::Unknown { url, source };
    let first = found.map_err(unknown.clone())?.next();
    Ok(first.ok_or_else(|| unknown(std::io::ErrorKind::NotFound.into()))?)
}

/// A client for what is not measured. It goes past no proxy: the load does not either.
pub(crate) fn client(timeout: Duration) -> Result<reqwest::Client, BenchError> {
    // The second one to install it is told so; either is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(timeout)
        .build()
        .map_err(|source| BenchError::Client { source })
}

async fn ask_each(target: &Target, timeout: Duration) -> Result<Vec<Reference>, BenchError> {
    let client = client(timeout)?;
    let mut references = Vec::new();
    for request in &target.requests {
        let reference = ask(&client, target, request).await;
        references.push(reference.map_err(|reason| BenchError::WrongWithoutLoad {
            url: target.url.clone(),
            number: references.len() + 1,
            of: target.requests.len(),
            reason,
        })?);
    }
    Ok(references)
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
        .map_err(|error| chain(&error))?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(|error| chain(&error))?;
    let answer = Answer {
        status,
        body: &body,
    };
    refer(&target.expect, &answer).map_err(|wrong| wrong.reason)
}

/// An error with its causes: reqwest's own words leave out why.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
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
