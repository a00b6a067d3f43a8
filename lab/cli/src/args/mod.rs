//! The command line. Only structure and words: what a flag does is decided elsewhere.

mod cluster;
mod compare;
mod existing;
mod fault;
mod images;
mod measure;
mod stack;
mod sweep;

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use lab_model::name::ClusterName;

use crate::{locale::LangChoice, settings::Settings};

pub(crate) use self::{
    cluster::{ClusterArgs, DownArgs, LogsArgs, UpArgs, time_span},
    compare::{BenchCommand, CompareArgs},
    existing::{ExistingArgs, RegistryArgs},
    fault::{FaultCommand, HealArgs, MakeArgs},
    images::{ImageArgs, ImagePolicy, ImagesCommand},
    measure::{MeasureArgs, TlsArgs},
    stack::{BenchArgs, FilterArgs, InstallArgs, RunArgs, StackArgs, TestArgs},
    sweep::SweepArgs,
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
                  nodes = 3          keys: stack, lock, provider, nodes, gpus, images, lang,\n  \
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
    /// The language of messages, reports and features.
    #[arg(long, global = true, env = "LAB_LANG", value_enum, default_value_t = LangChoice::Auto)]
    pub(crate) lang: LangChoice,
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
                      lab bench demo --generators 4   the load is made in the cluster\n  \
                      lab bench --url http://127.0.0.1:8000 --workload mine.toml   no cluster needed")]
    Bench(Box<BenchArgs>),
    /// Break a cluster on purpose: stop, pause, cut off or fill its nodes; always undone.
    #[command(
        subcommand,
        after_help = "Example:\n  lab fault make demo node-killed demo-agent-1"
    )]
    Fault(FaultCommand),
    /// Make a run's reports again from its events.
    #[command(
        after_help = "Example:\n  lab report            the newest run\n  lab report runs/run-20261122-1\n  \
                      lab report --compare run-20261121-7 run-20261122-1\n  \
                      lab report --index    runs/index.html"
    )]
    Report(ReportArgs),
    /// List, build or load images.
    #[command(subcommand, after_help = "Example:\n  lab images build")]
    Images(ImagesCommand),
    /// Print the folder with kubectl and Helm; fetch them where they are not there.
    #[command(after_help = "Example:\n  export PATH=\"$PATH:$(lab tools)\"")]
    Tools,
    /// Tell whether this machine can run the lab, and what to mend.
    #[command(after_help = "Example:\n  lab doctor --json")]
    Doctor,
    /// Remove what crashed runs left behind.
    #[command(after_help = "Example:\n  lab clean --check   exits 13 and lists what is left")]
    Clean(CleanArgs),
    /// Print the completions of a shell.
    #[command(
        after_help = "Example:\n  lab completions bash > ~/.local/share/bash-completion/completions/lab"
    )]
    Completions(CompletionsArgs),
    /// Write the man pages: one for `lab`, one for each command.
    #[command(after_help = "Example:\n  lab man ~/.local/share/man/man1 && man lab-report")]
    Man(ManArgs),
    /// Wait for the end of a process or a time, then clean. `lab run` leaves one behind.
    #[command(hide = true)]
    Reap(ReapArgs),
    /// Make load as it is asked on standard input. Runs inside a generator's pod only.
    #[command(hide = true)]
    Generate,
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

/// `lab report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its id, or its folder. Without it the newest.
    pub(crate) run: Option<PathBuf>,
    /// Tell what differs between two runs.
    #[arg(long, num_args = 2, value_names = ["RUN_A", "RUN_B"], conflicts_with = "run")]
    pub(crate) compare: Option<Vec<PathBuf>>,
    /// Write a page that lists all runs, with trends.
    #[arg(long, conflicts_with_all = ["run", "compare"])]
    pub(crate) index: bool,
}

/// `lab completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

/// `lab man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Where they are written; made where it is not there.
    pub(crate) folder: PathBuf,
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
