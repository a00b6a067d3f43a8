//! Pulling an image out of a container registry, and why one does not come, told
//! apart where a person would act differently.
//!
//! The engine says what went wrong in words only, and each of its generations in
//! others; what they have in common is looked for.

use bollard::{errors::Error as DockerError, query_parameters::CreateImageOptions};
use futures::{Stream, StreamExt};
use miette::Diagnostic;
use thiserror::Error as ThisError;

use crate::{Engine, EngineError};

/// How far a pull is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullProgress {
    /// The layer, where it is about one.
    pub layer: Option<String>,
    /// What happens to it.
    pub status: String,
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all, where known.
    pub total: Option<u64>,
}

/// An image that did not come out of its registry.
#[derive(Debug, ThisError, Diagnostic)]
pub enum PullError {
    /// Nothing answers: no such host, a closed port, a proxy that lets nobody through.
    #[error("no registry answers for `{}`: {words}", short(reference))]
    #[diagnostic(
        code(lab::engine::registry_silent),
        help(
            "give the engine a way to a registry (a proxy, or `registry-mirrors` in its daemon.json), or name a mirror of Docker Hub in LAB_REGISTRY_MIRROR; `--images build` asks no registry"
        )
    )]
    NoAnswer {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The registry has trouble of its own; it may be over in a moment.
    #[error("the registry of `{}` is in trouble: {words}", short(reference))]
    #[diagnostic(
        code(lab::engine::registry_trouble),
        help("run the command again later, or name another mirror in LAB_REGISTRY_MIRROR")
    )]
    Trouble {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The registry went away half-way, and the engine gave up trying again.
    #[error("the registry of `{}` broke off half-way: {words}", short(reference))]
    #[diagnostic(
        code(lab::engine::registry_broke_off),
        help("see that the registry is up and the network holds, then run the command again")
    )]
    BrokeOff {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The registry sends nothing any more.
    #[error(
        "the registry of `{}` stopped sending for {silent}, after {done_mb} MB ({last})",
        short(reference)
    )]
    #[diagnostic(
        code(lab::engine::registry_stalled),
        help("see that the registry is up and the network holds, then run the command again")
    )]
    Stalled {
        /// What was to be pulled.
        reference: String,
        /// How long nothing came.
        silent: String,
        /// What had come by then.
        done_mb: u64,
        /// What the engine said last.
        last: String,
    },
    /// The engine does not trust the registry's certificate, or it speaks no TLS.
    #[error(
        "the engine does not trust the registry of `{}`: {words}",
        short(reference)
    )]
    #[diagnostic(
        code(lab::engine::registry_untrusted),
        help(
            "put the registry's certificate authority into /etc/docker/certs.d/HOST/ca.crt on the engine's host, or name it in `insecure-registries` of daemon.json"
        )
    )]
    Untrusted {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The registry wants to know who asks, or does not let them.
    #[error("the registry refuses `{}`: {words}", short(reference))]
    #[diagnostic(
        code(lab::engine::registry_denied),
        help(
            "run `docker login` and `docker pull {reference}`: lab takes what is on the engine and keeps no passwords"
        )
    )]
    Denied {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// Too many pulls came from this address.
    #[error(
        "the registry gives no more images for now, `{}` neither: {words}",
        short(reference)
    )]
    #[diagnostic(
        code(lab::engine::registry_limit),
        help(
            "wait an hour; or run `docker login` and `docker pull {reference}`, which counts for the account; or name a mirror in LAB_REGISTRY_MIRROR"
        )
    )]
    RateLimited {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// The registry has no such image.
    #[error("the registry does not have `{}`: {words}", short(reference))]
    #[diagnostic(
        code(lab::engine::registry_unknown),
        help(
            "see that reference and digest in the recipe are right; a mirror (LAB_REGISTRY_MIRROR) may lack the image"
        )
    )]
    Unknown {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// What came is not what the digest names. Nothing of it is kept.
    #[error(
        "what came for `{}` is not what its digest names: {words}",
        short(reference)
    )]
    #[diagnostic(
        code(lab::engine::registry_digest),
        help("the registry or a mirror is broken or changes what it serves; use another one")
    )]
    Digest {
        /// What was to be pulled.
        reference: String,
        /// The engine's words.
        words: String,
    },
    /// Anything else, for example a full disk.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(EngineError),
}

impl PullError {
    /// Whether the same request may succeed in a moment.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Trouble { .. })
    }

    fn from_request(reference: &str, error: DockerError, begun: bool) -> Self {
        let words = match &error {
            DockerError::DockerResponseServerError { message, .. } => message,
            DockerError::DockerStreamError { error } => error,
            _ => return Self::engine(reference, error),
        };
        Self::from_words(reference, words, begun).unwrap_or_else(|| Self::engine(reference, error))
    }

    fn engine(reference: &str, error: DockerError) -> Self {
        Self::Engine(EngineError::from_request(
            format!("pull image `{reference}`"),
            error,
        ))
    }

    /// The cause that the engine's words tell, by what only they have in common.
    fn from_words(reference: &str, said: &str, begun: bool) -> Option<Self> {
        let says = |any: &[&str]| any.iter().any(|part| said.contains(part));
        let (reference, words) = (reference.to_owned(), presentable(said));
        Some(if says(DIGEST) {
            Self::Digest { reference, words }
        } else if says(UNTRUSTED) {
            Self::Untrusted { reference, words }
        } else if begun && (says(NO_ANSWER) || says(TROUBLE)) {
            Self::BrokeOff { reference, words }
        } else if says(NO_ANSWER) || said.ends_with("\": Forbidden") {
            // Go tells so when a proxy refuses to connect; a registry's refusal has a code.
            Self::NoAnswer { reference, words }
        } else if says(RATE_LIMITED) {
            Self::RateLimited { reference, words }
        } else if says(TROUBLE) {
            Self::Trouble { reference, words }
        } else if says(DENIED) {
            Self::Denied { reference, words }
        } else if says(UNKNOWN) {
            Self::Unknown { reference, words }
        } else {
            return None;
        })
    }
}

const DIGEST_SHOWN: usize = 12;

const DIGEST: &[&str] = &["verification failed for digest", "unexpected commit digest"];
pub(crate) const UNTRUSTED: &[&str] = &["x509: ", " tls: ", "HTTP response to HTTPS client"];
pub(crate) const NO_ANSWER: &[&str] = &[
    "dial tcp",
    "proxyconnect",
    "no such host",
    "connection refused",
    "i/o timeout",
    "context deadline exceeded",
    "Client.Timeout",
    "TLS handshake timeout",
    "Proxy Authentication Required",
];
const RATE_LIMITED: &[&str] = &["toomanyrequests", "429 Too Many Requests"];
const TROUBLE: &[&str] = &[
    "unexpected HTTP status: 5",
    "500 Internal Server Error",
    "502 Bad Gateway",
    "503 Service Unavailable",
    "504 Gateway Time",
    "\": EOF",
    "unexpected EOF",
    "connection reset by peer",
];
pub(crate) const DENIED: &[&str] = &[
    "access denied",
    "denied: ",
    "unauthorized",
    "401 Unauthorized",
    "403 Forbidden",
    "HTTP 403",
    "no basic auth credentials",
];
const UNKNOWN: &[&str] = &[
    "manifest unknown",
    "name unknown",
    "name not known",
    "not found",
];

impl Engine {
    /// Pulls an image from its registry and tells what happens. Dropping the stream ends
    /// the pull; the engine then keeps nothing that can be named.
    pub fn pull_image(
        &self,
        reference: &str,
    ) -> impl Stream<Item = Result<PullProgress, PullError>> + Send + use<> {
        let options = CreateImageOptions {
            from_image: Some(reference.to_owned()),
            ..Default::default()
        };
        let reference = reference.to_owned();
        let mut begun = false;
        self.docker
            .create_image(Some(options), None, None)
            .map(move |answer| {
                let answer =
                    answer.map_err(|error| PullError::from_request(&reference, error, begun))?;
                begun = true;
                let detail = answer.progress_detail.unwrap_or_default();
                let bytes = |bytes: Option<i64>| bytes.and_then(|bytes| bytes.try_into().ok());
                Ok(PullProgress {
                    layer: answer.id,
                    status: answer.status.unwrap_or_default(),
                    done: bytes(detail.current).unwrap_or_default(),
                    total: bytes(detail.total),
                })
            })
    }
}

/// A reference with as much of its digest as people read.
fn short(reference: &str) -> &str {
    let end = reference
        .find("@sha256:")
        .map_or(reference.len(), |at| at + 8 + DIGEST_SHOWN);
    reference.get(..end).unwrap_or(reference)
}

/// The engine's words on one line, without what is asked for after an address: a
/// registry sends to addresses that are signed, and a signature is a key.
pub(crate) fn presentable(said: &str) -> String {
    let words: Vec<_> = said
        .split_whitespace()
        .map(|word| match word.split_once('?') {
            Some((address, rest)) if address.contains("://") => {
                let end = rest.rfind('"').map_or("", |quote| &rest[quote..]);
                format!("{address}?…{end}")
            }
            _ => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(said: &str, begun: bool) -> &'static str {
        match PullError::from_words("docker.io/a/b@sha256:0", said, begun) {
            Some(PullError::NoAnswer { .. }) => "no answer",
            Some(PullError::Trouble { .. }) => "trouble",
            Some(PullError::BrokeOff { .. }) => "broke off",
            Some(PullError::Untrusted { .. }) => "untrusted",
            Some(PullError::Denied { .. }) => "denied",
            Some(PullError::RateLimited { .. }) => "rate limited",
            Some(PullError::Unknown { .. }) => "unknown",
            Some(PullError::Digest { .. }) => "digest",
            Some(PullError::Stalled { .. } | PullError::Engine(_)) | None => "other",
        }
    }

    /// What engines said: 20.10 with its own image store, 28 with containerd's.
    const SAID: [(&str, &str); 21] = [
        (
            "no answer",
            r#"Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: no such host"#,
        ),
        (
            "no answer",
            r#"Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused"#,
        ),
        (
            "no answer",
            r#"Get "http://127.0.0.1:46787/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)"#,
        ),
        (
            "no answer",
            r#"Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout"#,
        ),
        (
            "no answer",
            r#"Get "https://registry-1.docker.io/v2/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: no route to host"#,
        ),
        (
            "no answer",
            r#"Get "https://registry-1.docker.io/v2/": Forbidden"#,
        ),
        (
            "no answer",
            r#"failed to resolve reference "docker.io/a/b@sha256:0": failed to do request: Head "https://registry-1.docker.io/v2/a/b/manifests/sha256:0": dial tcp: lookup registry-1.docker.io: no such host"#,
        ),
        (
            "untrusted",
            r#"Get "https://mirror.example/v2/": x509: certificate signed by unknown authority"#,
        ),
        (
            "untrusted",
            r#"Get "https://mirror.example:5000/v2/": http: server gave HTTP response to HTTPS client"#,
        ),
        (
            "denied",
            "pull access denied for a/b, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
        ),
        ("denied", "unauthorized: authentication required"),
        (
            "denied",
            "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        ),
        (
            "denied",
            r#"failed to resolve reference "mirror.example/a/b@sha256:0": unexpected status from HEAD request to https://mirror.example/v2/a/b/manifests/sha256:0: 403 Forbidden"#,
        ),
        (
            "rate limited",
            "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
        ),
        (
            "unknown",
            "manifest for a/b@sha256:0 not found: manifest unknown: manifest unknown",
        ),
        (
            "unknown",
            "name unknown: repository name not known to registry",
        ),
        (
            "trouble",
            "received unexpected HTTP status: 503 Service Unavailable",
        ),
        ("trouble", r#"Get "https://registry-1.docker.io/v2/": EOF"#),
        ("digest", "manifest verification failed for digest sha256:0"),
        (
            "digest",
            "filesystem layer verification failed for digest sha256:0",
        ),
        (
            "other",
            "failed to register layer: write /usr/bin/x: no space left on device",
        ),
    ];

    #[test]
    fn what_engines_say_is_told_apart() {
        for (wanted, said) in SAID {
            assert_eq!(cause(said, false), wanted, "{said}");
        }
    }

    #[test]
    fn a_registry_that_answered_before_broke_off() {
        for said in [
            "error pulling image configuration: download failed after attempts=6: dial tcp 127.0.0.1:46153: connect: connection refused",
            "unexpected EOF",
            "read tcp 127.0.0.1:1->127.0.0.1:5000: read: connection reset by peer",
        ] {
            assert_eq!(cause(said, true), "broke off", "{said}");
        }
    }

    #[test]
    fn a_full_disk_is_the_engines_trouble() {
        let error = DockerError::DockerStreamError {
            error: "failed to register layer: write /x: no space left on device".to_owned(),
        };

        let error = PullError::from_request("docker.io/a/b", error, true);

        assert!(
            matches!(error, PullError::Engine(EngineError::NoSpace { .. })),
            "{error:?}"
        );
    }

    #[test]
    fn a_signature_in_an_address_is_not_shown() {
        let said = "failed open:\n Get \"https://store.example/blob/data?X-Amz-Signature=secret\": dial tcp: lookup";

        assert_eq!(
            presentable(said),
            r#"failed open: Get "https://store.example/blob/data?…": dial tcp: lookup"#
        );
    }
}
