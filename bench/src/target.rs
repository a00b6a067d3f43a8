//! What is asked, and which answers count as right.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use miette::Diagnostic;
use thiserror::Error;

use crate::trust::Trust;

/// An endpoint with the requests it is sent in turn.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Target {
    /// `http://host:port/path` of the endpoint; `grpc://host:port/service/method` of a
    /// call over gRPC, which the requests' bodies are the messages of. `https` and `grpcs`
    /// are the same with TLS.
    pub url: String,
    /// Who is believed to say that it is the one, where it speaks TLS.
    pub trust: Trust,
    /// Usually POST.
    #[serde(with = "http_serde::method")]
    pub method: Method,
    /// Headers of every request, `Content-Type` among them.
    #[serde(with = "http_serde::header_map")]
    pub headers: HeaderMap,
    /// Requests sent in turn.
    pub requests: Vec<Request>,
    /// Which answers are right.
    pub expect: Expect,
    /// How many of the true labels the model must know before it is measured, percent.
    pub min_agreement_percent: u8,
}

/// One request of a target.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Request {
    /// Headers of this request only.
    #[serde(with = "http_serde::header_map")]
    pub headers: HeaderMap,
    /// Its body.
    #[serde(with = "crate::export::bytes")]
    pub body: Bytes,
    /// The label that is known to be true for it.
    pub label: Option<i64>,
}

/// Which answers are right.
///
/// Before any load every request is sent once, alone; under load its answer has to
/// stay what it was then. So an answer that belongs to another request is found, and a
/// model need not be perfect to be measured.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Expect {
    /// Any body with status 200.
    Status,
    /// The same body.
    Same,
    /// JSON with the same value at a pointer (RFC 6901), for example `/predictions`.
    Json(String),
    /// An Open Inference Protocol v2 answer with the same label.
    Inference(Inference),
}

/// A right answer in the Open Inference Protocol v2.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Inference {
    /// Name of the model that must have answered.
    pub model: String,
    /// Outputs that must be there.
    pub outputs: Vec<Output>,
    /// Name of the output that holds the label.
    pub label: String,
}

/// An output tensor that must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its datatype, for example `INT64`.
    pub datatype: String,
    /// Its shape.
    pub shape: Vec<u64>,
}

/// Why a target cannot be asked.
#[derive(Debug, Error, Diagnostic)]
pub enum TargetError {
    /// The address is none, or not one of HTTP or gRPC.
    #[error(
        "`{url}` is not an address of the form `http://host:port/path` or `grpc://host:port`, \
         with TLS `https` or `grpcs`"
    )]
    #[diagnostic(
        code(lab::bench::target_address),
        help("pass the address the server answers on, for example `--url http://127.0.0.1:8000`")
    )]
    Address {
        /// The address as given.
        url: String,
    },
    /// The host has no address.
    #[error("the host of `{url}` has no address")]
    #[diagnostic(
        code(lab::bench::target_unknown),
        help("check the host's name; an address such as 127.0.0.1 needs no name service")
    )]
    Unknown {
        /// The address as given.
        url: String,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing to send.
    #[error("the target `{url}` has no requests")]
    #[diagnostic(
        code(lab::bench::target_without_requests),
        help("put at least one sample into the workload's `samples` file")
    )]
    NoRequests {
        /// The address.
        url: String,
    },
}

/// How a target is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// HTTP/1.1.
    Http,
    /// The same, with TLS.
    Https,
    /// gRPC over HTTP/2, without TLS.
    Grpc,
    /// The same, with TLS.
    Grpcs,
}

impl Scheme {
    pub(crate) const fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::Grpcs)
    }

    pub(crate) const fn has_tls(self) -> bool {
        matches!(self, Self::Https | Self::Grpcs)
    }

    const fn port(self) -> u16 {
        if self.has_tls() { 443 } else { 80 }
    }
}

/// A target's address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    /// `host:port`, as sockets and the `Host` header want it.
    pub(crate) authority: String,
    /// Without the brackets that an address of IPv6 has there.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) path: String,
}

impl Target {
    /// The target in words: `POST /v2/models/digits/infer`.
    pub fn words(&self) -> String {
        match self.address() {
            Ok(address) if address.scheme.is_grpc() => {
                format!("gRPC {}", address.path.trim_start_matches('/'))
            }
            Ok(address) => format!("{} {}", self.method, address.path),
            Err(_) => format!("{} {}", self.method, self.url),
        }
    }

    pub(crate) fn address(&self) -> Result<Address, TargetError> {
        Address::parse(&self.url)
    }
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError::Address {
            url: url.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some("grpc") => Scheme::Grpc,
            Some("grpcs") => Scheme::Grpcs,
            _ => return Err(wrong()),
        };
        let host = uri.host().filter(|it| !it.is_empty()).ok_or_else(wrong)?;
        Ok(Self {
            scheme,
            authority: format!("{host}:{}", uri.port_u16().unwrap_or(scheme.port())),
            host: host.trim_matches(['[', ']']).to_owned(),
            path: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target {
            url: url.to_owned(),
            trust: Trust::default(),
            method: Method::POST,
            headers: HeaderMap::new(),
            requests: Vec::new(),
            expect: Expect::Status,
            min_agreement_percent: 0,
        }
    }

    #[test]
    fn takes_an_address_apart() {
        let address = target("http://127.0.0.1:8000/v2/models/digits/infer?a=b")
            .address()
            .unwrap();
        assert_eq!(address.authority, "127.0.0.1:8000");
        assert_eq!(address.path, "/v2/models/digits/infer?a=b");
    }

    #[test]
    fn keeps_the_brackets_of_an_ipv6_address() {
        let address = target("http://[::1]:8000/").address().unwrap();
        assert_eq!(address.authority, "[::1]:8000");
        assert_eq!(address.host, "::1");
    }

    #[test]
    fn an_address_of_grpc_says_so() {
        let target = target("grpc://127.0.0.1:8001/inference.GRPCInferenceService/ModelInfer");
        assert_eq!(target.address().unwrap().scheme, Scheme::Grpc);
        assert_eq!(
            target.words(),
            "gRPC inference.GRPCInferenceService/ModelInfer"
        );
    }

    #[test]
    fn each_scheme_has_its_port() {
        for (url, authority) in [
            ("http://model", "model:80"),
            ("https://model/", "model:443"),
            ("https://model:8443", "model:8443"),
            ("grpcs://model", "model:443"),
        ] {
            assert_eq!(target(url).address().unwrap().authority, authority);
        }
    }

    #[test]
    fn refuses_other_schemes() {
        for url in [
            "httpss://127.0.0.1/",
            "127.0.0.1:8000",
            "",
            "ftp://a/",
            "http://",
        ] {
            assert!(target(url).address().is_err(), "{url:?} was accepted");
        }
    }
}
