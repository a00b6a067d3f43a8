//! Keeps the GPUs offered: follows the device files, and presents itself to the kubelet
//! again whenever that has started anew.

use std::{
    collections::BTreeMap, fs, io, os::unix::fs::MetadataExt, path::PathBuf, time::Duration,
};

use futures::stream;
use lab_k8s::{
    KubeError,
    k8s_openapi::api::node::v1::RuntimeClass,
    kube::{Api, Client},
};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::{
    io::{DuplexStream, duplex},
    net::UnixListener,
    sync::watch,
    task::JoinSet,
    time::sleep,
};
use tonic::transport::{Endpoint, Server};

use super::{
    api::{DevicePluginServer, RegisterRequest, RegistrationClient, VERSION},
    devices, door,
    plugin::{Gpu, Gpus, Plugin},
};
use crate::{addons::apply_one, supervisor::say};

const RESOURCE: &str = "nvidia.com/gpu";
/// The kubelet's own socket, in the folder where it looks for those of its plugins.
const KUBELET: &str = "/var/lib/kubelet/device-plugins/kubelet.sock";
const OWN: &str = "/var/lib/kubelet/device-plugins/lab-gpu.sock";
const OWN_NAME: &str = "lab-gpu.sock";
/// How often device files and the kubelet's socket are looked at. A pod asks for a GPU
/// that went meanwhile in vain, and is told so.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Bytes between a connection and the server, each way.
const BETWEEN: usize = 1 << 14;

/// Why the kubelet does not have the GPUs.
#[derive(Debug, Error)]
enum OfferError {
    #[error(transparent)]
    Class(#[from] KubeError),
    #[error("failed to listen on `{OWN}`")]
    Listen(#[source] io::Error),
    #[error("failed to reach the kubelet on `{KUBELET}`")]
    Reach(#[from] tonic::transport::Error),
    #[error("the kubelet refused: {}", .0.message())]
    Refused(#[from] tonic::Status),
}

/// Offers the GPUs that are here, and those that come, for ever.
pub(crate) async fn offer(client: &Client) {
    let (tell, gpus) = watch::channel(Gpus::new());
    tokio::join!(follow(&tell), keep_offering(client, gpus));
}

/// Looks which device files come and go: that is all that is seen of a GPU that is taken
/// from the node.
async fn follow(tell: &watch::Sender<Gpus>) {
    loop {
        match devices::files() {
            Ok(files) => {
                tell.send_if_modified(|gpus| update(gpus, &files));
            }
            Err(error) => say("gpu", &format!("failed to list the devices: {error}")).await,
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Whether anything has changed. A GPU keeps the name under which pods may have it.
fn update(gpus: &mut Gpus, files: &BTreeMap<u32, PathBuf>) -> bool {
    let before = gpus.clone();
    for gpu in gpus.values_mut() {
        gpu.is_there = files.values().any(|it| *it == gpu.file);
    }
    for (minor, file) in files {
        if gpus.values().all(|it| it.file != *file) {
            let gpu = Gpu {
                file: file.clone(),
                is_there: true,
            };
            gpus.insert(devices::name_of(*minor), gpu);
        }
    }
    *gpus != before
}

async fn keep_offering(client: &Client, mut gpus: watch::Receiver<Gpus>) {
    if gpus.wait_for(|it| !it.is_empty()).await.is_err() {
        return;
    }
    let mut last_trouble = String::new();
    loop {
        let offered = async {
            apply_one::<RuntimeClass>(Api::all(client.clone()), "RuntimeClass", class()).await?;
            offer_once(&gpus).await
        };
        if let Err(error) = offered.await {
            let trouble = error.to_string();
            if trouble != last_trouble {
                say("gpu", &trouble).await;
            }
            last_trouble = trouble;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What pods name that are written for NVIDIA's own runtime. A pod gets its GPU and the
/// driver from the kubelet here, so the ordinary runtime does.
fn class() -> Value {
    json!({
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "nvidia"},
        "handler": "runc",
    })
}

/// Presents itself and answers until the kubelet starts anew, which is when it removes
/// every plugin's socket and makes its own again.
async fn offer_once(gpus: &watch::Receiver<Gpus>) -> Result<(), OfferError> {
    let Some(kubelet) = identity(KUBELET) else {
        return Ok(());
    };
    match fs::remove_file(OWN) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(OfferError::Listen(error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(OWN).map_err(OfferError::Listen)?;
    let own = identity(OWN);
    let plugin = DevicePluginServer::new(Plugin { gpus: gpus.clone() });
    let incoming = stream::unfold(
        (listener, JoinSet::new()),
        |(listener, mut passing)| async {
            let connection = accept(&listener, &mut passing).await;
            Some((connection, (listener, passing)))
        },
    );
    let until_gone = async {
        while identity(KUBELET) == Some(kubelet) && identity(OWN) == own {
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    };
    tokio::select! {
        ended = Server::builder().serve_with_incoming(plugin, Box::pin(incoming)) => Ok(ended?),
        ended = async { register().await?; until_gone.await } => ended,
    }
}

/// The next connection of the kubelet, as the server is to see it.
async fn accept(listener: &UnixListener, passing: &mut JoinSet<()>) -> io::Result<DuplexStream> {
    let (kubelet, _) = listener.accept().await?;
    let (ours, server) = duplex(BETWEEN);
    while passing.try_join_next().is_some() {}
    passing.spawn(async move {
        if let Err(error) = door::pass(kubelet, ours).await {
            say("gpu", &format!("lost the kubelet: {error}")).await;
        }
    });
    Ok(server)
}

async fn register() -> Result<(), OfferError> {
    let channel = Endpoint::from_shared(format!("unix://{KUBELET}"))?
        .connect()
        .await?;
    let request = RegisterRequest {
        version: VERSION.to_owned(),
        endpoint: OWN_NAME.to_owned(),
        resource_name: RESOURCE.to_owned(),
    };
    RegistrationClient::new(channel).register(request).await?;
    say("gpu", &format!("`{RESOURCE}` is offered to the kubelet")).await;
    Ok(())
}

/// Tells a file apart from a later one of its name.
fn identity(path: &str) -> Option<(u64, i64, i64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.ino(), file.ctime(), file.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(minors: &[u32]) -> BTreeMap<u32, PathBuf> {
        let file = |minor: &u32| (*minor, PathBuf::from(format!("/dev/nvidia{minor}")));
        minors.iter().map(file).collect()
    }

    #[test]
    fn a_gpu_that_goes_and_comes_back_is_the_same() {
        let mut gpus = Gpus::new();
        assert!(!update(&mut gpus, &files(&[])));
        assert!(update(&mut gpus, &files(&[0, 1])));
        assert!(!update(&mut gpus, &files(&[0, 1])));
        assert!(update(&mut gpus, &files(&[1])));
        let there: Vec<_> = gpus.values().map(|it| it.is_there).collect();
        assert_eq!(there, [false, true]);
        assert!(update(&mut gpus, &files(&[0, 1])));
        assert!(gpus.values().all(|it| it.is_there));
        assert_eq!(gpus.len(), 2);
    }
}
