//! Faults: what is done to a cluster on purpose, and undone on every way out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something done to a cluster on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Fault {
    /// The API server stands still: connections open, nothing answers.
    ApiServerStopped,
    /// A node stands still with all its pods.
    NodePaused {
        /// The node.
        node: String,
    },
    /// A node is off, as after a power cut. Undone, it starts again.
    NodeKilled {
        /// The node.
        node: String,
    },
    /// Nothing of another node, or of its pods, reaches a node.
    NetworkCut {
        /// The node that hears nothing.
        node: String,
        /// The node that is not heard.
        from: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiServerStopped => f.write_str("the API server stands still"),
            Self::NodePaused { node } => write!(f, "node {node} stands still"),
            Self::NodeKilled { node } => write!(f, "node {node} is off"),
            Self::NetworkCut { node, from } => write!(f, "node {node} hears nothing of {from}"),
        }
    }
}
