//! One run of the chosen scenarios against a living stack.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use cucumber::{
    World as _, WriterExt as _, cli,
    gherkin::Feature,
    parser::{self, Parser},
};
use futures::{FutureExt as _, stream};
use lab_model::event::Emitter;
use miette::Diagnostic;
use thiserror::Error;
use tokio::task::JoinSet;

use crate::{
    bridge::Bridge,
    catalog::{CatalogError, Filter, features, not_run_reason},
    env::ScenarioEnv,
    evidence::Recorder,
    failure::Failure,
    lab::{DAG, Lab},
    runs::Purpose,
    world::World,
};

/// How many scenarios ended how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Passed.
    pub passed: u32,
    /// Failed.
    pub failed: u32,
    /// Could not run here.
    pub not_run: u32,
}

/// The scenarios could not be run at all. A failed scenario is no error.
#[derive(Debug, Error, Diagnostic)]
pub enum ScenarioError {
    /// The features cannot be read or chosen from.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Catalog(#[from] CatalogError),
    /// The filter leaves nothing to run.
    #[error("no scenario fits the filter")]
    #[diagnostic(
        code(lab::scenarios::nothing_to_run),
        help("leave out `--feature` and `--tags` to run every scenario")
    )]
    NothingToRun,
    /// The clients cannot be made.
    #[error("failed to reach the stack: {reason}")]
    #[diagnostic(
        code(lab::scenarios::unreachable),
        help("`lab status NAME` tells whether the cluster answers")
    )]
    Unreachable {
        /// Why.
        reason: String,
    },
}

impl ScenarioError {
    /// Whether the filter or the features are wrong, and not the stack.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Catalog(_) | Self::NothingToRun)
    }
}

/// Sees that a filter can be used and leaves something to run, without running it.
///
/// # Errors
/// As [`run`], when the features cannot be read or none is chosen.
pub fn check(features_dir: &Path, filter: &Filter) -> Result<(), ScenarioError> {
    choose(features_dir, filter).map(drop)
}

fn choose(features_dir: &Path, filter: &Filter) -> Result<Vec<Feature>, ScenarioError> {
    let chosen = features(features_dir, filter)?;
    if chosen.is_empty() {
        return Err(ScenarioError::NothingToRun);
    }
    Ok(chosen)
}

/// Runs the chosen scenarios, one after the other in the order of a model's life.
///
/// While it runs, cucumber replaces the process's panic hook; its future is not
/// `Send`, so it stays on the task that called it. Dropping the future stops it.
///
/// # Errors
/// When the features cannot be read, none is chosen, or the kubeconfig or an
/// address is missing. Scenarios that fail are in the [`Summary`].
pub async fn run(
    env: ScenarioEnv,
    features_dir: &Path,
    filter: &Filter,
    emitter: Arc<dyn Emitter>,
) -> Result<Summary, ScenarioError> {
    let chosen = choose(features_dir, filter)?;
    let recorder = Recorder::default();
    let named_from = named_from(features_dir).to_owned();
    let mut bridge = Bridge::new(emitter, recorder.clone(), named_from);
    let runnable = set_aside(chosen, &env, &mut bridge);
    if runnable.is_empty() {
        return Ok(bridge.summary());
    }
    let mut lab =
        Lab::connect(env, recorder)
            .await
            .map_err(|failure| ScenarioError::Unreachable {
                reason: failure.to_string(),
            })?;
    lab.takes_earlier_runs = !runnable.iter().any(looks_at_runs);
    let lab = Arc::new(lab);
    // Ends with this function: the watch, and runs that no scenario waited for.
    let _background = begin_early(&lab, &runnable);
    let after = Arc::clone(&lab);
    let done = World::cucumber::<PathBuf>()
        .with_parser(Parsed)
        .with_writer(bridge.normalized())
        .max_concurrent_scenarios(1)
        .before(move |_, _, _, world| {
            world.lab = Some(Arc::clone(&lab));
            std::future::ready(()).boxed_local()
        })
        .after(move |_, _, _, _, _| {
            let lab = Arc::clone(&after);
            async move { lab.make_whole().await }.boxed_local()
        })
        .with_default_cli()
        .run(runnable)
        .await;
    Ok(done.inner_writer().summary())
}

/// Tells of the scenarios that cannot run here, and gives the others.
fn set_aside(chosen: Vec<Feature>, env: &ScenarioEnv, bridge: &mut Bridge) -> Vec<Feature> {
    chosen
        .into_iter()
        .filter_map(|mut feature| {
            let mut runnable = Vec::new();
            for scenario in std::mem::take(&mut feature.scenarios) {
                match not_run_reason(&feature, &scenario, env) {
                    Some(reason) => bridge.not_run(&feature, &scenario, reason),
                    None => runnable.push(scenario),
                }
            }
            feature.scenarios = runnable;
            (!feature.scenarios.is_empty()).then_some(feature)
        })
        .collect()
}

/// Files are named from the folder `features`, those of another language below it too.
fn named_from(features_dir: &Path) -> &Path {
    features_dir
        .ancestors()
        .find(|it| it.ends_with("features"))
        .unwrap_or(features_dir)
}

/// Whether a feature looks at how a training run went, not only at what it left.
fn looks_at_runs(feature: &Feature) -> bool {
    let tags = &feature.tags;
    tags.iter().any(|tag| tag == "train" || tag == "register")
}

/// Starts the watch of task pods and every training run that a chosen scenario
/// speaks of, so that they go on while the first scenarios look at the first run.
fn begin_early(lab: &Arc<Lab>, chosen: &[Feature]) -> JoinSet<()> {
    let mut background = JoinSet::new();
    background.spawn(lab.task_pods.clone().watch(lab.kubernetes.clone(), DAG));
    for purpose in Purpose::ALL {
        let is_needed = chosen
            .iter()
            .flat_map(|feature| &feature.scenarios)
            .flat_map(|scenario| &scenario.steps)
            .any(|step| purpose.is_mentioned_in(&step.value));
        if is_needed {
            let lab = Arc::clone(lab);
            background.spawn(async move {
                // The scenario that asks for it gets the failure and tells it.
                let _: Result<_, Failure> = lab.ended(purpose).await;
            });
        }
    }
    background
}

/// Features that are parsed already.
struct Parsed;

impl Parser<Vec<Feature>> for Parsed {
    type Cli = cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<parser::Result<Feature>>>;

    fn parse(self, input: Vec<Feature>, _: cli::Empty) -> Self::Output {
        let parsed: Vec<_> = input.into_iter().map(Ok).collect();
        stream::iter(parsed)
    }
}
