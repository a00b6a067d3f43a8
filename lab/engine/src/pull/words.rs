//! What the engine's words mean.
//!
//! It says what went wrong in words only, and each of its generations in others; what
//! they have in common is looked for.

use bollard::errors::Error as DockerError;

use super::PullError;
use crate::EngineError;

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

impl PullError {
    pub(super) fn from_request(reference: &str, error: DockerError, begun: bool) -> Self {
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
