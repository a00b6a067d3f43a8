//! One node: up, used, a component killed, down, and an `up` that is interrupted.

use std::time::Instant;

use lab_cluster::{Cluster, ClusterError, ClusterSpec, node};
use lab_engine::{Engine, ExecSpec};
use lab_image::Images;
use lab_model::{event::Silent, name::ClusterName};
use tokio_util::sync::CancellationToken;

use super::{Bench, expect, name, nothing_is_left, spoken};

type Failure = Box<dyn std::error::Error>;

pub(super) async fn live(bench: &Bench) -> Result<(), Failure> {
    let Bench { engine, images } = bench;
    let name = name("one")?;
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
    spoken::live(engine, &cluster).await?;
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
