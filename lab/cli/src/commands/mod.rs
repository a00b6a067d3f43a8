//! One module a group of commands; this one only tells them apart.

mod bench;
mod cluster;
mod doctor;
mod existing;
mod images;
mod live;
mod reap;
mod report;
mod run;
mod stack;
mod up;

use std::path::{Path, PathBuf};

use lab_image::{Policy, Settings};
use lab_model::exit::Exit;
use lab_runner::{RunError, Workbench};
use miette::Diagnostic;
use thiserror::Error;

use crate::{
    args::{Cli, Command, Global, ImagePolicy},
    output::{self, FileError},
};

/// Anything that ends a command early.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum CommandError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Read(#[from] lab_report::read::ReadError),
    #[error("no checkout found above `{}`", from.display())]
    #[diagnostic(
        code(lab::cli::no_checkout),
        help("run inside a checkout of mlops-lab, or name one with `--root` or LAB_ROOT")
    )]
    NoCheckout { from: PathBuf },
    #[error("there is no run `{name}`")]
    #[diagnostic(
        code(lab::cli::no_run),
        help("`lab run` makes one; runs lie in `{folder}`")
    )]
    NoRun { name: String, folder: String },
    #[error("there is no process {id}")]
    #[diagnostic(
        code(lab::cli::no_process),
        help("`--while $$` names the shell that asks")
    )]
    NoProcess { id: u32 },
    #[error("`{option}` goes with `--provider existing` only")]
    #[diagnostic(
        code(lab::cli::only_existing),
        help("add `--provider existing`, or leave `{option}` out")
    )]
    OnlyExisting { option: &'static str },
    #[error("`--provider existing` makes no nodes")]
    #[diagnostic(code(lab::cli::no_nodes), help("leave `--nodes` (LAB_NODES) out"))]
    NoNodes,
    #[error("the node ended")]
    #[diagnostic(code(lab::cli::node))]
    Node(#[from] lab_node::NodeError),
}

impl CommandError {
    fn exit(&self) -> Exit {
        match self {
            Self::Run(error) => error.exit(),
            Self::File(_) | Self::Node(_) => Exit::SetupFailed,
            Self::Read(_)
            | Self::NoCheckout { .. }
            | Self::NoProcess { .. }
            | Self::OnlyExisting { .. }
            | Self::NoNodes
            | Self::NoRun { .. } => Exit::Usage,
        }
    }
}

/// What a command works with.
pub(crate) struct Context {
    /// Options of every command.
    pub(crate) global: Global,
    /// The checkout's folder.
    pub(crate) root: PathBuf,
}

impl Context {
    /// Opens the checkout and connects to the engine.
    async fn workbench(&self, policy: ImagePolicy) -> Result<Workbench, RunError> {
        let policy = match policy {
            ImagePolicy::Auto => Policy::Auto,
            ImagePolicy::Pull => Policy::Pull,
            ImagePolicy::Build => Policy::Build,
        };
        Workbench::open(
            &self.root,
            Settings {
                policy,
                ..Settings::from_env()
            },
        )
        .await
    }

    /// Where runs are kept.
    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }
}

/// Runs the command and shows its error, if it ends with one.
pub(crate) async fn execute(cli: Cli) -> Exit {
    let Cli { global, command } = cli;
    let command = match command {
        // The node's first process has no checkout and no terminal.
        Command::Node(node) => return as_node(&global, node.args).await,
        // Nor has the reaper.
        Command::Reap(args) => return reap::wait_and_reap(args).await,
        other => other,
    };
    let root = match find_root(global.root.as_deref()) {
        Ok(root) => root,
        Err(error) => {
            output::error(&global, &error);
            return error.exit();
        }
    };
    let context = Context { global, root };
    match dispatch(&context, command).await {
        Ok(exit) => exit,
        Err(error) => {
            output::error(&context.global, &error);
            error.exit()
        }
    }
}

async fn dispatch(context: &Context, command: Command) -> Result<Exit, CommandError> {
    reap::reap_dead(&command).await;
    match command {
        Command::Run(args) => run::run(context, args).await,
        Command::Up(args) => up::up(context, args).await,
        Command::Down(args) => cluster::down(context, args).await,
        Command::List => cluster::list(context).await,
        Command::Status(named) => cluster::status(context, &named.name).await,
        Command::Kubeconfig(named) => cluster::kubeconfig(context, &named.name).await,
        Command::Logs(args) => cluster::logs(context, args).await,
        Command::Clean(args) => reap::clean(context, args).await,
        Command::Install(args) => stack::install(context, args).await,
        Command::Test(args) => stack::test(context, args).await,
        Command::Bench(args) => bench::bench(context, args).await,
        Command::Report(args) => report::report(context, &args),
        Command::Images(command) => images::images(context, command).await,
        Command::Doctor => doctor::doctor(context).await,
        Command::Node(_) | Command::Reap(_) => Ok(Exit::Usage),
    }
}

async fn as_node(global: &Global, args: Vec<String>) -> Exit {
    match lab_node::run(args).await {
        Ok(()) => Exit::Ok,
        Err(error) => {
            output::error(global, &error);
            Exit::SetupFailed
        }
    }
}

/// The checkout: the one named, the one we are in, or the one `lab` was built from.
fn find_root(named: Option<&Path>) -> Result<PathBuf, CommandError> {
    let is_checkout = |folder: &Path| folder.join("fixtures/stacks").is_dir();
    let here = std::env::current_dir().unwrap_or_default();
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = match named {
        Some(folder) => Some(folder).filter(|it| is_checkout(it)),
        None => here
            .ancestors()
            .find(|it| is_checkout(it))
            .or(Some(built_from.as_path()).filter(|it| is_checkout(it))),
    };
    let from = named.unwrap_or(&here);
    let folder = found.ok_or_else(|| CommandError::NoCheckout {
        from: from.to_owned(),
    })?;
    Ok(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()))
}
