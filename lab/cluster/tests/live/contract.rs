//! The node contract: provider `k3s`, unchanged, on an image that has only what the
//! contract says, made of the node image and this program; and on k3s itself.

use std::time::Instant;

use bytes::Bytes;
use futures::stream;
use lab_cluster::{Cluster, ClusterError, ClusterSpec, node};
use lab_engine::{ContainerSpec, Engine, ExecSpec, ImageConfig, owner};
use lab_image::Images;
use lab_k8s::{Kube, kube::core::Request};
use lab_model::{
    event::Silent,
    fault::Fault,
    gpu::Gpus,
    name::{ClusterName, label},
    provider::Provider,
};
use tokio_util::sync::CancellationToken;

use super::{
    Bench, expect, gpus, name, nothing_is_left,
    pods::{Pods, ready_nodes, until},
};

type Failure = Box<dyn std::error::Error>;

/// The program's name in the image, which tells it to be a node.
pub(super) const PROGRAM: &str = "k3s";
const FOLDER: &str = "/usr/local/bin";
const NODE_PORT: u16 = 30080;
/// Nothing listens there.
const NOWHERE: &str = "127.0.0.1:1/rancher/k3s:none";

/// On the image made here.
pub(super) async fn honoured(bench: &Bench) -> Result<(), Failure> {
    let made = Made::new(bench).await?;
    let outcome = async {
        cluster_of(bench, Some(made.whole.clone())).await?;
        a_node_that_ends_is_told(bench, made.broken.clone()).await?;
        an_image_that_cannot_be_had_is_told(bench).await
    };
    let outcome = outcome.await;
    made.remove(&bench.engine).await?;
    outcome
}

/// On k3s itself, or what `LAB_K3S_IMAGE` names.
pub(super) async fn real(bench: &Bench) -> Result<(), Failure> {
    cluster_of(bench, named()).await
}

/// Gets the image of k3s, or tells why it cannot be had.
pub(super) async fn ready(images: &Images) -> Result<(), ClusterError> {
    let spec = spec("real".parse().expect("a name"), named());
    node::ready_image(images, &spec, &Silent, &CancellationToken::new()).await
}

fn named() -> Option<String> {
    std::env::var("LAB_K3S_IMAGE")
        .ok()
        .filter(|it| !it.is_empty())
}

fn spec(name: ClusterName, node_image: Option<String>) -> ClusterSpec {
    ClusterSpec {
        provider: Provider::K3s,
        node_image,
        nodes: 2,
        node_ports: vec![NODE_PORT],
        // Those of the test are none of the machine's.
        gpus: Gpus::None,
        ..ClusterSpec::new(name)
    }
}

/// A server and an agent: up, used, down, nothing left.
async fn cluster_of(bench: &Bench, image: Option<String>) -> Result<(), Failure> {
    let name = name("contract")?;
    let used = use_cluster(bench, &spec(name.clone(), image)).await;
    lab_cluster::down(&bench.engine, &name).await?;
    used?;
    nothing_is_left(&bench.engine, &name).await
}

async fn use_cluster(bench: &Bench, spec: &ClusterSpec) -> Result<(), Failure> {
    let Bench { engine, images } = bench;
    let started = Instant::now();
    let cancel = CancellationToken::new();
    let cluster = lab_cluster::up(engine, images, spec, &Silent, &cancel).await?;
    println!(
        "two nodes of k3s's contract up after {:.2} s",
        started.elapsed().as_secs_f32()
    );
    expect(cluster.provider == Provider::K3s, "k3s made it")?;
    expect(
        lab_cluster::open(engine, &spec.name).await? == cluster,
        "it can be opened",
    )?;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
    expect(
        cluster.nodes == ready_nodes(&kube).await?,
        "every node is Ready",
    )?;
    let usage = node::usage(engine, &cluster).await?;
    expect(usage.memory_bytes > 100 << 20, "its memory is known")?;

    node::load_images(engine, &cluster, images.save(&["python"])?, &Silent).await?;
    let image = images.cluster_reference("python")?;
    expect(
        node::loaded_images(engine, &cluster)
            .await?
            .contains(&image),
        "every node has the image",
    )?;
    let [server, agent] = &cluster.nodes[..] else {
        return Err(format!("two nodes, not {:?}", cluster.nodes).into());
    };
    let pods = Pods::new(&kube, image);
    let volume = pods.serve_and_read(agent, server, NODE_PORT).await?;
    pods.remove(&volume).await?;
    state_lies_on_volumes(engine, &cluster).await?;
    if !gpus::are_here() {
        gpus::of_k3s(engine, &cluster, pods.image().to_owned()).await?;
    }
    every_node_has_a_log(engine, &cluster).await?;
    an_agent_comes_back(engine, &kube, &cluster, agent).await
}

/// Where k3s has it, and on volumes that the lease names.
async fn state_lies_on_volumes(engine: &Engine, cluster: &Cluster) -> Result<(), Failure> {
    let script = "for folder in /var/lib/rancher/k3s /var/lib/kubelet /etc/rancher; do
          grep -q \" $folder \" /proc/mounts || exit 1
        done
        test -d /var/lib/rancher/k3s/agent/containerd && test -s /var/lib/rancher/k3s/server/token";
    let container = format!("lab-{}", cluster.name);
    let looked = engine
        .run(&container, ExecSpec::new(["sh", "-c", script]))
        .await?;
    expect(looked.success(), "the state lies on volumes")
}

async fn every_node_has_a_log(engine: &Engine, cluster: &Cluster) -> Result<(), Failure> {
    for node in &cluster.nodes {
        let wish = node::LogWish {
            node: Some(node.clone()),
            tail: 10,
            follow: false,
        };
        let mut lines = 0;
        node::logs(engine, &cluster.name, &wish, |_| lines += 1).await?;
        expect(lines > 0, &format!("{node} has a log"))?;
    }
    Ok(())
}

/// With the keys it had, since its volumes are.
async fn an_agent_comes_back(
    engine: &Engine,
    kube: &Kube,
    cluster: &Cluster,
    agent: &str,
) -> Result<(), Failure> {
    let off = Fault::NodeKilled {
        node: agent.to_owned(),
    };
    node::inject(engine, &cluster.name, &off).await?;
    node::heal(engine, &cluster.name, &off).await?;
    until("the agent's kubelet answers again", async || {
        let request = Request::new("/api/v1/nodes").get_subresource("proxy/healthz", agent)?;
        let answer = kube.client().request_text(request).await;
        Ok(answer.ok().filter(|text| text == "ok").map(drop))
    })
    .await
}

/// With the end of its log, and at once.
async fn a_node_that_ends_is_told(bench: &Bench, broken: String) -> Result<(), Failure> {
    let name = name("ends")?;
    let spec = spec(name.clone(), Some(broken));
    let cancel = CancellationToken::new();
    let up = lab_cluster::up(&bench.engine, &bench.images, &spec, &Silent, &cancel).await;
    expect(
        matches!(&up, Err(ClusterError::NodeEnded { log, .. }) if log.contains("no cgroups")),
        &format!("a node that ends is told with its log: {up:?}"),
    )?;
    nothing_is_left(&bench.engine, &name).await
}

async fn an_image_that_cannot_be_had_is_told(bench: &Bench) -> Result<(), Failure> {
    let spec = spec(name("none")?, Some(NOWHERE.to_owned()));
    let cancel = CancellationToken::new();
    let readied = node::ready_image(&bench.images, &spec, &Silent, &cancel).await;
    let Err(ClusterError::NoK3s(source)) = &readied else {
        return Err(format!("there is no such image: {readied:?}").into());
    };
    expect(
        source.to_string().contains("connection refused"),
        &format!("the engine's words are told: {source}"),
    )
}

/// Images made for a test.
struct Made {
    /// Honours the contract.
    whole: String,
    /// Ends as soon as it begins.
    broken: String,
}

impl Made {
    async fn new(bench: &Bench) -> Result<Self, Failure> {
        let Bench { engine, images } = bench;
        let process = std::process::id();
        let made = Self {
            whole: format!("lab-contract/k3s:test-{process}"),
            broken: format!("lab-contract/k3s:broken-{process}"),
        };
        let container = format!("lab-contract-{process}");
        let owned = |owner: String| [(label::OWNER.to_owned(), owner)].into();
        let spec = ContainerSpec {
            name: container.clone(),
            image: images.reference("node")?,
            labels: owned(owner::this_process()),
            ..ContainerSpec::default()
        };
        engine.create_container(spec).await?;
        let program = format!("{FOLDER}/{PROGRAM}");
        let kinds = [
            (&made.whole, vec!["/usr/bin/tini", "--", &program]),
            (
                &made.broken,
                vec!["sh", "-c", "echo no cgroups >&2; exit 3"],
            ),
        ];
        let making = async {
            engine.upload(&container, FOLDER, this_program()?).await?;
            for (reference, entrypoint) in kinds {
                let config = ImageConfig {
                    entrypoint: entrypoint.into_iter().map(str::to_owned).collect(),
                    cmd: vec!["agent".to_owned()],
                    labels: owned(String::new()),
                    ..ImageConfig::default()
                };
                engine.commit(&container, reference, config).await?;
            }
            Ok::<_, Failure>(())
        };
        let outcome = making.await;
        engine.remove_container(&container).await?;
        if outcome.is_err() {
            made.remove(engine).await?;
        }
        outcome.map(|()| made)
    }

    async fn remove(&self, engine: &Engine) -> Result<(), Failure> {
        for image in [&self.whole, &self.broken] {
            engine.remove_image(image).await?;
        }
        Ok(())
    }
}

/// This test program as a tar.
fn this_program() -> Result<lab_engine::ByteStream, Failure> {
    let mut archive = tar::Builder::new(Vec::new());
    // The engine knows no sparse files.
    archive.sparse(false);
    archive.append_file(PROGRAM, &mut std::fs::File::open("/proc/self/exe")?)?;
    let tar = Bytes::from(archive.into_inner()?);
    Ok(Box::pin(stream::once(async move { Ok(tar) })))
}
