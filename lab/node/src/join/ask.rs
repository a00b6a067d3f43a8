//! An agent's side: finds the right server and asks to be admitted.

use std::time::Duration;

use reqwest::{Certificate, Client, StatusCode, Url};
use tokio::time::sleep;

use super::{AUTHORITY_PATH, Admission, JoinError, NODES_PATH, Token, hash};
use crate::{layout, pki::PublicKey};

/// The server may not be up yet.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// An answer takes a few writes to the API server.
const PATIENCE: Duration = Duration::from_secs(10);

/// The server to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Its API server.
    pub(crate) api: String,
    door: Url,
}

impl Server {
    /// Reads `K3S_URL`.
    pub(crate) fn parse(url: &str) -> Result<Self, JoinError> {
        let mut door = Url::parse(url).map_err(|_| JoinError::Url)?;
        if door.scheme() != "https" || door.path() != "/" {
            return Err(JoinError::Url);
        }
        let api = door.as_str().trim_end_matches('/').to_owned();
        door.set_port(Some(layout::JOIN_PORT))
            .map_err(|()| JoinError::Url)?;
        Ok(Self { api, door })
    }

    #[cfg(test)]
    pub(super) fn at(port: u16) -> Self {
        let mut server = Self::parse("https://127.0.0.1:6443").unwrap();
        server.door.set_port(Some(port)).unwrap();
        server
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.door.clone();
        url.set_path(path);
        url
    }
}

/// Asks until the server admits this node or says that it never will.
pub(crate) async fn ask(
    server: &Server,
    token: &Token,
    name: &str,
    key: &PublicKey,
) -> Result<Admission, JoinError> {
    // Fails only when a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pinned = token.authority.as_deref().ok_or(JoinError::Unpinned)?;
    let client = loop {
        if let Some(certificate) = authority(server).await? {
            if hash(&certificate) != pinned {
                return Err(JoinError::OtherServer {
                    url: server.door.to_string(),
                });
            }
            break trusting(&certificate)?;
        }
        sleep(ASK_EVERY).await;
    };
    let url = server.url(&format!("{NODES_PATH}{name}"));
    loop {
        let asked = client
            .post(url.clone())
            .bearer_auth(token.secret.reveal())
            .body(key.as_bytes().to_vec())
            .send()
            .await;
        if let Ok(answer) = asked {
            let status = answer.status();
            if status.is_success()
                && let Ok(admission) = answer.json().await
            {
                return Ok(admission);
            } else if status.is_client_error() {
                return Err(refused(status));
            }
        }
        sleep(ASK_EVERY).await;
    }
}

/// The authority's certificate as whoever answers gives it; nothing if nobody does.
/// Nobody is trusted here: the certificate counts only if the token names it.
async fn authority(server: &Server) -> Result<Option<String>, JoinError> {
    let anybody = Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .map_err(JoinError::Client)?;
    let answer = anybody.get(server.url(AUTHORITY_PATH)).send().await;
    match answer.and_then(reqwest::Response::error_for_status) {
        Ok(answer) => Ok(answer.text().await.ok()),
        Err(error) => {
            tracing::debug!(%error, "no server yet");
            Ok(None)
        }
    }
}

fn trusting(certificate: &str) -> Result<Client, JoinError> {
    let root = Certificate::from_pem(certificate.as_bytes()).map_err(JoinError::Client)?;
    Client::builder()
        .tls_certs_only([root])
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .map_err(JoinError::Client)
}

fn refused(status: StatusCode) -> JoinError {
    let words = match status {
        StatusCode::UNAUTHORIZED => "the token's secret is not this cluster's",
        StatusCode::CONFLICT => "a node of this name is there, and it is the server",
        _ => "it does not understand this node",
    };
    JoinError::Refused {
        words: words.to_owned(),
    }
}
