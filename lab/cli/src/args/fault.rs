//! The command line of `lab fault`: every fault with what it needs to be told.

use std::time::Duration;

use clap::{Args, Subcommand};
use lab_model::{fault::Fault, name::ClusterName};

use super::{Named, time_span};

/// `lab fault`.
#[derive(Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// Make a fault; Ctrl-C undoes it.
    #[command(
        after_help = "Example:\n  lab fault make demo network-cut demo-agent-1 demo-agent-2\n  \
                      lab fault make demo --for 30s node-paused demo-agent-1"
    )]
    Make(MakeArgs),
    /// Undo a fault; without one, all that are in the cluster.
    #[command(after_help = "Example:\n  lab fault heal demo")]
    Heal(HealArgs),
    /// List the faults that are in a cluster.
    #[command(after_help = "Example:\n  lab fault list demo --json")]
    List(Named),
}

/// `lab fault make`.
#[derive(Debug, Args)]
#[command(subcommand_value_name = "FAULT", subcommand_help_heading = "Faults")]
pub(crate) struct MakeArgs {
    /// The cluster's name.
    pub(crate) name: ClusterName,
    /// Undo it after this time, for example `30s`.
    #[arg(long = "for", value_name = "TIME", value_parser = time_span, conflicts_with = "user")]
    pub(crate) time: Option<Duration>,
    /// Go on at once; undo it when this process has ended, if nobody did before.
    #[arg(long = "while", value_name = "PID")]
    pub(crate) user: Option<u32>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) fault: FaultWords,
}

/// `lab fault heal`.
#[derive(Debug, Args)]
#[command(subcommand_value_name = "FAULT", subcommand_help_heading = "Faults")]
pub(crate) struct HealArgs {
    /// The cluster's name.
    pub(crate) name: ClusterName,
    /// What to undo.
    #[command(subcommand)]
    pub(crate) fault: Option<FaultWords>,
}

/// A fault, as a person names it.
#[derive(Debug, Subcommand)]
pub(crate) enum FaultWords {
    /// The API server stands still: connections open, nothing answers.
    ApiServerStopped,
    /// A node stands still with all its pods.
    NodePaused {
        /// The node, as `lab status` names it.
        node: String,
    },
    /// A node is off, as after a power cut.
    NodeKilled {
        /// The node, as `lab status` names it.
        node: String,
    },
    /// A node takes no new pods.
    NodeCordoned {
        /// The node, as `lab status` names it.
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
        /// The node, as `lab status` names it.
        node: String,
        /// How late, for example `200ms`.
        #[arg(value_parser = millis)]
        delay: u32,
    },
    /// A node and its pods send little to others in a second.
    NetworkThrottled {
        /// The node, as `lab status` names it.
        node: String,
        /// Kilobits a second.
        #[arg(value_parser = clap::value_parser!(u32).range(8..))]
        kilobits: u32,
    },
    /// A node's disk is full as Kubernetes sees it: no new pods. Nothing is written.
    DiskPressure {
        /// The node, as `lab status` names it.
        node: String,
    },
    /// A node pulls no images: its own programs reach nothing outside the cluster.
    RegistriesCut {
        /// The node, as `lab status` names it.
        node: String,
    },
}

impl From<FaultWords> for Fault {
    fn from(words: FaultWords) -> Self {
        match words {
            FaultWords::ApiServerStopped => Self::ApiServerStopped,
            FaultWords::NodePaused { node } => Self::NodePaused { node },
            FaultWords::NodeKilled { node } => Self::NodeKilled { node },
            FaultWords::NodeCordoned { node } => Self::NodeCordoned { node },
            FaultWords::NetworkCut { node, from } => Self::NetworkCut { node, from },
            FaultWords::NetworkSlowed { node, delay } => Self::NetworkSlowed {
                node,
                delay_millis: delay,
            },
            FaultWords::NetworkThrottled { node, kilobits } => Self::NetworkThrottled {
                node,
                kilobits_per_second: kilobits,
            },
            FaultWords::DiskPressure { node } => Self::DiskPressure { node },
            FaultWords::RegistriesCut { node } => Self::RegistriesCut { node },
        }
    }
}

fn millis(text: &str) -> Result<u32, String> {
    let millis = time_span(text)?.as_millis();
    u32::try_from(millis).map_err(|_| "it is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn parsed(words: &[String]) -> Fault {
        let before = ["lab", "fault", "make", "demo"].map(str::to_owned);
        let words = before.into_iter().chain(words.iter().cloned());
        match Cli::try_parse_from(words).unwrap().command {
            Command::Fault(FaultCommand::Make(args)) => args.fault.into(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_fault_can_be_said() {
        let node = || "demo-agent-1".to_owned();
        for fault in [
            Fault::ApiServerStopped,
            Fault::NodePaused { node: node() },
            Fault::NodeKilled { node: node() },
            Fault::NodeCordoned { node: node() },
            Fault::NetworkCut {
                node: node(),
                from: "demo".to_owned(),
            },
            Fault::NetworkSlowed {
                node: node(),
                delay_millis: 1500,
            },
            Fault::NetworkThrottled {
                node: node(),
                kilobits_per_second: 64,
            },
            Fault::DiskPressure { node: node() },
            Fault::RegistriesCut { node: node() },
        ] {
            assert_eq!(parsed(&fault.words()), fault);
        }
    }
}
