//! Real clusters on the local engine: up, used, down, nothing left.
//!
//! The clusters' nodes run this very program, so it has its own `main`: as a node
//! with `node server` or `node agent`, else as tests.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tells its figures; a node tells why it ended"
)]

mod existing;
mod one_node;
mod pods;
mod several_nodes;

use std::{path::Path, process::ExitCode};

use lab_cluster::node;
use lab_engine::Engine;
use lab_image::{Images, Settings};
use lab_model::name::{ClusterName, label};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

type Outcome = Result<(), Failed>;

/// What a test works with.
struct Bench {
    engine: Engine,
    images: Images,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "node") {
        return as_node(words[1..].to_vec());
    }
    let mut arguments = Arguments::from_args();
    // Each test takes every core there is.
    arguments.test_threads.get_or_insert(1);
    let trials = vec![
        trial("one_node", &["node"], async |bench| {
            one_node::live(&bench).await
        }),
        trial("existing", &["node", "python"], async |bench| {
            existing::live(&bench).await
        }),
        trial("several_nodes", &["node", "python"], async |bench| {
            several_nodes::live(&bench).await
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn as_node(words: Vec<String>) -> ExitCode {
    let told = match Runtime::new() {
        Ok(runtime) => runtime
            .block_on(lab_node::run(words))
            .map_err(|error| with_causes(&error)),
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

/// A test that needs these images. Where it cannot run, its name says why.
fn trial<F>(name: &str, recipes: &'static [&'static str], test: F) -> Trial
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
    Trial::test(format!("{name}{reason}"), move || {
        let outcome: Outcome = Runtime::new()?.block_on(async {
            let bench = ready(recipes).await?;
            test(bench)
                .await
                .map_err(|error| with_causes(error.as_ref()).into())
        });
        outcome
    })
    .with_ignored_flag(ignored)
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
