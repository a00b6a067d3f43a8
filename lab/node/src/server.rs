//! The order in which a server comes up and goes down.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::symlink,
    path::Path,
    sync::{Arc, RwLock},
    time::Duration,
};

use lab_k8s::{KubeError, kube::Client};
use lab_model::progress::Step;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

use crate::{
    NodeError, addons,
    args::ServerArgs,
    components,
    dns::{self, zone::Zone},
    files, gpu,
    group::Group,
    host::Host,
    join::{self, Gate, JoinError, Secret, Token},
    layout,
    nodes::{self, Registry},
    pki::{self, Authority},
    waits,
    worker::{self, Worker},
};

/// How long the API server may refuse what every cluster has.
const ADDONS_PATIENCE: Duration = Duration::from_secs(30);

/// A node with the control plane.
pub(crate) struct Server {
    worker: Worker,
    authority: Authority,
    secret: Secret,
    offers_gpus: bool,
    controllers: Group,
    api: Group,
    etcd: Group,
}

impl Server {
    pub(crate) fn start(args: ServerArgs) -> Result<Self, NodeError> {
        let worker = Worker::prepare()?;
        let etcd = Group::default();
        etcd.start(components::etcd());
        worker::set_pod_network(&nodes::server_network())?;
        worker.start_containerd()?;
        let authority = pki::make(&worker.host)?;
        let secret = keep_secret(args.token)?;
        tell_token(&authority, &secret)?;
        Ok(Self {
            worker,
            authority,
            secret,
            offers_gpus: args.offers_gpus,
            controllers: Group::default(),
            api: Group::default(),
            etcd,
        })
    }

    /// Starts what is left, in the order of need, and then serves for ever.
    pub(crate) async fn come_up(&self) -> Result<(), NodeError> {
        let host = &self.worker.host;
        let upstream = tokio::fs::read_to_string("/etc/resolv.conf")
            .await
            .unwrap_or_default();
        let zone = Arc::new(RwLock::new(Zone::default()));
        let address = SocketAddr::new(host.address.into(), dns::PORT);
        let answering = dns::serve(address, Arc::clone(&zone), &upstream);
        let starting = async {
            let client = self.start_api().await?;
            let controllers = self.start_controllers(&client);
            let applied = apply_addons(&client, host);
            let ((), (), applied) = tokio::join!(self.worker.start_kubelet(), controllers, applied);
            applied?;
            self.worker.mark(Step::AddonsApplied).await;
            let offering = async {
                if self.offers_gpus {
                    gpu::offer(&client).await;
                }
                Ok(())
            };
            tokio::try_join!(
                self.worker.serve(),
                self.admit_agents(&client),
                async {
                    dns::feed(client.clone(), &zone).await;
                    Ok(())
                },
                offering
            )
        };
        tokio::try_join!(
            async { answering.await.map_err(NodeError::from) },
            starting,
            self.worker.make_ready_for_pods(),
        )?;
        Ok(())
    }

    async fn start_api(&self) -> Result<Client, NodeError> {
        waits::for_port(2379).await;
        self.worker.mark(Step::EtcdListens).await;
        self.api.start(components::apiserver(&self.worker.host));
        let client = waits::for_api(layout::KUBECONFIG).await?;
        self.worker.mark(Step::ApiServerAnswers).await;
        Ok(client)
    }

    /// Without their roles they give up or wait for seconds.
    async fn start_controllers(&self, client: &Client) {
        waits::for_roles(client).await;
        self.controllers.start(components::controller_manager());
        self.controllers.start(components::scheduler());
        self.worker.start_proxy();
    }

    async fn admit_agents(&self, client: &Client) -> Result<(), NodeError> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, layout::JOIN_PORT))
            .await
            .map_err(JoinError::Listen)?;
        let registry = Registry::new(client.clone());
        let gate = Gate {
            authority: &self.authority,
            secret: &self.secret,
            own_name: &self.worker.host.name,
            register: async |name: &str| registry.register(name).await,
        };
        let pki = Path::new(layout::PKI);
        gate.keep(
            listener,
            &pki.join("apiserver.crt"),
            &pki.join("apiserver.key"),
        )
        .await?;
        Ok(())
    }

    /// Ends pods before what they stand on, so that data bases close properly.
    pub(crate) async fn go_down(&self) {
        tokio::join!(self.worker.end_pods(), self.controllers.end());
        self.api.end().await;
        tokio::join!(self.etcd.end(), self.worker.end());
    }
}

/// The secret the server was given, the one it had, or a new one.
fn keep_secret(token: Option<Token>) -> Result<Secret, NodeError> {
    let path = Path::new(layout::JOIN_SECRET);
    if token.is_none()
        && let Ok(text) = fs::read_to_string(path)
        && let Some(secret) = Secret::from_text(&text)
    {
        return Ok(secret);
    }
    let secret = token.map_or_else(Secret::new, |token| token.secret);
    files::write_private(path, secret.reveal()).map_err(NodeError::file(layout::JOIN_SECRET))?;
    Ok(secret)
}

/// Writes what another node needs to join, whole or not at all.
fn tell_token(authority: &Authority, secret: &Secret) -> Result<(), NodeError> {
    let token = Token {
        authority: Some(join::hash(&authority.certificate)),
        secret: secret.clone(),
    };
    let unfinished = Path::new(layout::TOKEN).with_extension("new");
    files::write_private(&unfinished, &token.to_text())
        .and_then(|()| fs::rename(&unfinished, layout::TOKEN))
        .map_err(NodeError::file(layout::TOKEN))?;
    match symlink(layout::TOKEN, layout::NODE_TOKEN) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(NodeError::file(layout::NODE_TOKEN)(error))
        }
        _ => Ok(()),
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
        sleep(waits::LOOK_EVERY * 2).await;
    }
}
