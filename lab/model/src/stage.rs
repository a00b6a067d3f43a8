//! The stages of a run, in order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Checks the host and readies images, before anything is started.
    Preflight,
    /// Brings up the cluster.
    Provision,
    /// Loads images into the cluster.
    Load,
    /// Installs the stack.
    Install,
    /// Runs the scenarios.
    Verify,
    /// Measures inference.
    Benchmark,
    /// Gathers evidence: logs, memory, versions.
    Collect,
    /// Removes everything.
    Teardown,
}

impl Stage {
    /// Every stage, in the order they run.
    pub const ALL: [Self; 8] = [
        Self::Preflight,
        Self::Provision,
        Self::Load,
        Self::Install,
        Self::Verify,
        Self::Benchmark,
        Self::Collect,
        Self::Teardown,
    ];

    /// The stage's name, lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Provision => "provision",
            Self::Load => "load",
            Self::Install => "install",
            Self::Verify => "verify",
            Self::Benchmark => "benchmark",
            Self::Collect => "collect",
            Self::Teardown => "teardown",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
