//! GPUs as far as they go without one: the node has a device file with NVIDIA's number,
//! behind which nothing is, and a library that is none. All else is real: the kubelet, the
//! scheduler, the pods that hold the device, wait for it, and lose it.

use std::collections::BTreeMap;

use lab_cluster::{Cluster, ClusterSpec, node};
use lab_engine::{Engine, ExecSpec};
use lab_k8s::{
    Kube,
    k8s_openapi::api::core::v1::{Node, Pod},
    kube::{
        Api,
        api::{DeleteParams, LogParams, PostParams},
    },
};
use lab_model::event::Silent;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Bench, expect, name, nothing_is_left, pods::until};

type Failure = Box<dyn std::error::Error>;

const RESOURCE: &str = "nvidia.com/gpu";
/// The number that Linux has for NVIDIA's device files, the GPUs' from 0 upwards.
const MAKE_GPU: &str = "mknod /dev/nvidia0 c 195 0";
const MAKE_REST: &str = "mknod /dev/nvidiactl c 195 255
    cd /usr/lib/x86_64-linux-gnu
    touch libcuda.so.1.2.3 && ln -s libcuda.so.1.2.3 libcuda.so.1
    echo no library > /run/library && mount --bind /run/library libcuda.so.1.2.3";
/// What a pod with a GPU sees: the numbers of its device files, in hexadecimal, and a
/// file of the driver by the name that programs ask for.
const LOOK: &str = "stat -c '%n %t:%T' /dev/nvidia0 /dev/nvidiactl
    cat /usr/lib/x86_64-linux-gnu/libcuda.so.1
    exec sleep 600";
const SEEN: &str = "/dev/nvidia0 c3:0\n/dev/nvidiactl c3:ff\nno library\n";

/// Whether this machine's own GPUs would be among those of the test.
pub(super) fn are_here() -> bool {
    lab_cluster::gpu::Host::look().has_card
}

pub(super) async fn live(bench: &Bench) -> Result<(), Failure> {
    let spec = ClusterSpec::new(name("gpus")?);
    let used = use_cluster(bench, &spec).await;
    lab_cluster::down(&bench.engine, &spec.name).await?;
    used?;
    nothing_is_left(&bench.engine, &spec.name).await
}

async fn use_cluster(bench: &Bench, spec: &ClusterSpec) -> Result<(), Failure> {
    let Bench { engine, images } = bench;
    let cancel = CancellationToken::new();
    let cluster = lab_cluster::up(engine, images, spec, &Silent, &cancel).await?;
    node::load_images(engine, &cluster, images.save(&["python"])?, &Silent).await?;
    let image = images.cluster_reference("python")?;
    let gpus = Gpus::of(engine, &cluster, image).await?;

    expect(gpus.counted().await?.is_none(), "no GPU is told of")?;
    gpus.in_node(MAKE_REST).await?;
    gpus.in_node(MAKE_GPU).await?;
    gpus.until_counted("1", "1").await?;
    gpus.ask("one").await?;
    gpus.until_seen("one").await?;
    gpus.ask("two").await?;
    gpus.until_it_waits("two").await?;

    gpus.in_node("rm /dev/nvidia0").await?;
    gpus.until_counted("1", "0").await?;
    gpus.in_node(MAKE_GPU).await?;
    gpus.until_counted("1", "1").await?;

    gpus.in_node("kill -9 $(pidof kubelet)").await?;
    gpus.until_offered_again().await?;
    gpus.remove("one").await?;
    gpus.until_seen("two").await
}

/// The GPUs of a cluster of one node.
pub(super) struct Gpus<'a> {
    engine: &'a Engine,
    container: String,
    nodes: Api<Node>,
    pods: Api<Pod>,
    image: String,
    node: String,
}

impl<'a> Gpus<'a> {
    async fn of(engine: &'a Engine, cluster: &Cluster, image: String) -> Result<Self, Failure> {
        let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
        Ok(Self {
            engine,
            container: format!("lab-{}", cluster.name),
            nodes: Api::all(kube.client()),
            pods: Api::default_namespaced(kube.client()),
            image,
            node: cluster.nodes.first().cloned().unwrap_or_default(),
        })
    }

    async fn in_node(&self, script: &str) -> Result<String, Failure> {
        let script = format!("set -e; {script}");
        let spec = ExecSpec::new(["sh", "-c", &script]);
        let ran = self.engine.run(&self.container, spec).await?;
        expect(ran.success(), &format!("{script}: {}", ran.stderr))?;
        Ok(ran.stdout)
    }

    /// How many GPUs the node has, and how many of them pods may have.
    async fn counted(&self) -> Result<Option<(String, String)>, Failure> {
        let status = self.nodes.get(&self.node).await?.status.unwrap_or_default();
        let count = |of: Option<BTreeMap<_, _>>| {
            let quantity: lab_k8s::k8s_openapi::apimachinery::pkg::api::resource::Quantity =
                of?.remove(RESOURCE)?;
            Some(quantity.0)
        };
        Ok(count(status.capacity).zip(count(status.allocatable)))
    }

    async fn until_counted(&self, there: &str, to_have: &str) -> Result<(), Failure> {
        let wanted = Some((there.to_owned(), to_have.to_owned()));
        until(
            &format!("{to_have} of {there} GPUs may be had"),
            async || Ok((self.counted().await? == wanted).then_some(())),
        )
        .await
    }

    /// By a plugin that has seen that the kubelet is another.
    async fn until_offered_again(&self) -> Result<(), Failure> {
        let wish = node::LogWish {
            node: None,
            tail: 500,
            follow: false,
        };
        let cluster = self.container.trim_start_matches("lab-").parse()?;
        until("the GPUs are offered again", async || {
            let mut offers = 0;
            let count = |line: &str| offers += usize::from(line.contains("is offered"));
            node::logs(self.engine, &cluster, &wish, count).await?;
            Ok((offers == 2).then_some(()))
        })
        .await?;
        self.until_counted("1", "1").await
    }

    /// Makes a pod that wants a GPU, as pods are written for NVIDIA's own runtime.
    async fn ask(&self, name: &str) -> Result<(), Failure> {
        let pod = serde_json::from_value(json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "runtimeClassName": "nvidia",
                "containers": [{
                    "name": name,
                    "image": self.image,
                    "imagePullPolicy": "Never",
                    "command": ["sh", "-c", LOOK],
                    "resources": {"limits": {RESOURCE: "1"}},
                }],
            },
        }))?;
        self.pods.create(&PostParams::default(), &pod).await?;
        Ok(())
    }

    async fn until_seen(&self, pod: &str) -> Result<(), Failure> {
        until(&format!("pod {pod} has its GPU"), async || {
            let said = self.pods.logs(pod, &LogParams::default()).await;
            let said = said.unwrap_or_default();
            Ok((said == SEEN).then_some(()))
        })
        .await
    }

    async fn until_it_waits(&self, pod: &str) -> Result<(), Failure> {
        until(&format!("pod {pod} waits for a GPU"), async || {
            let status = self.pods.get(pod).await?.status.unwrap_or_default();
            let conditions = status.conditions.unwrap_or_default();
            let mut told = conditions.iter().filter_map(|it| it.message.as_deref());
            let insufficient = format!("Insufficient {RESOURCE}");
            Ok(told.any(|it| it.contains(&insufficient)).then_some(()))
        })
        .await
    }

    async fn remove(&self, pod: &str) -> Result<(), Failure> {
        let now = DeleteParams::default().grace_period(0);
        self.pods.delete(pod, &now).await?;
        Ok(())
    }
}

/// The same on a node of k3s's contract, whose first process knows nothing of GPUs: they
/// are offered by this program beside it.
pub(super) async fn of_k3s(
    engine: &Engine,
    cluster: &Cluster,
    image: String,
) -> Result<(), Failure> {
    let gpus = Gpus::of(engine, cluster, image).await?;
    gpus.in_node(MAKE_REST).await?;
    gpus.in_node(MAKE_GPU).await?;
    node::offer_gpus(engine, &gpus.container).await?;
    gpus.until_counted("1", "1").await?;
    gpus.ask("one").await?;
    gpus.until_seen("one").await?;
    gpus.remove("one").await
}
