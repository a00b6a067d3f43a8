//! A Service on 127.0.0.1, where no NodePort of it is published: every connection goes
//! through the API server to a pod that is ready, as `kubectl port-forward` does it.
//!
//! It lives in this process, so that nothing of it is left however the process ends.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use k8s_openapi::{
    api::core::v1::{Pod, Service, ServicePort},
    apimachinery::pkg::util::intstr::IntOrString,
};
use kube::{Api, Resource, ResourceExt, api::ListParams, client::Connection, core::Request};
use miette::Diagnostic;
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use crate::{
    client::{Kube, KubeError},
    evidence::is_ready,
    tunnel,
};

/// Until the process may have files to spare again.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Nothing can be forwarded.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to listen on 127.0.0.1 for Service `{service}`")]
#[diagnostic(
    code(lab::k8s::forward),
    help("the port is the system's choice: is the limit of open files reached (`ulimit -n`)?")
)]
pub struct ForwardError {
    service: String,
    #[source]
    source: std::io::Error,
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The Service's namespace.
    pub namespace: String,
    /// The Service.
    pub service: String,
    /// Its port.
    pub port: u16,
}

/// An address on this machine that leads to a Service. It ends when it is dropped.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    _connections: JoinSet<()>,
}

impl Forward {
    /// Listens. The Service need not be there yet: each connection looks for it, so that
    /// pods may come and go.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn open(kube: Kube, target: Target) -> Result<Self, ForwardError> {
        Self::listen(kube, target, None).await
    }

    /// Listens for one of the Service's pods only.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn open_to(kube: Kube, target: Target, pod: String) -> Result<Self, ForwardError> {
        Self::listen(kube, target, Some(pod)).await
    }

    async fn listen(
        kube: Kube,
        target: Target,
        only: Option<String>,
    ) -> Result<Self, ForwardError> {
        let listening = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            Ok((listener.local_addr()?, listener))
        };
        let (address, listener) = listening.await.map_err(|source| ForwardError {
            service: target.service.clone(),
            source,
        })?;
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, Route { kube, target, only }));
        Ok(Self {
            address,
            _connections: connections,
        })
    }

    /// The address.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Where connections go.
#[derive(Clone)]
struct Route {
    kube: Kube,
    target: Target,
    /// The only pod they may go to, where not all may.
    only: Option<String>,
}

impl Route {
    async fn places(&self) -> Result<Vec<(String, u16)>, KubeError> {
        let mut places = places(&self.kube, &self.target).await?;
        places.retain(|(pod, _)| self.only.as_ref().is_none_or(|only| only == pod));
        Ok(places)
    }
}

async fn accept(listener: TcpListener, route: Route) {
    let mut connections = JoinSet::new();
    let mut turn = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(carry(route.clone(), stream, turn));
                    turn += 1;
                }
                Err(error) => {
                    tracing::debug!(%error, "no connection taken");
                    sleep(ACCEPT_AGAIN_AFTER).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection. Where no pod takes it, it ends: the caller sees what a
/// Service without pods would show.
async fn carry(route: Route, here: TcpStream, turn: usize) {
    let Target {
        namespace, service, ..
    } = &route.target;
    let places = match route.places().await {
        Ok(places) => places,
        Err(error) => {
            tracing::debug!(%error, service, "no pods");
            return;
        }
    };
    let in_turn = places.iter().cycle().skip(turn % places.len().max(1));
    for (pod, port) in in_turn.take(places.len()) {
        match connect(&route.kube, namespace, pod, *port).await {
            Ok(connection) => {
                let _ = here.set_nodelay(true);
                let ended = tunnel::carry(connection.into_stream(), here).await;
                tracing::debug!(?ended, pod, "connection ended");
                return;
            }
            Err(error) => tracing::debug!(%error, pod, "not forwarded"),
        }
    }
    tracing::debug!(service, "no ready pod takes the connection");
}

async fn connect(kube: &Kube, namespace: &str, pod: &str, port: u16) -> kube::Result<Connection> {
    let pods = Request::new(Pod::url_path(&(), Some(namespace)));
    let request = pods.portforward(pod, &[port]);
    let request = request.map_err(kube::Error::BuildRequest)?;
    kube.client().connect(request).await
}

/// The pods that a Service leads to, each with its own port behind the Service's.
///
/// # Errors
/// When the Service is not there, or the API server does not answer.
pub async fn places(kube: &Kube, target: &Target) -> Result<Vec<(String, u16)>, KubeError> {
    let services: Api<Service> = Api::namespaced(kube.client(), &target.namespace);
    let service = services.get(&target.service).await;
    let service = service.map_err(KubeError::doing(format!(
        "read Service `{}`",
        target.service
    )))?;
    let spec = service.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    let wanted = i32::from(target.port);
    let Some(port) = ports.into_iter().find(|it| it.port == wanted) else {
        return Ok(Vec::new());
    };
    let selector: Vec<_> = spec.selector.unwrap_or_default().into_iter().collect();
    let selector: Vec<_> = selector.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let selected = ListParams::default().labels(&selector.join(","));
    let pods: Api<Pod> = Api::namespaced(kube.client(), &target.namespace);
    let pods = pods.list(&selected).await;
    let pods = pods.map_err(KubeError::doing(format!(
        "list the pods of Service `{}`",
        target.service
    )))?;
    let ready = pods.iter().filter(|pod| serves(pod));
    Ok(ready
        .filter_map(|pod| Some((pod.name_any(), port_of(pod, &port)?)))
        .collect())
}

/// Whether a Service would send it anything new.
fn serves(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && is_ready(pod)
}

/// The pod's own port behind a Service's.
fn port_of(pod: &Pod, port: &ServicePort) -> Option<u16> {
    let number = match &port.target_port {
        None => port.port,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(name)) => {
            let spec = pod.spec.as_ref()?;
            let ports = spec.containers.iter().flat_map(|it| &it.ports).flatten();
            let mut named = ports.filter(|it| it.name.as_ref() == Some(name));
            named.next()?.container_port
        }
    };
    number.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "triton-1"},
            "spec": {"containers": [{"name": "triton", "ports": [
                {"name": "http", "containerPort": 8000}, {"name": "grpc", "containerPort": 8001},
            ]}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .unwrap()
    }

    fn port(target: &serde_json::Value) -> ServicePort {
        serde_json::from_value(json!({"port": 80, "targetPort": target})).unwrap()
    }

    #[test]
    fn a_port_of_a_service_is_found_in_the_pod() {
        assert_eq!(port_of(&pod(), &port(&json!("grpc"))), Some(8001));
        assert_eq!(port_of(&pod(), &port(&json!(8002))), Some(8002));
        assert_eq!(port_of(&pod(), &port(&json!(null))), Some(80));
        assert_eq!(port_of(&pod(), &port(&json!("ghost"))), None);
    }

    #[test]
    fn a_pod_that_ends_is_sent_nothing_new() {
        let mut ending = pod();
        assert!(serves(&ending));
        ending.metadata.deletion_timestamp =
            Some(serde_json::from_value(json!("2025-01-01T00:00:00Z")).unwrap());
        assert!(!serves(&ending));
    }
}
