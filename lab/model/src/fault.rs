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
    /// A node takes no new pods.
    NodeCordoned {
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
    /// All that a node and its pods send to others comes late.
    NetworkSlowed {
        /// The node.
        node: String,
        /// How late, milliseconds.
        delay_millis: u32,
    },
    /// A node and its pods send little to others in a second.
    NetworkThrottled {
        /// The node.
        node: String,
        /// How much at most.
        kilobits_per_second: u32,
    },
    /// A node's disk is full as Kubernetes sees it: the node takes no new pods, and its
    /// kubelet may give up those it has. Nothing is written to the disk.
    DiskPressure {
        /// The node.
        node: String,
    },
    /// A node's own programs, containerd above all, reach nothing outside the cluster.
    RegistriesCut {
        /// The node.
        node: String,
    },
}

/// What a fault changes. One thing is changed by one fault at a time: what undoes one
/// would undo the other.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    ApiServer,
    Power(&'a str),
    Scheduling(&'a str),
    Hearing(&'a str, &'a str),
    Sending(&'a str),
    Disk(&'a str),
    Registries(&'a str),
}

impl Fault {
    /// Whether the two cannot be in a cluster at once.
    pub fn excludes(&self, other: &Self) -> bool {
        self.target() == other.target()
    }

    /// The nodes it names.
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::ApiServerStopped => Vec::new(),
            Self::NetworkCut { node, from } => vec![node, from],
            Self::NodePaused { node }
            | Self::NodeKilled { node }
            | Self::NodeCordoned { node }
            | Self::NetworkSlowed { node, .. }
            | Self::NetworkThrottled { node, .. }
            | Self::DiskPressure { node }
            | Self::RegistriesCut { node } => vec![node],
        }
    }

    /// How `lab fault make NAME` is told of it.
    pub fn words(&self) -> Vec<String> {
        let (kind, detail) = match self {
            Self::ApiServerStopped => ("api-server-stopped", None),
            Self::NodePaused { .. } => ("node-paused", None),
            Self::NodeKilled { .. } => ("node-killed", None),
            Self::NodeCordoned { .. } => ("node-cordoned", None),
            Self::NetworkCut { .. } => ("network-cut", None),
            Self::NetworkSlowed { delay_millis, .. } => {
                ("network-slowed", Some(format!("{delay_millis}ms")))
            }
            Self::NetworkThrottled {
                kilobits_per_second,
                ..
            } => ("network-throttled", Some(kilobits_per_second.to_string())),
            Self::DiskPressure { .. } => ("disk-pressure", None),
            Self::RegistriesCut { .. } => ("registries-cut", None),
        };
        let words = std::iter::once(kind).chain(self.nodes()).map(str::to_owned);
        words.chain(detail).collect()
    }

    fn target(&self) -> Target<'_> {
        match self {
            Self::ApiServerStopped => Target::ApiServer,
            Self::NodePaused { node } | Self::NodeKilled { node } => Target::Power(node),
            Self::NodeCordoned { node } => Target::Scheduling(node),
            Self::NetworkCut { node, from } => Target::Hearing(node, from),
            Self::NetworkSlowed { node, .. } | Self::NetworkThrottled { node, .. } => {
                Target::Sending(node)
            }
            Self::DiskPressure { node } => Target::Disk(node),
            Self::RegistriesCut { node } => Target::Registries(node),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiServerStopped => f.write_str("the API server stands still"),
            Self::NodePaused { node } => write!(f, "node {node} stands still"),
            Self::NodeKilled { node } => write!(f, "node {node} is off"),
            Self::NodeCordoned { node } => write!(f, "node {node} takes no new pods"),
            Self::NetworkCut { node, from } => write!(f, "node {node} hears nothing of {from}"),
            Self::NetworkSlowed { node, delay_millis } => {
                write!(f, "what node {node} sends comes {delay_millis} ms late")
            }
            Self::NetworkThrottled {
                node,
                kilobits_per_second,
            } => write!(f, "node {node} sends at most {kilobits_per_second} kbit/s"),
            Self::DiskPressure { node } => write!(f, "node {node} has DiskPressure"),
            Self::RegistriesCut { node } => write!(f, "node {node} reaches no registry"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_same_thing_excludes_each_other() {
        let node = || "demo-agent-1".to_owned();
        let paused = Fault::NodePaused { node: node() };
        let killed = Fault::NodeKilled { node: node() };
        let slow = |delay_millis| Fault::NetworkSlowed {
            node: node(),
            delay_millis,
        };
        let throttled = Fault::NetworkThrottled {
            node: node(),
            kilobits_per_second: 64,
        };
        assert!(paused.excludes(&killed));
        assert!(slow(1).excludes(&slow(2)));
        assert!(slow(1).excludes(&throttled));
        assert!(!paused.excludes(&slow(1)));
    }

    #[test]
    fn the_same_on_another_node_may_be_there_too() {
        let cut = |node: &str, from: &str| Fault::NetworkCut {
            node: node.to_owned(),
            from: from.to_owned(),
        };
        assert!(!cut("a", "b").excludes(&cut("b", "a")));
        assert!(cut("a", "b").excludes(&cut("a", "b")));
    }
}
