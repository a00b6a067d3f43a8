//! Why a node cannot be.

use std::io;

use lab_k8s::KubeError;
use miette::Diagnostic;
use thiserror::Error;

use crate::{DnsError, HostError, JoinError, PkiError};

/// A node could not come up.
#[derive(Debug, Error, Diagnostic)]
pub enum NodeError {
    /// Neither `server` nor `agent`.
    #[error("a node is a `server` or an `agent`, not `{word}`")]
    #[diagnostic(code(lab::node::role), help("`lab node server` starts a cluster"))]
    Role {
        /// What was asked for.
        word: String,
    },
    /// A second server.
    #[error("a server cannot join another one")]
    #[diagnostic(
        code(lab::node::second_server),
        help("a cluster has one server; start the node with `agent`, or without K3S_URL")
    )]
    SecondServer,
    /// The container is not fit.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Host(#[from] HostError),
    /// Certificates could not be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pki(#[from] PkiError),
    /// The cluster could not be joined, or cannot be joined by others.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Join(#[from] JoinError),
    /// A file could not be read or written.
    #[error("failed to keep `{path}`")]
    #[diagnostic(code(lab::node::config))]
    Config {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The API server did not take something.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kube(#[from] KubeError),
    /// The node's DNS does not work.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dns(#[from] DnsError),
    /// A program of the node could not be started or ended badly.
    #[error("failed to run `{program}`")]
    #[diagnostic(code(lab::node::program), help("is this the node image?"))]
    Program {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Signals cannot be caught.
    #[error("failed to listen for signals")]
    #[diagnostic(code(lab::node::signal))]
    Signal(#[source] io::Error),
}

impl NodeError {
    /// For `map_err`: names the file.
    pub(crate) fn file(path: &str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Config { path, source }
    }
}
