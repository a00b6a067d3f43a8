//! The order in which a server node comes up and goes down.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, RwLock},
    time::Duration,
};

use lab_k8s::{
    Kube, KubeError,
    k8s_openapi::api::{core::v1::Node, rbac::v1::RoleBinding},
    kube::{Api, Client},
};
use miette::Diagnostic;
use thiserror::Error;
use tokio::{
    net::{TcpStream, UnixStream},
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    addons,
    args::{NodeArgs, Role},
    components::{self, Component},
    dns::{self, DnsError, zone::Zone},
    files,
    host::{self, Host, HostError},
    image_store, layout, once,
    pki::{self, PkiError},
    probe, processes, storage,
    supervisor::{say, supervise},
};

/// How often a socket or an answer is looked for while the node comes up.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Made after every role and every cluster-wide binding.
const LAST_ROLE_BINDING: &str = "system::extension-apiserver-authentication-reader";
/// How long the API server may refuse what every cluster has.
const ADDONS_PATIENCE: Duration = Duration::from_secs(30);

/// A node could not come up.
#[derive(Debug, Error, Diagnostic)]
pub enum NodeError {
    /// Neither `server` nor `agent`.
    #[error("a node is a `server` or an `agent`, not `{word}`")]
    #[diagnostic(code(lab::node::role), help("`lab node server` starts a cluster"))]
    Role {
        /// What was asked for.
        word: String,
    },
    /// Agents are not there yet.
    #[error("a node cannot join another one yet")]
    #[diagnostic(
        code(lab::node::agent),
        help("start the node with `server`; clusters have one node for now")
    )]
    Agent,
    /// The container is not fit.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Host(#[from] HostError),
    /// Certificates could not be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pki(#[from] PkiError),
    /// A configuration file could not be written.
    #[error("failed to write `{path}`")]
    #[diagnostic(code(lab::node::config))]
    Config {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The API server did not take something.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kube(#[from] KubeError),
    /// The node's DNS does not work.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dns(#[from] DnsError),
    /// A program of the node could not be started or ended badly.
    #[error("failed to run `{program}`")]
    #[diagnostic(code(lab::node::program), help("is this the node image?"))]
    Program {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Signals cannot be caught.
    #[error("failed to listen for signals")]
    #[diagnostic(code(lab::node::signal))]
    Signal(#[source] io::Error),
}

/// Runs a node as the words after `lab node` say: `server` or `agent`.
///
/// # Errors
/// As [`serve`], and when the words say neither.
pub async fn run(words: Vec<String>) -> Result<(), NodeError> {
    Box::pin(serve(NodeArgs::parse(&words)?)).await
}

/// Runs a node until SIGTERM or SIGINT, then ends its pods and components.
///
/// # Errors
/// When the container is not fit for a node. A component that ends is started
/// again and is no error.
pub async fn serve(args: NodeArgs) -> Result<(), NodeError> {
    if args.role == Role::Agent || args.url.is_some() {
        return Err(NodeError::Agent);
    }
    let mut terminate = signal(SignalKind::terminate()).map_err(NodeError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(NodeError::Signal)?;
    let mut server = Server::start()?;
    let up = server.come_up();
    let ended = tokio::select! {
        end = up => end,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    if let Err(error) = &ended {
        say("lab", &format!("failed: {}", with_causes(error))).await;
    }
    server.go_down().await;
    ended
}

/// The programs, in groups that end one after the other.
struct Server {
    host: Host,
    started: Instant,
    kubelet: Group,
    controllers: Group,
    api: Group,
    base: Group,
}

/// Supervisors that stop together.
#[derive(Default)]
struct Group {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Group {
    fn start(&mut self, component: Component) {
        self.tasks.spawn(supervise(component, self.stop.clone()));
    }

    async fn end(&mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Server {
    fn start() -> Result<Self, NodeError> {
        let started = Instant::now();
        let host = host::prepare()?;
        let mut base = Group::default();
        for (path, text) in components::files(&host) {
            write(path, &text)?;
        }
        base.start(components::etcd());
        image_store::seed().map_err(|source| NodeError::Config {
            path: layout::CONTAINERD_STATE.to_owned(),
            source,
        })?;
        base.start(components::containerd());
        pki::make(&host)?;
        Ok(Self {
            host,
            started,
            kubelet: Group::default(),
            controllers: Group::default(),
            api: Group::default(),
            base,
        })
    }

    /// Starts what is left, in the order of need, and then serves for ever.
    async fn come_up(&mut self) -> Result<(), NodeError> {
        let upstream = tokio::fs::read_to_string("/etc/resolv.conf")
            .await
            .unwrap_or_default();
        let zone = Arc::new(RwLock::new(Zone::default()));
        let (host, started) = (self.host.clone(), self.started);
        let address = SocketAddr::new(host.address.into(), dns::PORT);
        let answering = dns::serve(address, Arc::clone(&zone), &upstream);
        let (api, controllers) = (&mut self.api, &mut self.controllers);
        let node = &mut self.kubelet;
        let starting = async {
            wait_for_port(2379).await;
            mark(started, "etcd listens").await;
            api.start(components::apiserver(&host));
            let client = wait_for_api().await?;
            mark(started, "kube-apiserver answers").await;
            let kubelet = async {
                // It gives up at once when there is no containerd.
                wait_for_containerd().await;
                node.start(components::kubelet(&host));
            };
            let others = async {
                // Without their roles they give up or wait for seconds.
                wait_for_roles(&client).await;
                for component in [
                    components::controller_manager(),
                    components::scheduler(),
                    components::proxy(&host),
                ] {
                    controllers.start(component);
                }
            };
            let ((), (), applied) = tokio::join!(kubelet, others, apply_addons(&client, &host));
            applied?;
            mark(started, "addons applied").await;
            let becoming_ready = async {
                wait_for_node(&client, &host.name).await;
                mark(started, "node is Ready").await;
                probe::wait_for_dns().await;
                say(
                    "lab",
                    &format!("up after {:.2} s", started.elapsed().as_secs_f32()),
                )
                .await;
                let (component, line) = layout::READY_LINE.split_once(": ").unwrap_or_default();
                say(component, line).await;
            };
            tokio::join!(
                becoming_ready,
                dns::feed(client.clone(), &zone),
                storage::provision(client.clone(), &host),
            );
            Ok::<(), NodeError>(())
        };
        let loading = async {
            wait_for_containerd().await;
            mark(started, "containerd listens").await;
            once::load_pause_image().await?;
            once::masquerade().await
        };
        tokio::try_join!(
            async { answering.await.map_err(NodeError::from) },
            starting,
            loading
        )?;
        Ok(())
    }

    /// Ends pods before what they stand on, so that data bases close properly.
    async fn go_down(&mut self) {
        tokio::join!(self.kubelet.end(), self.controllers.end());
        processes::end_all_but(&[
            "etcd",
            "containerd",
            "containerd-shim-runc-v2",
            "kube-apiserver",
        ])
        .await;
        self.api.end().await;
        self.base.end().await;
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

async fn mark(started: Instant, what: &str) {
    say(
        "lab",
        &format!("{:.2} s: {what}", started.elapsed().as_secs_f32()),
    )
    .await;
}

fn write(path: &Path, text: &str) -> Result<(), NodeError> {
    files::write_public(path, text).map_err(|source| NodeError::Config {
        path: path.display().to_string(),
        source,
    })
}

async fn wait_for_port(port: u16) {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .is_err()
    {
        sleep(LOOK_EVERY).await;
    }
}

async fn wait_for_containerd() {
    while UnixStream::connect(layout::CONTAINERD_SOCKET)
        .await
        .is_err()
    {
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until the API server answers with its version.
async fn wait_for_api() -> Result<Client, NodeError> {
    wait_for_port(6443).await;
    let kube = Kube::from_kubeconfig_file(Path::new(layout::KUBECONFIG)).await?;
    while !matches!(
        timeout(Duration::from_secs(2), kube.version()).await,
        Ok(Ok(_))
    ) {
        sleep(LOOK_EVERY).await;
    }
    Ok(kube.client())
}

/// Waits for the last of the roles that the API server makes when it starts.
async fn wait_for_roles(client: &Client) {
    let bindings = Api::<RoleBinding>::namespaced(client.clone(), "kube-system");
    while !matches!(bindings.get_opt(LAST_ROLE_BINDING).await, Ok(Some(_))) {
        sleep(LOOK_EVERY).await;
    }
}

/// A server that has just begun to answer refuses some writes; they are repeated
/// until it takes them or the last refusal is the error.
async fn apply_addons(client: &Client, host: &Host) -> Result<(), KubeError> {
    let deadline = Instant::now() + ADDONS_PATIENCE;
    loop {
        match addons::apply(client, host).await {
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(error) => tracing::debug!(%error, "addons are not accepted yet"),
            Ok(()) => return Ok(()),
        }
        sleep(LOOK_EVERY * 2).await;
    }
}

/// Waits until the node is Ready and takes pods.
async fn wait_for_node(client: &Client, name: &str) {
    let api = Api::<Node>::all(client.clone());
    loop {
        if let Ok(node) = api.get(name).await
            && takes_pods(&node)
        {
            return;
        }
        sleep(LOOK_EVERY * 2).await;
    }
}

fn takes_pods(node: &Node) -> bool {
    let ready = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let tainted = node
        .spec
        .iter()
        .flat_map(|spec| spec.taints.iter().flatten())
        .any(|taint| taint.effect.starts_with("NoSchedule"));
    ready && !tainted
}
