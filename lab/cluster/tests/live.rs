//! A real cluster on the local engine: up, used, down, nothing left.
//!
//! The cluster's node runs this very program, so it has its own `main`: as a node
//! with `node server`, else as a test.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "stands in for the test harness, which prints"
)]

use std::{path::Path, process::ExitCode, time::Instant};

use lab_cluster::{Cluster, ClusterError, ClusterSpec, node};
use lab_engine::{Engine, ExecSpec};
use lab_image::{Images, Settings};
use lab_model::{
    event::Silent,
    name::{ClusterName, label},
};
use tokio_util::sync::CancellationToken;

const TEST: &str = "a_cluster_comes_up_works_and_leaves_nothing";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    if words.first().is_some_and(|word| word == "node") {
        return match runtime.block_on(lab_node::run(words[1..].to_vec())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.into()),
        };
    }
    if words.iter().any(|word| word == "--list") {
        println!("{TEST}: test");
        return ExitCode::SUCCESS;
    }
    let wanted = words.iter().find(|word| !word.starts_with('-'));
    if wanted.is_some_and(|part| !TEST.contains(part.as_str())) {
        return ExitCode::SUCCESS;
    }
    runtime.block_on(report())
}

async fn report() -> ExitCode {
    match ready().await {
        Err(reason) if std::env::var_os("LAB_REQUIRE_DOCKER").is_none() => {
            println!("test {TEST} ... ignored, {reason}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!("test {TEST} ... FAILED");
            fail(&reason.into())
        }
        Ok((engine, images)) => match live(&engine, &images).await {
            Ok(()) => {
                println!("test {TEST} ... ok");
                ExitCode::SUCCESS
            }
            Err(error) => {
                println!("test {TEST} ... FAILED");
                fail(&error)
            }
        },
    }
}

fn fail(error: &Failure) -> ExitCode {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    eprintln!("{text}");
    ExitCode::FAILURE
}

/// An engine with the node image, or why there is none.
async fn ready() -> Result<(Engine, Images), String> {
    let engine = Engine::connect().await.map_err(|error| error.to_string())?;
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/images");
    let images = Images::open(engine.clone(), &recipes, Settings::from_env())
        .map_err(|error| error.to_string())?;
    let reference = images
        .reference("node")
        .map_err(|error| error.to_string())?;
    match engine.image(&reference).await {
        Ok(Some(_)) => Ok((engine, images)),
        Ok(None) => Err(format!("the node image `{reference}` is not built")),
        Err(error) => Err(error.to_string()),
    }
}

async fn live(engine: &Engine, images: &Images) -> Result<(), Failure> {
    let name: ClusterName = format!("live-{}", std::process::id()).parse()?;
    let used = use_cluster(engine, images, &name).await;
    let started = Instant::now();
    node::down(engine, &name).await?;
    println!("down after {:.2} s", started.elapsed().as_secs_f32());
    used?;
    nothing_is_left(engine, &name).await?;
    node::down(engine, &name).await?;
    interrupted_up_leaves_nothing(engine, images, &name).await
}

async fn use_cluster(engine: &Engine, images: &Images, name: &ClusterName) -> Result<(), Failure> {
    let spec = ClusterSpec {
        node_ports: vec![30080],
        ..ClusterSpec::new(name.clone())
    };
    let cancel = CancellationToken::new();
    let started = Instant::now();
    let cluster = node::up(engine, images, &spec, &Silent, &cancel).await?;
    println!("up after {:.2} s", started.elapsed().as_secs_f32());
    expect(cluster.version == "v1.20.2", "the version is v1.20.2")?;
    expect(
        cluster.node_ports.contains_key(&30080),
        "the NodePort is published",
    )?;
    let taken = node::up(engine, images, &spec, &Silent, &cancel).await;
    expect(
        matches!(taken, Err(ClusterError::NameTaken { .. })),
        "a second cluster of that name is refused",
    )?;
    expect(
        node::open(engine, name).await? == cluster,
        "it can be opened",
    )?;
    let usage = node::usage(engine, &cluster).await?;
    expect(usage.memory_bytes > 100 << 20, "its memory is known")?;
    expect(usage.cpu_seconds > 0.5, "its CPU time is known")?;
    a_dead_component_starts_again(engine, &cluster).await
}

async fn a_dead_component_starts_again(engine: &Engine, cluster: &Cluster) -> Result<(), Failure> {
    // From one process id to another, within ten seconds.
    let script = "old=$(pidof kube-controller-manager); kill -9 $old
        for i in $(seq 200); do
          new=$(pidof kube-controller-manager) && [ \"$new\" != \"$old\" ] && exit 0
          sleep 0.05
        done; exit 1";
    let container = format!("lab-{}", cluster.name);
    let output = engine
        .run(&container, ExecSpec::new(["bash", "-c", script]))
        .await?;
    expect(output.exit_code == 0, "a killed component starts again")
}

async fn interrupted_up_leaves_nothing(
    engine: &Engine,
    images: &Images,
    name: &ClusterName,
) -> Result<(), Failure> {
    let cancel = CancellationToken::new();
    let spec = ClusterSpec::new(name.clone());
    let up = node::up(engine, images, &spec, &Silent, &cancel);
    let interrupt = async {
        while !matches!(engine.container(&format!("lab-{name}")).await, Ok(Some(it)) if it.running)
        {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(up, interrupt);
    expect(
        matches!(ended, Err(ClusterError::Interrupted)),
        "an interrupted `up` says so",
    )?;
    nothing_is_left(engine, name).await
}

async fn nothing_is_left(engine: &Engine, name: &ClusterName) -> Result<(), Failure> {
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
            Err(ClusterError::Unknown { .. })
        ),
        "nothing is remembered",
    )
}

fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}").into())
    }
}
