//! The command line. Only structure and words: what a flag does is decided elsewhere.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use lab_model::{name::ClusterName, provider::Provider};

use crate::{
    existing::{ExistingArgs, RegistryArgs},
    fault_args::FaultCommand,
    settings::Settings,
};

/// Parses this process's command line; ends the process where it is wrong.
pub(crate) fn parse(settings: Option<&Settings>) -> Cli {
    let mut command = Cli::command();
    if let Some(settings) = settings {
        command = settings.apply(command);
    }
    let matches = command.clone().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// A reproducible lab and testing harness for MLOps stacks.
#[derive(Debug, Parser)]
#[command(
    name = "lab",
    version,
    propagate_version = true,
    after_help = "Example:\n  lab run            the whole job: cluster, stack, scenarios, benchmark, report\n  \
                  lab up demo        a cluster to play with; `lab down demo` removes it\n\n\
                  Settings: flags, then variables (LAB_…), then the nearest `lab.toml`, for example\n  \
                  nodes = 3          keys: stack, lock, nodes, images, lang,\n  \
                  lang = \"ko\"        [mirrors] debian, debian-security, python, registry"
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Print the result as JSON on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say less: only what went wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more; twice for `lab`'s own debug lines.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// The checkout whose `fixtures` and `features` are used.
    #[arg(long, global = true, env = "LAB_ROOT", value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Do the whole job: cluster, stack, scenarios, benchmark, report; leave nothing behind.
    #[command(after_help = "Example:\n  lab run lifecycle --keep-on-failure\n\n\
                      `lab.toml` sets defaults: `lab --help` has its keys.")]
    Run(RunArgs),
    /// Bring up a cluster and keep it.
    #[command(after_help = "Example:\n  lab up demo --stack lifecycle\n  \
                            export KUBECONFIG=$(lab kubeconfig demo)\n  \
                            lab up demo --provider k3s --nodes 2   where Docker Hub answers\n  \
                            lab up work --provider existing --context study --yes")]
    Up(UpArgs),
    /// Remove a cluster and everything it owns.
    #[command(
        override_usage = "lab down [OPTIONS] <NAME>\n       lab down [OPTIONS] --all",
        after_help = "Example:\n  lab down demo"
    )]
    Down(DownArgs),
    /// List the clusters.
    #[command(after_help = "Example:\n  lab list --json")]
    List,
    /// Show a cluster: nodes, releases, endpoints, memory.
    #[command(after_help = "Example:\n  lab status demo")]
    Status(Named),
    /// Print the path of a cluster's kubeconfig.
    #[command(after_help = "Example:\n  KUBECONFIG=$(lab kubeconfig demo) kubectl get pods -A")]
    Kubeconfig(Named),
    /// Print what a node, one of its programs or a component of the stack says.
    #[command(
        after_help = "Example:\n  lab logs demo --tail 100\n  lab logs demo --node demo-agent-1\n  \
                      lab logs demo --component airflow-scheduler --follow\n  \
                      lab logs demo --component kube-apiserver"
    )]
    Logs(LogsArgs),
    /// Install a stack into a cluster.
    #[command(after_help = "Example:\n  lab install demo --stack lifecycle")]
    Install(InstallArgs),
    /// Run scenarios against a cluster with a stack.
    #[command(after_help = "Example:\n  lab test demo --feature train")]
    Test(TestArgs),
    /// Measure inference throughput and latency of the deployed model, or of any server.
    #[command(after_help = "Example:\n  lab bench demo\n  \
                      lab bench --url http://127.0.0.1:8000 --workload mine.toml   no cluster needed")]
    Bench(BenchArgs),
    /// Break a cluster on purpose: stop, pause, cut off or fill its nodes; always undone.
    #[command(
        subcommand,
        after_help = "Example:\n  lab fault make demo node-killed demo-agent-1"
    )]
    Fault(FaultCommand),
    /// Make a run's reports again from its events.
    #[command(
        after_help = "Example:\n  lab report            the newest run\n  lab report runs/run-20261122-1"
    )]
    Report(ReportArgs),
    /// List, build or load images.
    #[command(subcommand, after_help = "Example:\n  lab images build")]
    Images(ImagesCommand),
    /// Tell whether this machine can run the lab, and what to mend.
    #[command(after_help = "Example:\n  lab doctor --json")]
    Doctor,
    /// Remove what crashed runs left behind.
    #[command(after_help = "Example:\n  lab clean --check   exits 13 and lists what is left")]
    Clean(CleanArgs),
    /// Wait for the end of a process or a time, then clean. `lab run` leaves one behind.
    #[command(hide = true)]
    Reap(ReapArgs),
    /// Be a node's first process. Runs inside the node container only.
    #[command(hide = true)]
    Node(NodeCommand),
}

/// A cluster, by name.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The cluster's name.
    pub(crate) name: ClusterName,
}

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
    /// The language of the features: `en` or `ko`.
    #[arg(long, env = "LAB_LANG", default_value = "en", value_parser = ["en", "ko"])]
    pub(crate) lang: String,
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

/// Where images come from.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ImageArgs {
    /// Pull images, build them from packages, or each as its recipe says.
    #[arg(long = "images", env = "LAB_IMAGES", value_enum, default_value_t = ImagePolicy::Auto)]
    pub(crate) policy: ImagePolicy,
}

/// Where images come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImagePolicy {
    /// Pull what only registries have, build the rest.
    Auto,
    /// Ask registries only: what must be built fails.
    Pull,
    /// Build from pinned packages, and ask no registry.
    Build,
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
pub(crate) struct BenchArgs {
    /// The cluster's name.
    #[arg(required_unless_present = "url")]
    pub(crate) name: Option<ClusterName>,
    /// Measure the server at this address instead: any that speaks the Open Inference
    /// Protocol v2, as Triton does, over plain HTTP.
    #[arg(long, value_name = "URL", conflicts_with = "name")]
    pub(crate) url: Option<String>,
    /// Which stack is on the cluster.
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// The workload: a name under `fixtures/workloads`, or a `.toml` file.
    #[arg(long, default_value = "digits")]
    pub(crate) workload: String,
}

/// `lab report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its id, or its folder. Without it the newest.
    pub(crate) run: Option<PathBuf>,
}

/// `lab images`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImagesCommand {
    /// List the images: recipe, reference, whether it is there.
    List,
    /// Build, or pull, images that are not there.
    #[command(
        after_help = "Example:\n  lab images build airflow\n  lab images build grafana   \
                            pulled: only registries have it"
    )]
    Build {
        /// Recipes; without any, all that the stacks need.
        recipes: Vec<String>,
        /// Where images come from.
        #[command(flatten)]
        images: ImageArgs,
    },
    /// Load images into a cluster.
    #[command(after_help = "Example:\n  lab images load demo mlflow")]
    Load {
        /// The cluster's name.
        name: ClusterName,
        /// Recipes.
        #[arg(required = true)]
        recipes: Vec<String>,
    },
}

/// `lab clean`.
#[derive(Debug, Args)]
pub(crate) struct CleanArgs {
    /// Remove nothing: exit 13 when something is left.
    #[arg(long)]
    pub(crate) check: bool,
    /// Remove running clusters, too.
    #[arg(long, conflicts_with = "check")]
    pub(crate) all: bool,
}

/// `lab reap`.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ReapArgs {
    /// The process to outlive: `pid:start-time:boot-id`.
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// The cluster whose end to wait for.
    #[arg(long)]
    pub(crate) cluster: Option<ClusterName>,
}

/// `lab node`.
#[derive(Debug, Args)]
pub(crate) struct NodeCommand {
    /// Arguments of the node's first process.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_visible_command_has_an_example() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|it| !it.is_hide_set())
        {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains("Example:"),
                "`{}` has none",
                command.get_name()
            );
        }
    }
}
