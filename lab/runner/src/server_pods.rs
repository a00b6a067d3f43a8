//! The pods that answer a workload's requests.

use std::{pin::Pin, time::Duration};

use lab_bench::{Usage, Used, workload::Workload};
use lab_cluster::Cluster;
use lab_k8s::{
    Kube,
    forward::{Target, places},
    usage,
};
use lab_stack::catalogue::LockedStack;

use crate::{benchmark::endpoint, error::RunError};

/// The pods behind the endpoint that answers a workload's requests.
pub(crate) struct ServerPods {
    kube: Kube,
    service: Target,
}

impl ServerPods {
    /// # Errors
    /// When the stack has none, or the kubeconfig cannot be used.
    pub(crate) async fn of(
        cluster: &Cluster,
        locked: &LockedStack,
        workload: &Workload,
    ) -> Result<Self, RunError> {
        let endpoint = endpoint(locked, workload)?;
        Ok(Self {
            kube: Kube::from_kubeconfig_file(&cluster.kubeconfig).await?,
            service: Target {
                namespace: locked.stack.namespace.clone(),
                service: endpoint.service.clone(),
                port: endpoint.port,
            },
        })
    }

    /// The Service that leads to them.
    pub(crate) fn service(&self) -> &str {
        &self.service.service
    }

    /// How many of them are ready.
    pub(crate) async fn count(&self) -> Result<usize, RunError> {
        Ok(places(&self.kube, &self.service).await?.len())
    }
}

impl Usage for ServerPods {
    fn read(&self) -> Pin<Box<dyn Future<Output = Option<Used>> + '_>> {
        Box::pin(async {
            let used = usage::of_service(&self.kube, &self.service).await;
            // The figures are worth having without it.
            let used = used.inspect_err(|error| tracing::debug!(%error, "no usage"));
            used.ok()?.map(|used| Used {
                cpu: Duration::from_nanos(used.cpu_nanoseconds),
                memory_bytes: used.memory_bytes,
            })
        })
    }
}
