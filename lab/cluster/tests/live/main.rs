//! Real clusters on the local engine: up, used, down, nothing left. Side by side, as many
//! as the machine's memory holds.
//!
//! The clusters' nodes run this very program, and so do pods that are spoken with, so it
//! has its own `main`: as a node with `node server` or `node agent`, or under the name
//! `k3s`, as a pod with `echo`, else as tests.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tells its figures; a node tells why it ended"
)]

mod contract;
mod existing;
mod faults;
mod gpus;
mod one_node;
mod pods;
mod several_nodes;
mod spoken;

use std::{path::Path, process::ExitCode, time::Duration};

use lab_cluster::node;
use lab_engine::Engine;
use lab_image::{Images, Settings};
use lab_model::name::{ClusterName, label};
use libtest_mimic::{Arguments, Failed, Trial};
use mlops_lab::Room;
use tokio::runtime::Runtime;

/// What a node takes, with room for its pods.
const NODE_MIB: u64 = 1024;

type Outcome = Result<(), Failed>;

/// How long a registry that says nothing may hold up the other tests.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What a test works with.
struct Bench {
    engine: Engine,
    images: Images,
}

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().collect();
    let program = words.remove(0);
    if Path::new(&program).ends_with(contract::PROGRAM) {
        return as_node(words);
    }
    if words.first().is_some_and(|word| word == "node") {
        return as_node(words[1..].to_vec());
    }
    if words.first().is_some_and(|word| word == spoken::ECHO) {
        return to_the_end(spoken::echo());
    }
    if words.first().is_some_and(|word| word == faults::MAKER) {
        return to_the_end(async { faults::make(&words[1..]).await });
    }
    let trials = vec![
        trial("one_node", NODE_MIB, &["node"], async |bench| {
            one_node::live(&bench).await
        }),
        trial(
            "existing",
            2 * NODE_MIB,
            &["node", "python"],
            async |bench| existing::live(&bench).await,
        ),
        trial("faults", 3 * NODE_MIB, &["node"], async |bench| {
            faults::live(&bench).await
        }),
        trial(
            "several_nodes",
            3 * NODE_MIB,
            &["node", "python"],
            async |bench| several_nodes::live(&bench).await,
        ),
        trial(
            "node_contract",
            2 * NODE_MIB,
            &["node", "python"],
            async |bench| contract::honoured(&bench).await,
        ),
        trial_of_gpus(),
        trial_of_k3s(),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn as_node(words: Vec<String>) -> ExitCode {
    to_the_end(async { Ok(lab_node::run(words).await?) })
}

fn to_the_end(work: impl Future<Output = Result<(), Box<dyn std::error::Error>>>) -> ExitCode {
    let told = match Runtime::new() {
        Ok(runtime) => runtime
            .block_on(work)
            .map_err(|error| with_causes(error.as_ref())),
        Err(error) => Err(with_causes(&error)),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A test that takes so much memory and needs these images. Where it cannot run, its name
/// says why.
fn trial<F>(name: &str, mib: u64, recipes: &'static [&'static str], test: F) -> Trial
where
    F: AsyncFnOnce(Bench) -> Result<(), Box<dyn std::error::Error>> + Send + 'static,
{
    let required = std::env::var("LAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    let missing = Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(ready(recipes)).map(drop))
        .err();
    let (reason, ignored) = match missing {
        None => (String::new(), false),
        Some(reason) if required => (format!(" ({reason})"), false),
        Some(reason) => (format!(" (not run: {reason})"), true),
    };
    named_trial(&format!("{name}{reason}"), mib, recipes, test).with_ignored_flag(ignored)
}

/// Looks at GPUs that are none, so real ones would be in its way.
fn trial_of_gpus() -> Trial {
    let test = async |bench: Bench| gpus::live(&bench).await;
    let recipes = &["node", "python"];
    if gpus::are_here() {
        let name = "gpus (not run: this machine has its own; scenarios tagged @gpu look at those)";
        return named_trial(name, NODE_MIB, recipes, test).with_ignored_flag(true);
    }
    trial("gpus", NODE_MIB, recipes, test)
}

/// k3s itself. That no registry answers is nobody's fault, also where Docker is required.
fn trial_of_k3s() -> Trial {
    let recipes = &["python"];
    let missing = Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| {
            runtime.block_on(async {
                let bench = ready(recipes).await?;
                let images = bench.images.answered_within(ANSWER_WITHIN);
                let got = contract::ready(&images).await;
                got.map_err(|error| with_causes(&error))
            })
        })
        .err();
    let ignored = missing.is_some();
    let reason = missing.map_or_else(String::new, |reason| format!(" (not run: {reason})"));
    let name = format!("real_k3s{reason}");
    named_trial(&name, 2 * NODE_MIB, recipes, async |bench| {
        contract::real(&bench).await
    })
    .with_ignored_flag(ignored)
}

fn named_trial<F>(name: &str, mib: u64, recipes: &'static [&'static str], test: F) -> Trial
where
    F: AsyncFnOnce(Bench) -> Result<(), Box<dyn std::error::Error>> + Send + 'static,
{
    let word = name.split(' ').next().unwrap_or_default();
    let claim = format!("{word}-{}", std::process::id());
    Trial::test(name, move || {
        let outcome: Outcome = Runtime::new()?.block_on(async {
            let _room = Room::claim(&claim, mib).await?;
            let bench = ready(recipes).await?;
            test(bench)
                .await
                .map_err(|error| with_causes(error.as_ref()).into())
        });
        outcome
    })
}

/// An engine with these images, or why there is none.
async fn ready(recipes: &[&str]) -> Result<Bench, String> {
    let engine = Engine::connect().await.map_err(|error| error.to_string())?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/images");
    let images = Images::open(engine.clone(), &folder, Settings::from_env())
        .map_err(|error| error.to_string())?;
    for recipe in recipes {
        let reference = images
            .reference(recipe)
            .map_err(|error| error.to_string())?;
        match engine.image(&reference).await {
            Ok(Some(_)) => {}
            Ok(None) => return Err(format!("the image `{reference}` is not built")),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(Bench { engine, images })
}

/// A name of this process's own.
fn name(what: &str) -> Result<ClusterName, Box<dyn std::error::Error>> {
    Ok(format!("live-{what}-{}", std::process::id()).parse()?)
}

async fn nothing_is_left(
    engine: &Engine,
    name: &ClusterName,
) -> Result<(), Box<dyn std::error::Error>> {
    let filter = format!("{}={name}", label::CLUSTER);
    expect(
        engine.list_containers_by_label(&filter).await?.is_empty(),
        "no container is left",
    )?;
    expect(
        engine.list_volumes_by_label(&filter).await?.is_empty(),
        "no volume is left",
    )?;
    expect(
        engine.list_networks_by_label(&filter).await?.is_empty(),
        "no network is left",
    )?;
    expect(
        matches!(
            node::known(engine, name).await,
            Err(lab_cluster::ClusterError::Unknown { .. })
        ),
        "nothing is remembered",
    )
}

fn expect(holds: bool, what: &str) -> Result<(), Box<dyn std::error::Error>> {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}").into())
    }
}
