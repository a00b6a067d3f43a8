//! Why a target could not be measured.

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    handshake::HandshakeError, identity::IdentityError, target::TargetError, trust::TrustError,
};

/// Why a target could not be measured at all. Errors under load are counted instead.
#[derive(Debug, Error, Diagnostic)]
pub enum BenchError {
    /// The target cannot be asked.
    #[error("failed to use the target")]
    #[diagnostic(transparent)]
    Target(#[from] TargetError),
    /// Nobody can be believed to say who the server is.
    #[error("failed to know whose certificates to believe")]
    #[diagnostic(transparent)]
    Trust(#[from] TrustError),
    /// There is nothing to show to servers that ask for it.
    #[error("failed to use the client's certificate")]
    #[diagnostic(transparent)]
    Identity(#[from] IdentityError),
    /// TLS cannot be spoken with the server.
    #[error("failed to speak TLS")]
    #[diagnostic(transparent)]
    Handshake(#[from] HandshakeError),
    /// A request was answered wrongly before there was any load.
    #[error("request {number} of {of} to `{url}` was not answered rightly without load: {reason}")]
    #[diagnostic(
        code(lab::bench::wrong_without_load),
        help(
            "`lab status NAME` shows whether the server is ready; `curl` the address to see its answer"
        )
    )]
    WrongWithoutLoad {
        /// The address.
        url: String,
        /// The request, from 1.
        number: usize,
        /// All requests.
        of: usize,
        /// What was wrong.
        reason: String,
    },
    /// The model does not know enough of the true labels.
    #[error("the model knows {known} of {of} labels; at least {at_least} % were asked for")]
    #[diagnostic(
        code(lab::bench::disagrees),
        help("check that the workload's `samples` are what this model was trained on")
    )]
    Disagrees {
        /// Right labels.
        known: usize,
        /// Requests with a known label.
        of: usize,
        /// The share asked for, percent.
        at_least: u8,
    },
    /// A generator elsewhere cannot make load.
    #[error("generator `{name}` cannot make load: {reason}")]
    #[diagnostic(
        code(lab::bench::generator),
        help(
            "`lab status NAME` shows whether server and nodes are well; without `--generators` the load is made from here"
        )
    )]
    Generator {
        /// The generator.
        name: String,
        /// Why, in plain words.
        reason: String,
    },
    /// The benchmark was cancelled.
    #[error("the benchmark was cancelled")]
    #[diagnostic(
        code(lab::bench::cancelled),
        help("run it again with `lab bench NAME`")
    )]
    Cancelled,
    /// No client for what is not measured.
    #[error("failed to make an HTTP client")]
    #[diagnostic(code(lab::bench::client), help("this is a bug; please report it"))]
    Client {
        /// Why.
        source: reqwest::Error,
    },
    /// The kernel refused what the load engine needs.
    #[error("failed to make load")]
    #[diagnostic(
        code(lab::bench::engine),
        help("`ulimit -n` must allow a file descriptor for each connection")
    )]
    Engine {
        /// Why.
        source: std::io::Error,
    },
    /// The load thread ended by a bug.
    #[error("the load thread ended by itself")]
    #[diagnostic(code(lab::bench::thread), help("this is a bug; please report it"))]
    Thread {
        /// How it ended.
        source: tokio::task::JoinError,
    },
}

impl BenchError {
    /// Whether the address is wrong, who is to be believed or what is to be shown, and not
    /// what answers there.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Target(_) | Self::Trust(_) | Self::Identity(_))
    }
}
