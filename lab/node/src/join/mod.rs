//! How agents join: the server proves itself by the hash in the token, the agent by
//! the secret in it, and gets certificates for a key that stays its own
//! (docs/decisions/0006-joining-nodes.md).

mod ask;
mod gate;
#[cfg(test)]
mod tests;
mod token;

use std::io;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use ask::{Server, ask};
pub(crate) use gate::Gate;
pub(crate) use token::{Secret, Token, hash};

use crate::pki::NodeCertificates;

/// Where the authority's certificate is given to everyone.
const AUTHORITY_PATH: &str = "/cacerts";
/// Below it, a node's name.
const NODES_PATH: &str = "/v1/nodes/";

/// What an admitted node gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admission {
    /// Addresses for its pods.
    pub(crate) pod_network: String,
    /// Who it is to others.
    pub(crate) certificates: NodeCertificates,
}

/// A node could not join.
#[derive(Debug, Error, Diagnostic)]
pub enum JoinError {
    /// An agent was started without a server or a token.
    #[error("an agent needs `{variable}`")]
    #[diagnostic(
        code(lab::node::join_what),
        help(
            "K3S_URL is `https://SERVER:6443`; K3S_TOKEN or a file named by K3S_TOKEN_FILE holds what the server keeps in /var/lib/rancher/k3s/server/node-token"
        )
    )]
    Missing {
        /// What it was not given.
        variable: &'static str,
    },
    /// The server's URL is none.
    #[error("K3S_URL is not the URL of a server")]
    #[diagnostic(
        code(lab::node::join_url),
        help("it is `https://SERVER:6443`, without a path")
    )]
    Url,
    /// The token does not say who the server is.
    #[error("the token names no certificate authority")]
    #[diagnostic(
        code(lab::node::join_unpinned),
        help(
            "use the whole token, `K10…::server:…`, as it stands in the server's /var/lib/rancher/k3s/server/node-token"
        )
    )]
    Unpinned,
    /// Who answers is not who the token names.
    #[error("the server at `{url}` is not the one that the token names")]
    #[diagnostic(
        code(lab::node::join_other),
        help("take the token from the server that is to be joined")
    )]
    OtherServer {
        /// Who answered.
        url: String,
    },
    /// The server refuses this node.
    #[error("the server refused: {words}")]
    #[diagnostic(
        code(lab::node::join_refused),
        help("every node needs a name of its own and the token of this cluster")
    )]
    Refused {
        /// What it said.
        words: String,
    },
    /// The HTTP client could not be made.
    #[error("failed to make the client that asks to join")]
    #[diagnostic(code(lab::node::join_client))]
    Client(#[source] reqwest::Error),
    /// The server cannot listen for agents.
    #[error("failed to listen for agents")]
    #[diagnostic(code(lab::node::join_listen))]
    Listen(#[source] io::Error),
    /// The server's certificate cannot be used.
    #[error("failed to use the server's certificate")]
    #[diagnostic(code(lab::node::join_certificate))]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
}
