//! The command line of `lab bench compare`.

use clap::{Args, Subcommand};

use super::{MeasureArgs, SweepArgs};

/// What `lab bench` can do besides measuring one server.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Say whether a second server is faster or slower than a first one, or that it cannot
    /// be told: measured in turns, on one machine, in the same minutes.
    #[command(
        after_help = "Example:\n  lab bench compare http://127.0.0.1:8000 http://127.0.0.1:9000 --workload mine.toml\n\n\
                      Exit codes: 0 faster, the same, or undecided; 11 slower."
    )]
    Compare(CompareArgs),
    /// Measure the model served in different ways, in turn: more replicas of the server,
    /// more instances in it, requests put together into batches by client or server. It is
    /// served as it was in the end.
    #[command(
        after_help = "Example:\n  lab bench sweep demo --instances 1,2 --batching off,0,500\n  lab bench sweep demo --replicas 1,2 --batch-size 1,8,32\n\n\
                      Exit codes: 0 measured; 11 a budget was missed."
    )]
    Sweep(SweepArgs),
}

/// `lab bench compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// What there was: a cluster's name, or an address: `http://`, `https://`, `grpc://` or
    /// `grpcs://` with `host:port`.
    pub(crate) a: String,
    /// What shall come.
    pub(crate) b: String,
    /// With which load, and how servers are found.
    #[command(flatten)]
    pub(crate) measure: MeasureArgs,
    /// Connections in flight.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) concurrency: u32,
    /// Pairs of runs: 10 tell a difference of 5 %. `--tails` makes them 20.
    #[arg(long, conflicts_with = "tails")]
    pub(crate) pairs: Option<usize>,
    /// Compare the 99th percentile too, which takes 20 pairs.
    #[arg(long)]
    pub(crate) tails: bool,
    /// The least difference that matters, percent.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) threshold: f64,
    /// Do not first compare the first server with itself, which tells this machine's own
    /// rate of false alarms.
    #[arg(long)]
    pub(crate) no_calibration: bool,
    /// Seed of the order and of the resampling.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}
