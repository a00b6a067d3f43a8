//! Brings a cluster up.

use std::path::Path;

use futures::future::try_join_all;
use lab_engine::{ContainerSpec, Engine, EngineError, Mount, NetworkSpec, Port, Security};
use lab_image::Images;
use lab_k8s::Kube;
use lab_model::event::Emitter;
use tokio_util::sync::CancellationToken;

use super::{
    ImageStore, agents, binary, down, files, kubeconfig, list, names, security, store, watch,
};
use crate::{Cluster, ClusterError, ClusterSpec, Lease, folder::Folder};

const NODE_RECIPE: &str = "node";
/// Modules that the host's kernel can load, for kube-proxy's `modprobe`.
const MODULES: &str = "/lib/modules";

/// Makes a cluster and waits until its nodes are Ready and its DNS answers.
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
    let image = images.reference(NODE_RECIPE)?;
    let container = names::container(&spec.name);
    let (there, taken) = tokio::try_join!(engine.image(&image), engine.container(&container))?;
    if taken.is_some() {
        return Err(ClusterError::NameTaken {
            name: spec.name.to_string(),
        });
    }
    if there.is_none() {
        return Err(ClusterError::NoImage { reference: image });
    }
    let mut making = Making {
        engine,
        lease: claim(engine, spec).await?,
        folder: Folder::of(&spec.name)?,
        image,
        node_ports: spec.node_ports.clone(),
        image_store: spec.image_store.clone(),
    };
    let made = tokio::select! {
        made = making.make(emitter) => made,
        () = cancel.cancelled() => Err(ClusterError::Interrupted),
    };
    if made.is_err() {
        // The first cause is what counts; what cannot be removed stays leased.
        let _ = down(engine, &spec.name).await;
    }
    made
}

/// Writes the lease. One that stands is a cluster being made by another process, or
/// what is left of one whose container is gone.
async fn claim(engine: &Engine, spec: &ClusterSpec) -> Result<Lease, ClusterError> {
    let lease = names::lease(spec);
    let folder = Folder::of(&spec.name)?;
    while let Some(standing) = folder.claim(&lease)? {
        let is_elsewhere = standing.existing.is_some() && !standing.is_over();
        if standing.is_being_made() || is_elsewhere {
            return Err(ClusterError::NameTaken {
                name: spec.name.to_string(),
            });
        }
        crate::down(engine, &spec.name).await?;
    }
    Ok(lease)
}

struct Making<'a> {
    engine: &'a Engine,
    lease: Lease,
    folder: Folder,
    image: String,
    node_ports: Vec<u16>,
    image_store: Option<ImageStore>,
}

impl Making<'_> {
    async fn make(&mut self, emitter: &dyn Emitter) -> Result<Cluster, ClusterError> {
        self.make_surroundings().await?;
        let server = &self.lease.container;
        self.start(server, None).await?;
        tokio::try_join!(
            watch::until_ready(self.engine, server, emitter),
            self.join_agents(emitter),
        )?;
        let name = self.lease.cluster.clone();
        let port = list::api_port(self.engine, &name).await?;
        kubeconfig::keep(self.engine, &name, &self.folder, port).await?;
        let kube = Kube::from_kubeconfig_file(&self.folder.kubeconfig()).await?;
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
            watch::until_ready(self.engine, agent, emitter).await
        });
        try_join_all(joining).await?;
        Ok(())
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
        }
        self.engine.create_container(spec).await?;
        let program = binary::own_program().map_err(ClusterError::OwnProgram)?;
        self.engine
            .upload(container, binary::FOLDER, program)
            .await?;
        if let Some(token) = token {
            let file = files::private(agents::TOKEN_NAME, token).map_err(ClusterError::Token)?;
            self.engine
                .upload(container, agents::TOKEN_FOLDER, file)
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
        let memory = ["/run", "/tmp"].map(|path| Mount::Tmpfs {
            path: path.to_owned(),
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
            cmd: vec!["server".to_owned()],
            labels: names::labels(&self.lease),
            mounts: volumes.chain(store).chain(memory).chain(modules).collect(),
            network: Some(self.lease.network.clone()),
            ..ContainerSpec::default()
        }
    }

    /// Makes an agent of it.
    fn join(&self, spec: &mut ContainerSpec) {
        let server = names::node_of(&self.lease.container);
        let token = format!("{}/{}", agents::TOKEN_FOLDER, agents::TOKEN_NAME);
        spec.cmd = vec!["agent".to_owned()];
        spec.env = [
            ("K3S_URL", format!("https://{server}:{}", names::API_PORT)),
            ("K3S_TOKEN_FILE", token),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    }

    /// Every NodePort answers on every node, so the server's are enough.
    fn published(&self) -> Vec<Port> {
        let ports = self.node_ports.iter().copied();
        std::iter::once(names::API_PORT)
            .chain(ports)
            .map(|container| Port {
                container,
                host: None,
            })
            .collect()
    }
}
