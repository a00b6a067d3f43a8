//! Arguments of commands that work with a cluster: up, down, logs.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use lab_model::{gpu::Gpus, name::ClusterName, provider::Provider};

use super::{ExistingArgs, ImageArgs, StackArgs};

/// What cluster to bring up.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClusterArgs {
    /// What makes the cluster: `node`, the locally built node image; `k3s`, pulled from
    /// Docker Hub; `kind`, the program of that name; or `existing`, which uses one that
    /// is there.
    #[arg(long, env = "LAB_PROVIDER", default_value_t)]
    pub(crate) provider: Provider,
    /// The image that the nodes of provider `k3s` run, in place of the one `lab` knows.
    #[arg(long, env = "LAB_K3S_IMAGE", value_name = "IMAGE")]
    pub(crate) k3s_image: Option<String>,
    /// How many nodes: one server, the others agents.
    #[arg(long, env = "LAB_NODES", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub(crate) nodes: u8,
    /// How many of this machine's NVIDIA GPUs the cluster of provider `node` or `k3s` gets:
    /// `all`, `none`, or so many; `auto` is all where the engine gives GPUs to containers.
    #[arg(
        long,
        env = "LAB_GPUS",
        default_value_t,
        value_name = "auto|all|none|N"
    )]
    pub(crate) gpus: Gpus,
    /// The node image of `--provider kind`, best by its digest: `kindest/node@sha256:…`.
    /// Without it the one that this kind was released with.
    #[arg(long, env = "LAB_KIND_IMAGE", value_name = "IMAGE")]
    pub(crate) kind_image: Option<String>,
    /// Which cluster that is there is meant.
    #[command(flatten)]
    pub(crate) existing: ExistingArgs,
}

impl ClusterArgs {
    /// The image its nodes run, in place of the provider's own. The variables may be set
    /// for other calls than this one.
    pub(crate) fn node_image(&self) -> Option<String> {
        let named = match self.provider {
            Provider::Node | Provider::Existing => &None,
            Provider::K3s => &self.k3s_image,
            Provider::Kind => &self.kind_image,
        };
        named.clone().filter(|it| !it.is_empty())
    }
}

/// `lab up`.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// The cluster's name.
    pub(crate) name: ClusterName,
    /// Use the cluster of that name if there is one.
    #[arg(long)]
    pub(crate) shared: bool,
    /// Remove it when this process has ended; several may use a `--shared` cluster.
    #[arg(long = "while", value_name = "PID")]
    pub(crate) user: Option<u32>,
    /// Remove it after this time, for example `90m` or `2h`; with `--while`, so long after
    /// the last use.
    #[arg(long, value_name = "TIME", value_parser = time_span)]
    pub(crate) ttl: Option<Duration>,
    /// Install this stack, too.
    #[arg(long, value_name = "STACK")]
    pub(crate) stack: Option<String>,
    /// The lock: which versions of the stack.
    #[arg(long, env = "LAB_LOCK", default_value = "documented")]
    pub(crate) lock: String,
    /// The cluster to bring up.
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Where images come from.
    #[command(flatten)]
    pub(crate) images: ImageArgs,
}

/// `lab down`.
#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// The cluster's name.
    #[arg(required_unless_present = "all")]
    pub(crate) name: Option<ClusterName>,
    /// Every cluster.
    #[arg(long, conflicts_with = "name")]
    pub(crate) all: bool,
}

/// `lab logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The cluster's name.
    pub(crate) name: ClusterName,
    /// How many of the last lines.
    #[arg(long, default_value_t = 200)]
    pub(crate) tail: usize,
    /// Of which node, as `lab status` names it; without it the server.
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// Of which component: one of the stack, in all its containers, or one of the node's
    /// own programs, for example `kubelet`.
    #[arg(long, value_name = "COMPONENT")]
    pub(crate) component: Option<String>,
    /// Which stack is on it.
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Go on as lines are written.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Have kind write all the logs of a cluster that it made into this folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["tail", "node", "follow"])]
    pub(crate) export: Option<PathBuf>,
}

/// Reads a time like `90m`.
pub(crate) fn time_span(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "write it like `90m` or `2h`".to_owned())?;
    let span = Duration::try_from(span).map_err(|_| "it lies in the past".to_owned())?;
    if span.is_zero() {
        return Err("it is no time at all".to_owned());
    }
    Ok(span)
}
