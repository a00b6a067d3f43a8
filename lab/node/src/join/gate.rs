//! The server's side: a small HTTPS server that admits nodes.

use std::{
    convert::Infallible,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode, body::Bytes, body::Incoming, header::AUTHORIZATION,
    server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{AUTHORITY_PATH, Admission, JoinError, NODES_PATH, Secret};
use crate::{
    nodes::RegisterError,
    pki::{Authority, PublicKey},
};

/// A whole conversation; a client that dawdles is let go.
const PATIENCE: Duration = Duration::from_secs(10);
/// A public key is far shorter.
const LONGEST_BODY: usize = 1024;
const LONGEST_NAME: usize = 63;

/// Decides who may be a node.
pub(crate) struct Gate<'a, R> {
    pub(crate) authority: &'a Authority,
    pub(crate) secret: &'a Secret,
    /// The server's own name, which nobody else may take.
    pub(crate) own_name: &'a str,
    /// Writes a node of that name into the cluster; gives its pod network.
    pub(crate) register: R,
}

impl<R: AsyncFn(&str) -> Result<String, RegisterError>> Gate<'_, R> {
    /// Admits nodes for ever. `certificate` and `key` are the server's own files.
    pub(crate) async fn keep(
        &self,
        listener: TcpListener,
        certificate: &Path,
        key: &Path,
    ) -> Result<Infallible, JoinError> {
        let tls = TlsAcceptor::from(Arc::new(tls(certificate, key)?));
        let mut open = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (stream, peer) = accepted.map_err(JoinError::Listen)?;
                    open.push(timeout(PATIENCE, self.converse(stream, peer, &tls)));
                }
                Some(_) = open.next() => {}
            }
        }
    }

    async fn converse(&self, stream: TcpStream, peer: SocketAddr, tls: &TlsAcceptor) {
        let Ok(stream) = tls.accept(stream).await else {
            return;
        };
        let service = service_fn(|request| async move {
            Ok::<_, Infallible>(match self.answer(request, peer.ip()).await {
                Ok(body) => Response::new(Full::new(Bytes::from(body))),
                Err(status) => {
                    let mut refusal = Response::new(Full::default());
                    *refusal.status_mut() = status;
                    refusal
                }
            })
        });
        // Whoever breaks off will ask again.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Result<String, StatusCode> {
        if request.method() == Method::GET && request.uri().path() == AUTHORITY_PATH {
            return Ok(self.authority.certificate.clone());
        }
        let name = node_name(&request).ok_or(StatusCode::NOT_FOUND)?;
        if !bearer(&request).is_some_and(|shown| self.secret.is(shown)) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        if name == self.own_name {
            return Err(StatusCode::CONFLICT);
        }
        let IpAddr::V4(address) = peer else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let body = Limited::new(request.into_body(), LONGEST_BODY)
            .collect()
            .await
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        self.admit(&name, address, &body.to_bytes()).await
    }

    async fn admit(
        &self,
        name: &str,
        address: Ipv4Addr,
        key: &Bytes,
    ) -> Result<String, StatusCode> {
        let key = PublicKey::from_bytes(key).ok_or(StatusCode::BAD_REQUEST)?;
        let pod_network = (self.register)(name)
            .await
            .map_err(unavailable("register", name))?;
        let certificates = self
            .authority
            .admit(name, address, &key)
            .map_err(unavailable("sign for", name))?;
        serde_json::to_string(&Admission {
            pod_network,
            certificates,
        })
        .map_err(unavailable("answer", name))
    }
}

fn unavailable<E: std::error::Error>(doing: &str, name: &str) -> impl FnOnce(E) -> StatusCode {
    move |error| {
        tracing::warn!(%error, "failed to {doing} the node `{name}`");
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// The name a node asks for. It becomes part of an identity, so it is checked.
fn node_name(request: &Request<Incoming>) -> Option<String> {
    if request.method() != Method::POST {
        return None;
    }
    let name = request.uri().path().strip_prefix(NODES_PATH)?;
    let well_formed = (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
    well_formed.then(|| name.to_owned())
}

fn bearer(request: &Request<Incoming>) -> Option<&str> {
    let shown = request.headers().get(AUTHORIZATION)?;
    shown.to_str().ok()?.strip_prefix("Bearer ")
}

fn tls(certificate: &Path, key: &Path) -> Result<ServerConfig, JoinError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| JoinError::Certificate(error);
    let read = |path: &Path| fs::read(path).map_err(|error| failed(error.into()));
    let certificate = CertificateDer::from_pem_slice(&read(certificate)?)
        .map_err(|error| failed(error.into()))?;
    let key = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| failed(error.into()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.into()))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|error| failed(error.into()))
}
