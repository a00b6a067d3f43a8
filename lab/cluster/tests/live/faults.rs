//! Every fault: made and seen, undone and seen gone; undone after its maker was killed; gone
//! with its cluster.

use std::{
    net::Ipv4Addr,
    process::{Command, Stdio},
    time::Duration,
};

use lab_cluster::{Cluster, ClusterError, ClusterSpec, node};
use lab_engine::{Engine, ExecSpec};
use lab_k8s::{
    Kube,
    k8s_openapi::api::core::v1::Node,
    kube::{Api, core::Request},
};
use lab_model::{event::Silent, fault::Fault, name::ClusterName};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Bench, expect, name, nothing_is_left, pods::until};

type Failure = Box<dyn std::error::Error>;

/// The word that makes this program the maker of faults.
pub(super) const MAKER: &str = "make-faults";
/// A kubelet that can be asked answers at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Bytes that are sent over a throttled network, and how fast they may go.
const SENT: u32 = 1 << 16;
const KILOBITS: u32 = 256;

pub(super) async fn live(bench: &Bench) -> Result<(), Failure> {
    let name = name("faults")?;
    let used = use_cluster(bench, &name).await;
    // A node that stands still is in nobody's way.
    let agent = format!("{name}-agent-1");
    let paused = node::inject(&bench.engine, &name, &Fault::NodePaused { node: agent }).await;
    node::down(&bench.engine, &name).await?;
    used?;
    paused?;
    nothing_is_left(&bench.engine, &name).await
}

/// Makes faults, says so, and waits to be killed.
pub(super) async fn make(words: &[String]) -> Result<(), Failure> {
    let [cluster, faults] = words else {
        return Err("a cluster and faults".into());
    };
    let cluster = cluster.parse()?;
    let engine = Engine::connect().await?;
    for fault in serde_json::from_str::<Vec<Fault>>(faults)? {
        node::inject(&engine, &cluster, &fault).await?;
    }
    println!("made");
    std::future::pending().await
}

async fn use_cluster(bench: &Bench, name: &ClusterName) -> Result<(), Failure> {
    let spec = ClusterSpec {
        nodes: 2,
        ..ClusterSpec::new(name.clone())
    };
    let cancel = CancellationToken::new();
    let cluster = node::up(&bench.engine, &bench.images, &spec, &Silent, &cancel).await?;
    let seen = Seen {
        engine: &bench.engine,
        kube: Kube::from_kubeconfig_file(&cluster.kubeconfig).await?,
        listener: TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?,
        cluster: &cluster,
    };
    for fault in seen.faults() {
        seen.comes_and_goes(&fault).await?;
    }
    seen.what_the_kernel_cannot_is_told().await?;
    seen.a_wrong_node_is_refused().await?;
    seen.a_killed_maker_leaves_nothing().await
}

/// A cluster, and eyes for each fault in it.
struct Seen<'a> {
    engine: &'a Engine,
    kube: Kube,
    cluster: &'a Cluster,
    /// Something that is no part of the cluster: this test, on this machine.
    listener: TcpListener,
}

impl Seen<'_> {
    fn faults(&self) -> Vec<Fault> {
        let node = || self.agent().to_owned();
        // Some need the API server, and all a node that goes on.
        vec![
            Fault::NodeCordoned { node: node() },
            Fault::NetworkCut {
                node: node(),
                from: self.cluster.name.to_string(),
            },
            Fault::NetworkThrottled {
                node: node(),
                kilobits_per_second: KILOBITS,
            },
            Fault::RegistriesCut { node: node() },
            Fault::DiskPressure { node: node() },
            Fault::ApiServerStopped,
            Fault::NodePaused { node: node() },
            Fault::NodeKilled { node: node() },
        ]
    }

    fn agent(&self) -> &str {
        &self.cluster.nodes[1]
    }

    async fn comes_and_goes(&self, fault: &Fault) -> Result<(), Failure> {
        let name = &self.cluster.name;
        expect(
            !self.is_seen(fault).await?,
            &format!("not yet that {fault}"),
        )?;
        node::inject(self.engine, name, fault).await?;
        let start = Instant::now();
        until(&fault.to_string(), async || {
            Ok(self.is_seen(fault).await?.then_some(()))
        })
        .await?;
        println!("{fault}: seen after {:.1} s", start.elapsed().as_secs_f32());
        let again = node::inject(self.engine, name, fault).await;
        expect(
            matches!(again, Err(ClusterError::FaultStands { .. })),
            "a fault is not made twice",
        )?;
        expect(
            self.is_seen(fault).await?,
            "a second maker is in nobody's way",
        )?;
        node::heal(self.engine, name, fault).await?;
        self.is_gone(fault).await?;
        expect(node::faults(name)?.is_empty(), "the lease names no fault")?;
        node::heal(self.engine, name, fault).await?;
        Ok(())
    }

    async fn is_gone(&self, fault: &Fault) -> Result<(), Failure> {
        let start = Instant::now();
        until(&format!("no more that {fault}"), async || {
            Ok((!self.is_seen(fault).await?).then_some(()))
        })
        .await?;
        println!("{fault}: gone after {:.1} s", start.elapsed().as_secs_f32());
        Ok(())
    }

    async fn is_seen(&self, fault: &Fault) -> Result<bool, Failure> {
        match fault {
            Fault::ApiServerStopped => {
                Ok(timeout(ANSWER_WITHIN, self.kube.version()).await.is_err())
            }
            Fault::NodePaused { .. } | Fault::NodeKilled { .. } | Fault::NetworkCut { .. } => {
                Ok(self.ask_kubelet("healthz").await.is_none())
            }
            Fault::NodeCordoned { node } => {
                let spec = self.node(node).await?.spec.unwrap_or_default();
                Ok(spec.unschedulable.unwrap_or_default())
            }
            Fault::NetworkThrottled { .. } => self.is_throttled().await,
            Fault::NetworkSlowed { .. } => Err("seen elsewhere".into()),
            Fault::DiskPressure { node } => self.is_under_disk_pressure(node).await,
            Fault::RegistriesCut { .. } => self.is_cut_off().await,
        }
    }

    /// Whether what an agent sends takes the time that its bits need.
    async fn is_throttled(&self) -> Result<bool, Failure> {
        let script = format!("head -c {SENT} /dev/zero >/dev/tcp/{}", self.outside()?);
        let container = format!("lab-{}.agent-1", self.cluster.name);
        let sending = ExecSpec::new(["bash", "-c", &script]);
        let start = Instant::now();
        let (sent, received) = tokio::join!(
            self.engine.run(&container, sending),
            timeout(Duration::from_secs(30), self.receive()),
        );
        expect(sent?.success(), "an agent can send")?;
        received??;
        Ok(start.elapsed() > Duration::from_millis(u64::from(SENT * 8 / KILOBITS / 2)))
    }

    /// Takes what is sent; connections that were only tried bring nothing.
    async fn receive(&self) -> Result<(), Failure> {
        let mut received = Vec::new();
        while received.len() < SENT as usize {
            received.clear();
            let (mut stream, _) = self.listener.accept().await?;
            stream.read_to_end(&mut received).await?;
        }
        Ok(())
    }

    /// Where an agent reaches this test, as bash has it.
    fn outside(&self) -> Result<String, Failure> {
        let port = self.listener.local_addr()?.port();
        Ok(format!("$(ip route show default | cut -d' ' -f3)/{port}"))
    }

    /// Whether Kubernetes says so of a node, and places no pod on it.
    async fn is_under_disk_pressure(&self, node: &str) -> Result<bool, Failure> {
        let node = self.node(node).await?;
        let status = node.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let says_so = conditions
            .iter()
            .any(|it| it.type_ == "DiskPressure" && it.status == "True");
        let taints = node.spec.and_then(|it| it.taints).unwrap_or_default();
        let is_tainted = taints
            .iter()
            .any(|it| it.key == "node.kubernetes.io/disk-pressure");
        Ok(says_so && is_tainted)
    }

    /// Whether an agent reaches its server, but nothing outside.
    async fn is_cut_off(&self) -> Result<bool, Failure> {
        let server = self.cluster.name.as_str();
        expect(
            self.connects(&format!("{server}/6443")).await?,
            "an agent reaches its server",
        )?;
        Ok(!self.connects(&self.outside()?).await?)
    }

    async fn connects(&self, to: &str) -> Result<bool, Failure> {
        let script = format!("timeout 2 bash -c \"</dev/tcp/{to}\"");
        let container = format!("lab-{}.agent-1", self.cluster.name);
        let ask = ExecSpec::new(["bash", "-c", &script]);
        Ok(self.engine.run(&container, ask).await?.success())
    }

    async fn node(&self, name: &str) -> Result<Node, Failure> {
        Ok(Api::all(self.kube.client()).get(name).await?)
    }

    /// What the agent's kubelet answers through the API server.
    async fn ask_kubelet(&self, path: &str) -> Option<String> {
        let request = Request::new("/api/v1/nodes")
            .get_subresource(&format!("proxy/{path}"), self.agent())
            .ok()?;
        let client = self.kube.client();
        let asked = timeout(ANSWER_WITHIN, client.request_text(request)).await;
        asked.ok()?.ok()
    }

    /// Where the kernel can delay, a kubelet answers late; where not, that is told, and
    /// nothing of the fault is left.
    async fn what_the_kernel_cannot_is_told(&self) -> Result<(), Failure> {
        let slow = Fault::NetworkSlowed {
            node: self.agent().to_owned(),
            delay_millis: 300,
        };
        let name = &self.cluster.name;
        let lacking = node::lacking_for_faults(self.engine, self.cluster).await?;
        let made = node::inject(self.engine, name, &slow).await;
        let Some(reason) = lacking.get("netem") else {
            made?;
            let start = Instant::now();
            expect(self.ask_kubelet("healthz").await.is_some(), "it answers")?;
            let took = start.elapsed();
            node::heal(self.engine, name, &slow).await?;
            return expect(took >= Duration::from_millis(300), "it answers late");
        };
        println!("not run that {slow}: {reason}");
        expect(
            matches!(made, Err(ClusterError::FaultImpossible { .. })),
            "what the kernel cannot do is told",
        )?;
        expect(node::faults(name)?.is_empty(), "the lease names no fault")
    }

    async fn a_wrong_node_is_refused(&self) -> Result<(), Failure> {
        let wrong = Fault::NodeKilled {
            node: "no-such-node".to_owned(),
        };
        let made = node::inject(self.engine, &self.cluster.name, &wrong).await;
        expect(
            matches!(made, Err(ClusterError::UnknownNode { .. })),
            "a node that is not there is refused",
        )?;
        expect(self.ask_kubelet("healthz").await.is_some(), "all nodes run")
    }

    /// Nobody is left who would undo them but the next `lab`.
    async fn a_killed_maker_leaves_nothing(&self) -> Result<(), Failure> {
        let [.., paused, killed] = &self.faults()[..] else {
            return Err("no faults".into());
        };
        for excluded in [paused, killed] {
            let mut faults = self.faults();
            faults.retain(|fault| fault != excluded);
            self.make_and_be_killed(&faults)?;
            let made = node::faults(&self.cluster.name)?;
            expect(made == faults, "the lease names every fault")?;
            let healed = node::heal_dead(self.engine).await?;
            expect(healed.len() == faults.len(), "every fault is undone")?;
            for fault in &faults {
                self.is_gone(fault).await?;
            }
            expect(
                node::faults(&self.cluster.name)?.is_empty(),
                "the lease names no fault",
            )?;
        }
        Ok(())
    }

    fn make_and_be_killed(&self, faults: &[Fault]) -> Result<(), Failure> {
        let mut maker = Command::new(std::env::current_exe()?)
            .arg(MAKER)
            .arg(self.cluster.name.as_str())
            .arg(serde_json::to_string(faults)?)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = maker.stdout.take().ok_or("no output")?;
        let mut first = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut first)?;
        maker.kill()?;
        maker.wait()?;
        expect(first == "made\n", "the maker made them")
    }
}
