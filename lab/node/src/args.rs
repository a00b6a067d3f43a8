//! What the node is told: its role, and for an agent the server to join.

use crate::NodeError;

/// What a node does in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs the control plane and pods.
    Server,
    /// Runs pods for a server reached by `K3S_URL` with `K3S_TOKEN`.
    Agent,
}

/// The arguments of `lab node`.
#[derive(Debug, Clone)]
pub struct NodeArgs {
    /// What the node does.
    pub role: Role,
    /// The server to join, `K3S_URL`.
    pub url: Option<String>,
    /// The secret that admits a node, `K3S_TOKEN`.
    pub token: Option<String>,
}

impl NodeArgs {
    /// Reads `server` or `agent` and the environment.
    ///
    /// # Errors
    /// When the first word is neither.
    pub fn parse(words: &[String]) -> Result<Self, NodeError> {
        match words.first().map(String::as_str) {
            Some("server") => Ok(Self::from_env(Role::Server)),
            Some("agent") => Ok(Self::from_env(Role::Agent)),
            other => Err(NodeError::Role {
                word: other.unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Takes `K3S_URL` and `K3S_TOKEN` from the environment.
    pub fn from_env(role: Role) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            role,
            url: variable("K3S_URL"),
            token: variable("K3S_TOKEN"),
        }
    }
}
