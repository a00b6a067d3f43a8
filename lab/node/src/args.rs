//! What the node is told: its role, the secret of its cluster, and for an agent the
//! server to join.

use std::{env, fs};

use crate::{
    NodeError,
    join::{JoinError, Server, Token},
};

const URL: &str = "K3S_URL";
const TOKEN: &str = "K3S_TOKEN";
/// Names a file with the token, which then shows in no listing of containers.
const TOKEN_FILE: &str = "K3S_TOKEN_FILE";
/// `none`: the GPUs that are in the container are not the cluster's.
const GPUS: &str = "LAB_GPUS";

/// What a node does in its cluster.
#[derive(Debug)]
pub enum NodeArgs {
    /// Runs the control plane and pods. Others join with its secret; without a
    /// token it makes one.
    Server(ServerArgs),
    /// Runs pods for a server.
    Agent(AgentArgs),
    /// Only offers the GPUs of a node that something else runs, to its kubelet.
    Gpus,
}

/// Arguments of `lab node server`.
#[derive(Debug)]
pub struct ServerArgs {
    pub(crate) token: Option<Token>,
    pub(crate) offers_gpus: bool,
}

/// Arguments of `lab node agent`.
#[derive(Debug)]
pub struct AgentArgs {
    pub(crate) server: Server,
    pub(crate) token: Token,
}

impl NodeArgs {
    /// Reads `server`, `agent` or `gpus`, and `K3S_URL`, `K3S_TOKEN` and `K3S_TOKEN_FILE`
    /// from the environment. Options of k3s that follow are for k3s.
    ///
    /// # Errors
    /// When the first word is none of them, or the environment lacks what it needs.
    pub fn parse(words: &[String]) -> Result<Self, NodeError> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let token = match variable(TOKEN_FILE) {
            Some(path) => Some(fs::read_to_string(&path).map_err(NodeError::file(&path))?),
            None => variable(TOKEN),
        };
        let token = token.as_deref().and_then(Token::parse);
        let url = variable(URL);
        match words.first().map(String::as_str) {
            Some("server") if url.is_some() => Err(NodeError::SecondServer),
            Some("server") => Ok(Self::Server(ServerArgs {
                token,
                offers_gpus: variable(GPUS).is_none_or(|it| it != "none"),
            })),
            Some("agent") => Ok(Self::Agent(AgentArgs {
                server: Server::parse(&url.ok_or(JoinError::Missing { variable: URL })?)?,
                token: token.ok_or(JoinError::Missing { variable: TOKEN })?,
            })),
            Some("gpus") => Ok(Self::Gpus),
            other => Err(NodeError::Role {
                word: other.unwrap_or_default().to_owned(),
            }),
        }
    }
}
