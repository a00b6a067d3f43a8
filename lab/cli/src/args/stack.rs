//! Arguments of commands that work with a stack: run, install, test, bench.

use std::path::PathBuf;

use clap::Args;
use lab_model::name::ClusterName;

use super::{BenchCommand, ClusterArgs, ImageArgs, MeasureArgs, RegistryArgs};

/// Which stack, in which versions.
#[derive(Debug, Clone, Args)]
pub(crate) struct StackArgs {
    /// The stack.
    #[arg(
        long,
        env = "LAB_STACK",
        default_value = "lifecycle",
        value_name = "STACK"
    )]
    pub(crate) stack: String,
    /// The lock: which versions of it.
    #[arg(long, env = "LAB_LOCK", default_value = "documented")]
    pub(crate) lock: String,
}

/// What scenarios to run.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only features of this name, for example `train`. May be repeated.
    #[arg(long, value_name = "FEATURE")]
    pub(crate) feature: Vec<String>,
    /// Only scenarios whose tags match, for example `@smoke and not @slow`.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) tags: Option<String>,
}

/// `lab run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The stack.
    #[arg(env = "LAB_STACK", default_value = "lifecycle")]
    pub(crate) stack: String,
    /// The lock: which versions of it.
    #[arg(long, env = "LAB_LOCK", default_value = "documented")]
    pub(crate) lock: String,
    /// Which scenarios.
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Where images come from.
    #[command(flatten)]
    pub(crate) images: ImageArgs,
    /// Keep the cluster when something failed.
    #[arg(long)]
    pub(crate) keep_on_failure: bool,
    /// The cluster to bring up.
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Print what would be done, and stop.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave the benchmark out.
    #[arg(long)]
    pub(crate) no_bench: bool,
}

/// `lab install`.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// The cluster's name.
    pub(crate) name: ClusterName,
    /// Which stack.
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Where images come from.
    #[command(flatten)]
    pub(crate) images: ImageArgs,
    /// Where images go, on a cluster that lab did not make.
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// `lab test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The cluster's name.
    pub(crate) name: ClusterName,
    /// Which stack is on it.
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Which scenarios.
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// `lab bench`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct BenchArgs {
    /// Compare two servers instead.
    #[command(subcommand)]
    pub(crate) command: Option<BenchCommand>,
    /// The cluster's name.
    #[arg(required_unless_present = "url", conflicts_with_all = ["cacert", "cert", "key"])]
    pub(crate) name: Option<ClusterName>,
    /// Measure the server at this address instead: any that speaks the workload's protocol,
    /// over `http://`, `https://`, `grpc://` or `grpcs://`.
    #[arg(long, value_name = "URL", conflicts_with = "name")]
    pub(crate) url: Option<String>,
    /// Make the load in the cluster, with so many generators: each is a pod with a share of
    /// it, they begin together, and their histograms are added.
    #[arg(long, value_name = "N", conflicts_with = "url", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) generators: Option<u32>,
    /// With which load, and how servers are found.
    #[command(flatten)]
    pub(crate) measure: MeasureArgs,
    /// Keep the figures (`summary.json`) and the pictures (`latency.svg`, `histogram.svg`,
    /// `series.svg` and more) in this folder; also those of a benchmark that is interrupted.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}
