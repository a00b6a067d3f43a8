//! One module a group of commands; this one only tells them apart.

mod bench;
mod cluster;
mod compare;
mod doctor;
mod existing;
mod fault;
mod history;
mod images;
mod live;
mod logs;
mod manual;
mod reap;
mod report;
mod run;
mod stack;
mod status;
mod sweep;
mod up;

use std::path::{Path, PathBuf};

use lab_image::Policy;
use lab_model::{exit::Exit, name::ClusterName};
use lab_runner::{RunError, Workbench};
use lab_stack::{Catalogue, catalogue::LockedStack};
use miette::Diagnostic;
use thiserror::Error;

use crate::{
    args::{Cli, Command, Global, ImagePolicy},
    output::{self, FileError},
    settings::{Mirrors, Settings, SettingsError},
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
    #[error(transparent)]
    #[diagnostic(transparent)]
    Settings(#[from] SettingsError),
    #[error("neither the stack nor the node has a component `{component}`")]
    #[diagnostic(
        code(lab::cli::no_component),
        help("the stack has {stack}; the node has {node}")
    )]
    NoComponent {
        component: String,
        stack: String,
        node: String,
    },
    #[error("`{component}` is not on `{cluster}`")]
    #[diagnostic(
        code(lab::cli::not_installed),
        help("`lab install {cluster}` installs the stack; what cannot run here is left out of it")
    )]
    NotInstalled {
        component: String,
        cluster: ClusterName,
    },
    #[error("`{option}` goes with `--provider existing` only")]
    #[diagnostic(
        code(lab::cli::only_existing),
        help("add `--provider existing`, or leave `{option}` out")
    )]
    OnlyExisting { option: &'static str },
    #[error("`--provider existing` makes no nodes")]
    #[diagnostic(code(lab::cli::no_nodes), help("leave `--nodes` (LAB_NODES) out"))]
    NoNodes,
    #[error("`{named}` is neither a cluster's name nor an address: {reason}")]
    #[diagnostic(
        code(lab::cli::no_server),
        help("name a cluster of `lab list`, or an address such as `http://127.0.0.1:8000`")
    )]
    NoServer { named: String, reason: String },
    #[error("the generator ended")]
    #[diagnostic(
        code(lab::cli::generator),
        help("`lab bench NAME --generators N` starts generators, and speaks with them")
    )]
    Generator(#[source] std::io::Error),
    #[error("the node ended")]
    #[diagnostic(code(lab::cli::node))]
    Node(#[from] lab_node::NodeError),
}

impl CommandError {
    fn exit(&self) -> Exit {
        match self {
            Self::Run(error) => error.exit(),
            Self::File(_) | Self::Node(_) | Self::Generator(_) | Self::NotInstalled { .. } => {
                Exit::SetupFailed
            }
            Self::Read(_)
            | Self::Settings(_)
            | Self::NoComponent { .. }
            | Self::NoCheckout { .. }
            | Self::NoProcess { .. }
            | Self::OnlyExisting { .. }
            | Self::NoNodes
            | Self::NoServer { .. }
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
    /// Mirrors of `lab.toml`.
    mirrors: Mirrors,
}

impl Context {
    /// Opens the checkout and connects to the engine.
    async fn workbench(&self, policy: ImagePolicy) -> Result<Workbench, RunError> {
        let policy = match policy {
            ImagePolicy::Auto => Policy::Auto,
            ImagePolicy::Pull => Policy::Pull,
            ImagePolicy::Build => Policy::Build,
        };
        let settings = lab_image::Settings {
            policy,
            ..self.image_settings()
        };
        Workbench::open(&self.root, settings).await
    }

    /// Where packages and images come from.
    fn image_settings(&self) -> lab_image::Settings {
        self.mirrors.fill_in(lab_image::Settings::from_env())
    }

    /// A stack with one of its locks; needs no engine.
    fn stack(&self, stack: &str, lock: &str) -> Result<LockedStack, RunError> {
        let catalogue = Catalogue::new(self.root.join("fixtures"));
        Ok(catalogue.load(stack, lock)?)
    }

    /// Where runs are kept.
    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }
}

/// Runs the command and shows its error, if it ends with one.
pub(crate) async fn execute(cli: Cli, settings: Result<Settings, SettingsError>) -> Exit {
    let Cli { global, command } = cli;
    let command = match command {
        // The node's first process has no checkout and no terminal.
        Command::Node(node) => return as_node(&global, node.args).await,
        // Nor has a generator.
        Command::Generate => return generate(&global).await,
        // These describe the command line itself, wherever that is.
        Command::Completions(args) => return manual::completions(&args),
        Command::Man(args) => return manual::pages(&global, &args),
        // Nor has the reaper.
        Command::Reap(args) => return reap::wait_and_reap(args).await,
        other => other,
    };
    let shown = global.clone();
    let ended = async {
        let context = Context {
            root: find_root(global.root.as_deref())?,
            mirrors: settings?.mirrors,
            global,
        };
        dispatch(&context, command).await
    };
    ended.await.unwrap_or_else(|error| {
        output::error(&shown, &error);
        error.exit()
    })
}

async fn dispatch(context: &Context, command: Command) -> Result<Exit, CommandError> {
    reap::reap_dead(&command).await;
    match command {
        Command::Run(args) => run::run(context, args).await,
        Command::Up(args) => up::up(context, args).await,
        Command::Down(args) => cluster::down(context, args).await,
        Command::List => cluster::list(context).await,
        Command::Status(named) => status::status(context, &named.name).await,
        Command::Kubeconfig(named) => cluster::kubeconfig(context, &named.name).await,
        Command::Logs(args) => logs::logs(context, args).await,
        Command::Clean(args) => reap::clean(context, args).await,
        Command::Install(args) => stack::install(context, args).await,
        Command::Test(args) => stack::test(context, args).await,
        Command::Bench(args) => bench::bench(context, *args).await,
        Command::Fault(command) => fault::fault(context, command).await,
        Command::Report(args) => report::report(context, &args),
        Command::Images(command) => images::images(context, command).await,
        Command::Tools => images::tools(context).await,
        Command::Doctor => doctor::doctor(context).await,
        Command::Node(_)
        | Command::Generate
        | Command::Reap(_)
        | Command::Completions(_)
        | Command::Man(_) => Ok(Exit::Usage),
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

/// A generator: whoever made its pod is its standard input and output.
async fn generate(global: &Global) -> Exit {
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    match lab_runner::generators::serve(input, output).await {
        Ok(()) => Exit::Ok,
        Err(error) => {
            output::error(global, &CommandError::Generator(error));
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
