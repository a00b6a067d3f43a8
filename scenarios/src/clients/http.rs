//! JSON over HTTP to one service, with errors that carry the service's words.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use tokio::time::sleep;

/// Longest time for one request. Services answer in milliseconds; on a busy
/// two-core machine a Python service may need seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Tries of a request that may arrive twice, and the time between them: a service
/// that has just become ready may not be reachable at its node port at once, and one
/// under load may be restarted.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Longest part of an unexpected answer shown in an error.
const SHOWN: usize = 400;

/// A request to a service under test failed.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No answer came.
    #[error("`{request}` was not answered")]
    Transport {
        /// Method and path.
        request: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The service answered, but not with success.
    #[error("`{request}` answered {status}: {body}")]
    Status {
        /// Method and path.
        request: String,
        /// The status code.
        status: StatusCode,
        /// Beginning of the answer.
        body: String,
    },
    /// The answer is not of the expected shape.
    #[error("`{request}` answered something unexpected: {body}")]
    Shape {
        /// Method and path.
        request: String,
        /// Beginning of the answer.
        body: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl ClientError {
    /// Whether the service said that there is such a thing already.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Status { status, .. } if *status == StatusCode::CONFLICT)
    }

    /// Whether the service said that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status, .. } if *status == StatusCode::NOT_FOUND)
    }
}

/// One service's address and how to ask it.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    base: Url,
    login: Option<(String, String)>,
}

impl Http {
    /// Asks the service at `base`, over connections that are kept open.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn new(base: Url) -> Result<Self, ClientError> {
        Self::with_idle_connections(base, 8)
    }

    /// Asks the service at `base`, over a new connection for every request.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn reconnecting(base: Url) -> Result<Self, ClientError> {
        Self::with_idle_connections(base, 0)
    }

    fn with_idle_connections(base: Url, idle: usize) -> Result<Self, ClientError> {
        // reqwest asks for a TLS provider even for plain HTTP; fails only when one
        // is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .timeout(REQUEST_TIMEOUT)
            .pool_max_idle_per_host(idle)
            .build()
            .map_err(|source| ClientError::Transport {
                request: format!("connect {base}"),
                source,
            })?;
        Ok(Self {
            client,
            base,
            login: None,
        })
    }

    /// The same, with HTTP basic authentication.
    #[must_use]
    pub fn with_login(mut self, (user, password): (String, String)) -> Self {
        self.login = Some((user, password));
        self
    }

    /// Address of the service.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Asks for `path` with a query; expects success and JSON. Asks again for some
    /// seconds where the service does not answer at all.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.patiently(Method::GET, url, None).await
    }

    /// Sends a JSON body to `path`; expects success and JSON. Sends it again where the
    /// service does not answer, so it is for requests that may arrive twice.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<T, ClientError> {
        self.patiently(method, self.url(path), Some(body)).await
    }

    /// Sends a JSON body to `path`; whatever the answer, gives its status and text.
    pub async fn exchange(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<(StatusCode, String), ClientError> {
        let url = self.url(path);
        let request = describe(&Method::POST, &url);
        self.perform(self.client.post(url).json(body), request)
            .await
            .map(|(status, text, _)| (status, text))
    }

    /// Asks for `path`; whatever the answer, gives its status and text.
    pub async fn look(&self, path: &str) -> Result<(StatusCode, String), ClientError> {
        let url = self.url(path);
        let request = describe(&Method::GET, &url);
        self.perform(self.client.get(url), request)
            .await
            .map(|(status, text, _)| (status, text))
    }

    /// Asks for `url` with headers of its own; expects success, gives the text.
    pub(crate) async fn get_with_headers(
        &self,
        url: Url,
        headers: &[(&'static str, String)],
    ) -> Result<String, ClientError> {
        let request = describe(&Method::GET, &url);
        let mut builder = self.client.get(url);
        for (name, value) in headers {
            builder = builder.header(*name, value);
        }
        let (status, text, request) = self.perform(builder, request).await?;
        succeed(status, text, request).map(|(text, _)| text)
    }

    /// Address of a path of the service.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        url
    }

    async fn patiently<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<T, ClientError> {
        for _ in 1..TRIES {
            match self.json(method.clone(), url.clone(), body).await {
                Err(ClientError::Transport { .. }) => sleep(BETWEEN_TRIES).await,
                answered => return answered,
            }
        }
        self.json(method, url, body).await
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<T, ClientError> {
        let request = describe(&method, &url);
        let mut builder = self.client.request(method, url);
        if let Some(body) = body {
            builder = builder.json(body);
        }
        let (status, text, request) = self.perform(builder, request).await?;
        let (text, request) = succeed(status, text, request)?;
        serde_json::from_str(&text).map_err(|source| ClientError::Shape {
            request,
            body: beginning(&text),
            source,
        })
    }

    async fn perform(
        &self,
        mut builder: RequestBuilder,
        request: String,
    ) -> Result<(StatusCode, String, String), ClientError> {
        if let Some((user, password)) = &self.login {
            builder = builder.basic_auth(user, Some(password));
        }
        let answer = async {
            let response = builder.send().await?;
            let status = response.status();
            Ok((status, response.text().await?))
        };
        match answer.await {
            Ok((status, text)) => Ok((status, text, request)),
            Err(source) => Err(ClientError::Transport { request, source }),
        }
    }
}

fn succeed(
    status: StatusCode,
    text: String,
    request: String,
) -> Result<(String, String), ClientError> {
    if status.is_success() {
        Ok((text, request))
    } else {
        Err(ClientError::Status {
            request,
            status,
            body: beginning(&text),
        })
    }
}

/// Method and path, as errors and evidence show a request.
fn describe(method: &Method, url: &Url) -> String {
    format!("{method} {}", url.path())
}

fn beginning(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
