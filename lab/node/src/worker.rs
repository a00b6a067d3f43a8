//! What every node does, server or agent: containerd, the kubelet, kube-proxy,
//! routes to the other nodes, volumes.

use std::{path::Path, time::SystemTime};

use lab_model::progress::Step;
use tokio::time::Instant;

use crate::{
    NodeError, components, files,
    group::Group,
    host::{self, Host},
    image_store, layout, once, probe, processes, routes, storage,
    supervisor::say,
    waits,
};

/// Programs that pods stand on; they end after the pods.
const BELOW_PODS: [&str; 4] = [
    "etcd",
    "containerd",
    "containerd-shim-runc-v2",
    "kube-apiserver",
];

/// The part of a node that runs pods.
pub(crate) struct Worker {
    pub(crate) host: Host,
    started: Instant,
    since: SystemTime,
    containerd: Group,
    kubelet: Group,
    proxy: Group,
}

impl Worker {
    /// Makes the container fit for a node.
    pub(crate) fn prepare() -> Result<Self, NodeError> {
        let started = Instant::now();
        let host = host::prepare()?;
        for (path, text) in components::files() {
            write(path, &text)?;
        }
        Ok(Self {
            host,
            started,
            since: SystemTime::now(),
            containerd: Group::default(),
            kubelet: Group::default(),
            proxy: Group::default(),
        })
    }

    /// Starts containerd, with the images of a store if there is one.
    pub(crate) fn start_containerd(&self) -> Result<(), NodeError> {
        image_store::seed().map_err(NodeError::file(layout::CONTAINERD_STATE))?;
        self.containerd.start(components::containerd());
        Ok(())
    }

    /// What pods need besides the kubelet, as soon as there is a containerd.
    pub(crate) async fn make_ready_for_pods(&self) -> Result<(), NodeError> {
        waits::for_containerd().await;
        self.mark(Step::ContainerdListens).await;
        once::load_pause_image().await?;
        once::masquerade().await
    }

    /// Starts the kubelet once there is a containerd; without one it gives up.
    pub(crate) async fn start_kubelet(&self) {
        waits::for_containerd().await;
        self.kubelet.start(components::kubelet(&self.host));
    }

    pub(crate) fn start_proxy(&self) {
        self.proxy.start(components::proxy(&self.host));
    }

    /// Serves this node for ever, and says when it is ready.
    pub(crate) async fn serve(&self) -> Result<(), NodeError> {
        let name = &self.host.name;
        let client = waits::for_api(layout::NODE_KUBECONFIG).await?;
        waits::for_own_node(&client, name).await;
        let becoming_ready = async {
            waits::for_ready_node(&client, name, self.since).await;
            self.mark(Step::NodeReady).await;
            probe::wait_for_dns().await;
            let seconds = self.started.elapsed().as_secs_f32();
            say("lab", &format!("up after {seconds:.2} s")).await;
            let (component, line) = layout::READY_LINE.split_once(": ").unwrap_or_default();
            say(component, line).await;
        };
        tokio::join!(
            becoming_ready,
            routes::follow(&client, name),
            storage::provision(&client, name),
        );
        Ok(())
    }

    /// Says how far the node is.
    pub(crate) async fn mark(&self, step: Step) {
        let seconds = self.started.elapsed().as_secs_f32();
        say("lab", &format!("{seconds:.2} s: {step}")).await;
    }

    /// Ends pods before what they stand on, so that data bases close properly.
    pub(crate) async fn end_pods(&self) {
        tokio::join!(self.kubelet.end(), self.proxy.end());
        processes::end_all_but(&BELOW_PODS).await;
    }

    /// Ends what is left.
    pub(crate) async fn end(&self) {
        self.containerd.end().await;
    }
}

/// Gives the node addresses for its pods.
pub(crate) fn set_pod_network(network: &str) -> Result<(), NodeError> {
    let config = components::cni_config(network);
    write(Path::new(layout::CNI_CONFIG), &config)
}

fn write(path: &Path, text: &str) -> Result<(), NodeError> {
    files::write_public(path, text).map_err(NodeError::file(&path.display().to_string()))
}
