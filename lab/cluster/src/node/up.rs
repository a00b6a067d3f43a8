//! Brings a cluster up.

use std::path::Path;

use lab_engine::{ContainerSpec, Engine, EngineError, Mount, NetworkSpec, Port, Security};
use lab_image::Images;
use lab_k8s::Kube;
use lab_model::event::Emitter;
use tokio_util::sync::CancellationToken;

use super::{ImageStore, binary, down, kubeconfig, list, names, security, store, watch};
use crate::{Cluster, ClusterError, ClusterSpec, Lease, lease::Folder};

const NODE_RECIPE: &str = "node";
/// Modules that the host's kernel can load, for kube-proxy's `modprobe`.
const MODULES: &str = "/lib/modules";

/// Makes a cluster and waits until its node is Ready and its DNS answers.
///
/// # Errors
/// When the name is taken, the node image is missing, the engine refuses or the
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
        if standing.is_being_made() {
            return Err(ClusterError::NameTaken {
                name: spec.name.to_string(),
            });
        }
        down(engine, &spec.name).await?;
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
        self.start().await?;
        let name = self.lease.cluster.clone();
        watch::until_ready(self.engine, &name, emitter).await?;
        let port = list::api_port(self.engine, &name).await?;
        kubeconfig::keep(self.engine, &name, &self.folder, port).await?;
        let kube = Kube::from_kubeconfig_file(&self.folder.kubeconfig()).await?;
        self.lease.version = Some(kube.version().await?);
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
        tokio::try_join!(futures::future::try_join_all(volumes), network)?;
        Ok(())
    }

    /// Starts the container with as much as the host can give.
    async fn start(&self) -> Result<(), ClusterError> {
        let lacking = security::lacking();
        if !lacking.is_empty() {
            return self.start_with(security::all_but(lacking)).await;
        }
        match self.start_with(security::privileged()).await {
            Err(ClusterError::Engine(EngineError::PrivilegedRefused { .. })) => {
                self.engine.remove_container(&self.lease.container).await?;
                self.start_with(security::all_but(security::assumed_lacking()))
                    .await
            }
            other => other,
        }
    }

    async fn start_with(&self, security: Security) -> Result<(), ClusterError> {
        let container = &self.lease.container;
        self.engine.create_container(self.spec(security)).await?;
        let program = binary::own_program().map_err(ClusterError::OwnProgram)?;
        self.engine
            .upload(container, binary::FOLDER, program)
            .await?;
        self.engine.start_container(container).await?;
        Ok(())
    }

    fn spec(&self, security: Security) -> ContainerSpec {
        let name = &self.lease.cluster;
        let volumes = names::VOLUMES.map(|(part, path)| Mount::Volume {
            name: names::volume(name, part),
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
        let ports = self.node_ports.iter().copied();
        ContainerSpec {
            name: self.lease.container.clone(),
            image: self.image.clone(),
            hostname: Some(name.to_string()),
            cmd: vec!["server".to_owned()],
            labels: names::labels(&self.lease),
            mounts: volumes
                .into_iter()
                .chain(store)
                .chain(memory)
                .chain(modules)
                .collect(),
            ports: std::iter::once(names::API_PORT)
                .chain(ports)
                .map(|container| Port {
                    container,
                    host: None,
                })
                .collect(),
            network: Some(self.lease.network.clone()),
            security,
            ..ContainerSpec::default()
        }
    }
}
