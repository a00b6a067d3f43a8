//! Files from the network, checked against a known checksum where one is known.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use miette::Diagnostic;
use reqwest::Client;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::time;

/// A mirror that sends nothing for so long is not going to.
const SILENCE: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(15);
const TRIES: usize = 3;

/// What a file must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// A file that could not be fetched.
#[derive(Debug, Error, Diagnostic)]
pub enum FetchError {
    /// The HTTP client cannot be set up.
    #[error("failed to set up the HTTP client")]
    #[diagnostic(
        code(lab::image::http_client),
        help("check the host's certificates and the proxy variables")
    )]
    Client {
        /// What it said.
        #[source]
        source: reqwest::Error,
    },
    /// The server cannot be reached or refuses.
    #[error("failed to fetch `{url}`")]
    #[diagnostic(
        code(lab::image::fetch),
        help(
            "check the network and the proxy variables; LAB_DEBIAN_MIRROR and UV_DEFAULT_INDEX name other servers"
        )
    )]
    Request {
        /// What was asked for.
        url: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The server sends nothing any more.
    #[error("`{url}` stopped sending for {} s", SILENCE.as_secs())]
    #[diagnostic(
        code(lab::image::stalled),
        help("run the command again; what was finished is kept")
    )]
    Stalled {
        /// What was asked for.
        url: String,
    },
    /// The file is not what it must be.
    #[error("`{url}` is not the file it must be: sha256 {actual} instead of {expected}")]
    #[diagnostic(
        code(lab::image::checksum),
        help("the mirror is broken or changes what it serves; use another one")
    )]
    Checksum {
        /// What was asked for.
        url: String,
        /// The checksum that is right.
        expected: String,
        /// The checksum of what came.
        actual: String,
    },
}

/// Fetches files through the host's proxy and with the host's certificates.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    client: Client,
}

impl Fetcher {
    pub(crate) fn new() -> Result<Self, FetchError> {
        // Fails only when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .user_agent(concat!("mlops-lab/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|source| FetchError::Client { source })?;
        Ok(Self { client })
    }

    /// A file, whatever is in it.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Bytes, FetchError> {
        (|| self.once(url))
            // The server gets a moment to recover.
            .retry(ExponentialBuilder::default().with_max_times(TRIES - 1))
            .when(is_worth_another_try)
            .await
    }

    /// A file that must have a known checksum.
    pub(crate) async fn checked(&self, url: &str, known: &str) -> Result<Bytes, FetchError> {
        let bytes = self.fetch(url).await?;
        let actual = hex::encode(Sha256::digest(&bytes));
        if actual == known {
            Ok(bytes)
        } else {
            Err(FetchError::Checksum {
                url: url.to_owned(),
                expected: known.to_owned(),
                actual,
            })
        }
    }

    async fn once(&self, url: &str) -> Result<Bytes, FetchError> {
        let failed = |source: reqwest::Error| FetchError::Request {
            url: without_credentials(url),
            source: source.without_url(),
        };
        let stalled = |_| FetchError::Stalled {
            url: without_credentials(url),
        };
        let answer = time::timeout(SILENCE, self.client.get(url).send())
            .await
            .map_err(stalled)?
            .and_then(reqwest::Response::error_for_status)
            .map_err(failed)?;
        let mut body = answer.bytes_stream();
        let mut bytes = BytesMut::new();
        while let Some(chunk) = time::timeout(SILENCE, body.next()).await.map_err(stalled)? {
            bytes.extend_from_slice(&chunk.map_err(failed)?);
        }
        Ok(bytes.freeze())
    }
}

/// The address without a user's name and password.
pub(crate) fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), url.find('@')) {
        (Some((scheme, rest)), Some(_)) => match rest.split_once('/') {
            Some((host, path)) => {
                let host = host.rsplit('@').next().unwrap_or_default();
                format!("{scheme}://{host}/{path}")
            }
            None => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default()),
        },
        _ => url.to_owned(),
    }
}

fn is_worth_another_try(error: &FetchError) -> bool {
    let FetchError::Request { source, .. } = error else {
        return false;
    };
    source
        .status()
        .is_none_or(|status| status.is_server_error() || status.as_u16() == 429)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_password() {
        assert_eq!(
            without_credentials("https://me:secret@index.example/simple/uv/"),
            "https://index.example/simple/uv/"
        );
        assert_eq!(
            without_credentials("https://index.example/a@b"),
            "https://index.example/a@b"
        );
    }
}
