//! Triton's model repository extension, as far as a sweep needs it.

use std::time::Duration;

use miette::Diagnostic;
use serde_json::{Value, json};
use thiserror::Error;

use super::SweepError;
use crate::{
    greeting::greet,
    prepare::client,
    server::{Peer, Server},
    target::Address,
    workload::Workload,
};

/// Time allowed for loading a model.
const LOAD: Duration = Duration::from_mins(2);

/// Why a model could not be set up.
#[derive(Debug, Error, Diagnostic)]
pub enum RepositoryError {
    /// Models are set up over HTTP only.
    #[error("`{url}` is not the address of a model repository")]
    #[diagnostic(
        code(lab::bench::repository_address),
        help("pass `http://host:port` of Triton's HTTP service, with TLS `https://host:port`")
    )]
    Address {
        /// The address as given.
        url: String,
    },
    /// The server cannot be asked.
    #[error("failed to ask `{url}`")]
    #[diagnostic(
        code(lab::bench::repository),
        help("`lab status NAME` shows whether the server is ready")
    )]
    Asked {
        /// The address.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server does not want to.
    #[error("`{url}` refused with status {status}: {words}")]
    #[diagnostic(
        code(lab::bench::repository_refused),
        help(
            "a sweep needs Triton's model repository extension and `--model-control-mode=explicit`"
        )
    )]
    Refused {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The server's own words.
        words: String,
    },
}

pub(super) struct Repository<'a> {
    client: reqwest::Client,
    /// `http://host:port`.
    server: &'a str,
    model: &'a str,
}

impl<'a> Repository<'a> {
    /// The repository of a server that has the workload's model.
    pub(super) async fn find(
        server: &'a Server,
        workload: &'a Workload,
    ) -> Result<Self, SweepError> {
        let Server { url, trust } = server;
        let wrong = || RepositoryError::Address { url: url.clone() };
        let address = Address::parse(url).map_err(|_| wrong())?;
        if address.scheme.is_grpc() {
            return Err(wrong().into());
        }
        let peer = Peer::find(url, &address, trust).await?;
        greet(url, &peer, workload.timeout).await?;
        Ok(Self {
            client: client(LOAD, peer.tls.as_ref())?,
            server: url,
            model: &workload.model,
        })
    }

    /// The model's configuration: `ModelConfig` as JSON.
    pub(super) async fn config(&self) -> Result<Value, RepositoryError> {
        let url = self.url(&format!("models/{}/config", self.model));
        let answer = answer(&url, self.client.get(&url)).await?;
        answer
            .json()
            .await
            .map_err(|source| RepositoryError::Asked { url, source })
    }

    /// Loads the model again, with this configuration. One that Triton was told stays until
    /// it is told another: without one it looks for changed files only.
    pub(super) async fn load(&self, config: &Value) -> Result<(), RepositoryError> {
        let url = self.url(&format!("repository/models/{}/load", self.model));
        let body = json!({"parameters": {"config": config.to_string()}});
        answer(&url, self.client.post(&url).json(&body)).await?;
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v2/{path}", self.server.trim_end_matches('/'))
    }
}

/// A good answer.
async fn answer(
    url: &str,
    request: reqwest::RequestBuilder,
) -> Result<reqwest::Response, RepositoryError> {
    let asked = |source| RepositoryError::Asked {
        url: url.to_owned(),
        source,
    };
    let answer = request.send().await.map_err(asked)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body: Value = answer.json().await.unwrap_or_default();
    Err(RepositoryError::Refused {
        url: url.to_owned(),
        status: status.as_u16(),
        words: body["error"].as_str().unwrap_or("no words").to_owned(),
    })
}
