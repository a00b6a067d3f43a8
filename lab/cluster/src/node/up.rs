//! Brings a cluster up.

use std::path::Path;

use futures::future::try_join_all;
use lab_engine::{ContainerSpec, Engine, EngineError, Mount, NetworkSpec, Port, Security};
use lab_image::Images;
use lab_k8s::Kube;
use lab_model::event::Emitter;
use tokio_util::sync::CancellationToken;

use super::{
    ImageStore, agents,
    ask::Asking,
    binary,
    contract::{self, Distribution, Program, Readiness},
    down, files, gpus, image, kubeconfig, list, names, security, store, watch,
};
use crate::{
    Cluster, ClusterError, ClusterSpec, Lease, claim::claim, folder::Folder, gpu, gpu::Given,
    readiness,
};

/// Modules that the host's kernel can load, for kube-proxy's `modprobe`.
const MODULES: &str = "/lib/modules";

/// Makes a cluster and waits until its nodes are Ready, its DNS answers and a pod can be made.
///
/// # Errors
/// When the name is taken, the node image is missing, the engine refuses or a
/// node does not come up. Then, and when `cancel` fires, nothing is left of it.
pub async fn up(
    engine: &Engine,
    images: &Images,
    spec: &ClusterSpec,
    emitter: &dyn Emitter,
    cancel: &CancellationToken,
) -> Result<Cluster, ClusterError> {
    let image = image::reference(images, spec)?;
    let container = names::container(&spec.name);
    let (there, taken) = tokio::try_join!(engine.image(&image), engine.container(&container))?;
    if taken.is_some() {
        return Err(ClusterError::NameTaken {
            name: spec.name.to_string(),
        });
    }
    if there.is_none() {
        return Err(ClusterError::NoImage {
            reference: image,
            recipe: image::recipe(spec.provider),
        });
    }
    let gpus = gpu::decide(engine, spec.gpus, emitter).await?;
    let mut making = Making {
        engine,
        distribution: Distribution::of(spec.provider),
        lease: claim(engine, names::lease(spec)).await?,
        folder: Folder::of(&spec.name)?,
        image,
        node_ports: spec.node_ports.clone(),
        image_store: spec.image_store.clone(),
        gpus,
    };
    let made = tokio::select! {
        made = making.make(emitter) => made,
        () = cancel.cancelled() => Err(ClusterError::Interrupted),
    };
    if made.is_err() {
        engine.settled().await;
        // The first cause is what counts; what cannot be removed stays leased.
        let _ = down(engine, &spec.name).await;
    }
    made
}

struct Making<'a> {
    engine: &'a Engine,
    distribution: &'static Distribution,
    lease: Lease,
    folder: Folder,
    image: String,
    node_ports: Vec<u16>,
    image_store: Option<ImageStore>,
    gpus: Given,
}

impl Making<'_> {
    async fn make(&mut self, emitter: &dyn Emitter) -> Result<Cluster, ClusterError> {
        self.make_surroundings().await?;
        let server = &self.lease.container;
        self.start(server, None).await?;
        tokio::try_join!(self.until_ready(server, emitter), self.join_agents(emitter),)?;
        if self.distribution.program == Program::Theirs && matches!(self.gpus, Given::Some(_)) {
            gpus::offer(self.engine, server).await?;
        }
        let name = self.lease.cluster.clone();
        let port = list::api_port(self.engine, &name).await?;
        kubeconfig::keep(self.engine, &name, &self.folder, port).await?;
        let kube = Kube::from_kubeconfig_file(&self.folder.kubeconfig()).await?;
        kube.takes_pods(readiness::FIRST).await?;
        self.lease.version = Some(kube.version().await?);
        self.lease.renew();
        self.folder.write_lease(&self.lease)?;
        list::open(self.engine, &name).await
    }

    /// Volumes and the network, all at once.
    async fn make_surroundings(&self) -> Result<(), EngineError> {
        let labels = names::labels(&self.lease);
        let volumes = self
            .lease
            .volumes
            .iter()
            .map(|volume| self.engine.create_volume(volume, &labels));
        let network = self.engine.create_network(NetworkSpec {
            name: self.lease.network.clone(),
            labels: labels.clone(),
            internal: false,
        });
        tokio::try_join!(try_join_all(volumes), network)?;
        Ok(())
    }

    /// Starts every agent as soon as there is something to join with.
    async fn join_agents(&self, emitter: &dyn Emitter) -> Result<(), ClusterError> {
        if self.lease.agents.is_empty() {
            return Ok(());
        }
        let token = agents::token(self.engine, &self.lease.container).await;
        self.folder.write_token(&token)?;
        let joining = self.lease.agents.iter().map(async |agent| {
            self.start(agent, Some(&token)).await?;
            self.until_ready(agent, emitter).await
        });
        try_join_all(joining).await?;
        Ok(())
    }

    async fn until_ready(
        &self,
        container: &str,
        emitter: &dyn Emitter,
    ) -> Result<(), ClusterError> {
        match self.distribution.readiness {
            Readiness::Log => watch::until_ready(self.engine, container, emitter).await,
            Readiness::Api => {
                let asking = Asking {
                    engine: self.engine,
                    cluster: &self.lease.cluster,
                    container,
                    emitter,
                };
                asking.until_ready().await
            }
        }
    }

    /// Starts a node with as much as the host can give.
    async fn start(&self, container: &str, token: Option<&str>) -> Result<(), ClusterError> {
        let lacking = security::lacking();
        if !lacking.is_empty() {
            let security = security::all_but(lacking);
            return self.start_with(container, token, security).await;
        }
        match self
            .start_with(container, token, security::privileged())
            .await
        {
            Err(ClusterError::Engine(EngineError::PrivilegedRefused { .. })) => {
                self.engine.remove_container(container).await?;
                let security = security::all_but(security::assumed_lacking());
                self.start_with(container, token, security).await
            }
            other => other,
        }
    }

    async fn start_with(
        &self,
        container: &str,
        token: Option<&str>,
        security: Security,
    ) -> Result<(), ClusterError> {
        let mut spec = self.spec(container);
        spec.security = security;
        if token.is_some() {
            self.join(&mut spec);
        } else {
            spec.ports = self.published();
            // A GPU in two nodes would be counted twice.
            gpus::give(&self.gpus, &mut spec);
        }
        self.engine.create_container(spec).await?;
        if self.distribution.program == Program::Ours {
            binary::put(self.engine, container, binary::FOLDER).await?;
        }
        if let Some(token) = token {
            let file = files::private(contract::TOKEN_NAME, token).map_err(ClusterError::Token)?;
            self.engine
                .upload(container, contract::TOKEN_FOLDER, file)
                .await?;
        }
        self.engine.start_container(container).await?;
        Ok(())
    }

    /// A server that runs pods.
    fn spec(&self, container: &str) -> ContainerSpec {
        let volumes = names::volumes(container).map(|(name, path)| Mount::Volume {
            name,
            path: path.to_owned(),
        });
        let store = self.image_store.iter().map(|store| Mount::Volume {
            name: store.volume.clone(),
            path: store::FOLDER.to_owned(),
        });
        let memory = self.distribution.memory.iter().map(|path| Mount::Tmpfs {
            path: (*path).to_owned(),
            options: "exec,mode=1777".to_owned(),
        });
        // Some hosts, virtual machines above all, have none.
        let modules = Path::new(MODULES).is_dir().then(|| Mount::Bind {
            source: MODULES.to_owned(),
            path: MODULES.to_owned(),
            read_only: true,
        });
        ContainerSpec {
            name: container.to_owned(),
            image: self.image.clone(),
            hostname: Some(names::node_of(container)),
            cmd: words(self.distribution.server),
            labels: names::labels(&self.lease),
            mounts: volumes.chain(store).chain(memory).chain(modules).collect(),
            network: Some(self.lease.network.clone()),
            ..ContainerSpec::default()
        }
    }

    /// Makes an agent of it.
    fn join(&self, spec: &mut ContainerSpec) {
        let server = names::node_of(&self.lease.container);
        let token = format!("{}/{}", contract::TOKEN_FOLDER, contract::TOKEN_NAME);
        spec.cmd = words(self.distribution.agent);
        spec.env = [
            (
                contract::URL,
                format!("https://{server}:{}", contract::API_PORT),
            ),
            (contract::TOKEN_FILE, token),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    }

    /// Every NodePort answers on every node, so the server's are enough.
    fn published(&self) -> Vec<Port> {
        let ports = self.node_ports.iter().copied();
        std::iter::once(contract::API_PORT)
            .chain(ports)
            .map(|container| Port {
                container,
                host: None,
            })
            .collect()
    }
}

fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|word| (*word).to_owned()).collect()
}
