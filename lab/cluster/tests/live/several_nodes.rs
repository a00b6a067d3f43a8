//! A server and two agents: pods reach each other across nodes, by address, Service
//! and name; volumes lie where their pods run; an agent that was away comes back.

use std::{fs, os::unix::fs::PermissionsExt, time::Instant};

use lab_cluster::{Cluster, ClusterSpec, node};
use lab_engine::{Engine, ExecSpec};
use lab_k8s::{
    Kube,
    k8s_openapi::api::core::v1::Node,
    kube::{Api, core::Request},
};
use lab_model::{event::Silent, fault::Fault, name::ClusterName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{
    Bench, expect, name, nothing_is_left,
    pods::{Pods, ready_nodes, until},
};

type Failure = Box<dyn std::error::Error>;

const NODE_PORT: u16 = 30080;

pub(super) async fn live(bench: &Bench) -> Result<(), Failure> {
    let name = name("several")?;
    let used = use_cluster(bench, &name).await;
    let started = Instant::now();
    node::down(&bench.engine, &name).await?;
    println!("down after {:.2} s", started.elapsed().as_secs_f32());
    used?;
    nothing_is_left(&bench.engine, &name).await
}

async fn use_cluster(bench: &Bench, name: &ClusterName) -> Result<(), Failure> {
    let Bench { engine, images } = bench;
    let spec = ClusterSpec {
        nodes: 3,
        node_ports: vec![NODE_PORT],
        ..ClusterSpec::new(name.clone())
    };
    let started = Instant::now();
    let cancel = CancellationToken::new();
    let cluster = node::up(engine, images, &spec, &Silent, &cancel).await?;
    println!(
        "three nodes up after {:.2} s",
        started.elapsed().as_secs_f32()
    );
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
    expect(
        cluster.nodes == ready_nodes(&kube).await?,
        "every node is Ready",
    )?;
    let [_, one, other] = &cluster.nodes[..] else {
        return Err(format!("three nodes, not {:?}", cluster.nodes).into());
    };
    the_token_is_kept_well(engine, &cluster, one).await?;
    let usage = node::usage(engine, &cluster).await?;
    expect(usage.memory_bytes > 300 << 20, "the memory of all is known")?;

    let stream = images.save(&["python"])?;
    node::load_images(engine, &cluster, stream, &Silent).await?;
    let image = images.cluster_reference("python")?;
    expect(
        node::loaded_images(engine, &cluster)
            .await?
            .contains(&image),
        "every node has the image",
    )?;
    let pods = Pods::new(&kube, image);
    let volume = pods.serve_and_read(one, other, NODE_PORT).await?;
    node_ports_answer(&cluster).await?;
    metrics_can_be_read(&kube, one).await?;
    volume_lies_on(engine, name, &volume, true).await?;
    pods.remove(&volume).await?;
    volume_lies_on(engine, name, &volume, false).await?;
    a_cut_network_heals(engine, &cluster, one, other).await?;
    an_agent_comes_back(engine, &kube, &cluster, one).await
}

/// One agent does not hear the other's kubelet ask, and hears it again.
async fn a_cut_network_heals(
    engine: &Engine,
    cluster: &Cluster,
    one: &str,
    other: &str,
) -> Result<(), Failure> {
    let cut = Fault::NetworkCut {
        node: one.to_owned(),
        from: other.to_owned(),
    };
    let script = format!(
        "timeout 2 bash -c '</dev/tcp/lab-{}.agent-1/10250'",
        cluster.name
    );
    let container = format!("lab-{}.agent-2", cluster.name);
    let is_heard = async || {
        let ask = ExecSpec::new(["bash", "-c", &script]);
        engine.run(&container, ask).await.map(|it| it.success())
    };
    expect(is_heard().await?, "agents hear each other")?;
    node::inject(engine, &cluster.name, &cut).await?;
    expect(!is_heard().await?, "a cut network lets nothing through")?;
    node::heal(engine, &cluster.name, &cut).await?;
    expect(is_heard().await?, "a healed network does")
}

/// Nobody but its owner reads it, and no listing of containers shows it.
async fn the_token_is_kept_well(
    engine: &Engine,
    cluster: &Cluster,
    agent: &str,
) -> Result<(), Failure> {
    let folder = cluster.kubeconfig.parent().ok_or("no folder")?;
    let token = folder.join("token");
    let mode = fs::metadata(&token)?.permissions().mode();
    expect(mode & 0o777 == 0o600, "the token is its owner's alone")?;
    let text = fs::read_to_string(&token)?;
    let secret = text.trim().rsplit(':').next().unwrap_or_default();
    expect(secret.len() == 64, "the secret has 256 bits")?;
    let mut log = String::new();
    for node in [None, Some(agent.to_owned())] {
        let wish = node::LogWish {
            node,
            tail: 10_000,
            follow: false,
        };
        node::logs(engine, &cluster.name, &wish, |line| log.push_str(line)).await?;
    }
    expect(!log.contains(secret), "no log tells the secret")
}

async fn node_ports_answer(cluster: &Cluster) -> Result<(), Failure> {
    let port = cluster.node_ports[&NODE_PORT];
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"GET /kept HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    expect(
        answer.ends_with("kept\n"),
        "the server's NodePort answers for a pod on an agent",
    )
}

async fn metrics_can_be_read(kube: &Kube, agent: &str) -> Result<(), Failure> {
    for (path, expected) in [("stats/summary", "\"memory\""), ("metrics", "kubelet_")] {
        let request =
            Request::new("/api/v1/nodes").get_subresource(&format!("proxy/{path}"), agent)?;
        let text = kube.client().request_text(request).await?;
        expect(
            text.contains(expected),
            &format!("`{path}` of an agent can be read"),
        )?;
    }
    Ok(())
}

/// Looks for the volume's folder in the agent that its pod ran on.
async fn volume_lies_on(
    engine: &Engine,
    name: &ClusterName,
    volume: &str,
    there: bool,
) -> Result<(), Failure> {
    let file = format!("/var/lib/rancher/k3s/storage/{volume}");
    let container = format!("lab-{name}.agent-1");
    let looked = engine
        .run(&container, ExecSpec::new(["test", "-d", &file]))
        .await?;
    expect(
        looked.success() == there,
        "a volume's folder is there as long as the volume",
    )
}

async fn an_agent_comes_back(
    engine: &Engine,
    kube: &Kube,
    cluster: &Cluster,
    agent: &str,
) -> Result<(), Failure> {
    let container = format!("lab-{}.agent-1", cluster.name);
    let before = pod_network(kube, agent).await?;
    let off = Fault::NodeKilled {
        node: agent.to_owned(),
    };
    node::inject(engine, &cluster.name, &off).await?;
    let is_off = engine.container(&container).await?;
    expect(is_off.is_some_and(|it| !it.running), "the node is off")?;
    node::heal(engine, &cluster.name, &off).await?;
    let wish = node::LogWish {
        node: Some(agent.to_owned()),
        tail: 10_000,
        follow: false,
    };
    until("the agent is ready again", async || {
        let mut times = 0;
        node::logs(engine, &cluster.name, &wish, |line| {
            times += usize::from(line == lab_node::READY_LINE);
        })
        .await?;
        Ok((times == 2).then_some(()))
    })
    .await?;
    expect(
        pod_network(kube, agent).await? == before,
        "an agent keeps its pod network",
    )
}

async fn pod_network(kube: &Kube, node: &str) -> Result<Option<String>, Failure> {
    let node = Api::<Node>::all(kube.client()).get(node).await?;
    Ok(node.spec.and_then(|spec| spec.pod_cidr))
}
