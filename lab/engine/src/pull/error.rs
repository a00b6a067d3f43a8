//! Why an image does not come, and what to do about it.

use miette::Diagnostic;
use thiserror::Error as ThisError;

use crate::EngineError;

/// Digits of a digest that are shown.
const DIGEST_SHOWN: usize = 12;

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
}

/// A reference with as much of its digest as people read.
fn short(reference: &str) -> &str {
    let end = reference
        .find("@sha256:")
        .map_or(reference.len(), |at| at + 8 + DIGEST_SHOWN);
    reference.get(..end).unwrap_or(reference)
}
