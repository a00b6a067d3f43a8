//! Where a stack's endpoints answer on this machine: at published NodePorts, or, on a
//! cluster that lab did not make, through forwards that live as long as they are held.

use std::collections::BTreeMap;

use lab_cluster::Cluster;
use lab_k8s::{
    Kube,
    forward::{Forward, Target},
};
use lab_model::{provider::Provider, stack::Endpoint};
use lab_stack::catalogue::LockedStack;

use crate::error::RunError;

/// Base URLs of a stack's endpoints, good while this is held.
#[derive(Debug)]
pub struct Endpoints {
    urls: BTreeMap<String, String>,
    forwards: Vec<Forward>,
}

impl Endpoints {
    /// Makes the endpoints reachable from this machine.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used, or the system gives no port.
    pub async fn open(cluster: &Cluster, locked: &LockedStack) -> Result<Self, RunError> {
        if cluster.provider != Provider::Existing {
            return Ok(Self {
                urls: published(cluster, locked),
                forwards: Vec::new(),
            });
        }
        let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
        let mut urls = BTreeMap::new();
        let mut forwards = Vec::new();
        for endpoint in endpoints(locked) {
            let forward = Forward::open(kube.clone(), target(locked, endpoint)).await?;
            urls.insert(
                endpoint.name.clone(),
                format!("http://{}", forward.address()),
            );
            forwards.push(forward);
        }
        Ok(Self { urls, forwards })
    }

    /// Base URLs by the endpoints' names.
    pub const fn urls(&self) -> &BTreeMap<String, String> {
        &self.urls
    }

    /// Whether what is sent goes through the API server.
    pub fn are_forwarded(&self) -> bool {
        !self.forwards.is_empty()
    }
}

/// Base URLs of the endpoints that answer as long as the cluster runs.
pub fn published(cluster: &Cluster, locked: &LockedStack) -> BTreeMap<String, String> {
    endpoints(locked)
        .filter_map(|endpoint| {
            let port = cluster.node_ports.get(&endpoint.node_port)?;
            Some((endpoint.name.clone(), format!("http://127.0.0.1:{port}")))
        })
        .collect()
}

/// How a person reaches the endpoints that are not published: a command for each.
pub fn by_hand(cluster: &Cluster, locked: &LockedStack) -> BTreeMap<String, String> {
    if cluster.provider != Provider::Existing {
        return BTreeMap::new();
    }
    let (kubeconfig, namespace) = (cluster.kubeconfig.display(), &locked.stack.namespace);
    endpoints(locked)
        .map(|endpoint| {
            let Endpoint {
                name,
                service,
                port,
                ..
            } = endpoint;
            // The lowest ports are root's.
            let here = if *port < 1024 { port + 8000 } else { *port };
            let command = format!(
                "kubectl --kubeconfig {kubeconfig} -n {namespace} port-forward service/{service} {here}:{port}"
            );
            (name.clone(), command)
        })
        .collect()
}

/// The endpoint of this name, where the stack has it.
pub(crate) fn named<'a>(locked: &'a LockedStack, name: &str) -> Option<&'a Endpoint> {
    endpoints(locked).find(|it| it.name == name)
}

/// The Service behind an endpoint, as forwards know it.
pub(crate) fn target(locked: &LockedStack, endpoint: &Endpoint) -> Target {
    Target {
        namespace: locked.stack.namespace.clone(),
        service: endpoint.service.clone(),
        port: endpoint.port,
    }
}

fn endpoints(locked: &LockedStack) -> impl Iterator<Item = &Endpoint> {
    locked.stack.components.iter().flat_map(|it| &it.endpoints)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lab_stack::Catalogue;

    use super::*;

    fn cluster(provider: Provider) -> Cluster {
        Cluster {
            name: "demo".parse().unwrap(),
            provider,
            kubeconfig: "/k".into(),
            node_ports: BTreeMap::from([(30402, 40001)]),
            version: "v1.20.2".to_owned(),
            nodes: vec!["demo".to_owned()],
        }
    }

    fn lifecycle() -> LockedStack {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        Catalogue::new(fixtures)
            .load("lifecycle", "documented")
            .unwrap()
    }

    #[test]
    fn what_is_published_is_told() {
        let urls = published(&cluster(Provider::Node), &lifecycle());
        let mlflow = ("mlflow".to_owned(), "http://127.0.0.1:40001".to_owned());
        assert_eq!(urls, BTreeMap::from([mlflow]));
        assert!(by_hand(&cluster(Provider::Node), &lifecycle()).is_empty());
    }

    #[test]
    fn what_is_not_published_can_be_forwarded_by_hand() {
        let commands = by_hand(&cluster(Provider::Existing), &lifecycle());
        assert_eq!(
            commands["mlflow"],
            "kubectl --kubeconfig /k -n mlops-platform port-forward service/mlops-platform-mlflow-tracking 8080:80"
        );
        assert!(commands["triton"].ends_with("service/triton 8000:8000"));
    }
}
