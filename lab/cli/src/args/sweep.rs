//! The command line of `lab bench sweep`.

use std::path::PathBuf;

use clap::Args;
use lab_bench::sweep::{Axes, Batching};

use super::MeasureArgs;

/// `lab bench sweep`.
#[derive(Debug, Args)]
#[group(id = "ways", required = true, multiple = true,
        args = ["replicas", "batch_size", "instances", "batching"])]
pub(crate) struct SweepArgs {
    /// The server: a cluster's name, or the `http://host:port` (`https://`) of a Triton that
    /// lets its models be loaded (`--model-control-mode=explicit`).
    pub(crate) server: String,
    /// Servers that have the model: replicas of their Deployment. A connection stays with
    /// the one that kube-proxy gives it.
    #[arg(long, value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) replicas: Vec<u32>,
    /// Inferences that each request asks for.
    #[arg(long, value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) batch_size: Vec<u32>,
    /// Instances of the model that run at once in each server (`instance_group`).
    #[arg(long, value_name = "N", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) instances: Vec<u32>,
    /// `off`, or the longest time in microseconds that a request waits for others to go
    /// with it (`dynamic_batching`); with 0, only those that wait anyway go together.
    #[arg(long, value_name = "DELAY", value_delimiter = ',')]
    pub(crate) batching: Vec<Batching>,
    /// With which load, and how servers are found.
    #[command(flatten)]
    pub(crate) measure: MeasureArgs,
    /// Keep the figures and pictures of each way in a folder of its own under this one.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

impl SweepArgs {
    /// What is varied.
    pub(crate) fn axes(&self) -> Axes {
        Axes {
            replicas: self.replicas.clone(),
            batch_sizes: self.batch_size.clone(),
            instances: self.instances.clone(),
            batching: self.batching.clone(),
        }
    }
}
