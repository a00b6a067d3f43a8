//! The pods that answer a workload's requests.

use std::{pin::Pin, time::Duration};

use lab_bench::{Behind, Server, Used, workload::Workload};
use lab_cluster::Cluster;
use lab_k8s::{
    Kube,
    forward::{Forward, Target, places},
    replicas::Replicas,
    usage,
};
use lab_stack::catalogue::LockedStack;

use crate::{
    benchmark::{REPOSITORY, endpoint, endpoint_named},
    endpoints::target,
    error::RunError,
};

/// The pods behind the endpoint that answers a workload's requests.
pub(crate) struct ServerPods {
    kube: Kube,
    service: Target,
    /// Where the servers tell of themselves and let their models be set up.
    management: Target,
    each: Each,
}

/// Each of the pods by itself, where there are several.
#[derive(Default)]
struct Each {
    servers: Vec<Server>,
    /// What leads there, as long as it is held.
    _forwards: Vec<Forward>,
}

impl ServerPods {
    /// Finds them.
    ///
    /// # Errors
    /// When the stack has none, or the API server cannot be asked.
    pub(crate) async fn of(
        cluster: &Cluster,
        locked: &LockedStack,
        workload: &Workload,
    ) -> Result<Self, RunError> {
        let mut pods = Self {
            kube: Kube::from_kubeconfig_file(&cluster.kubeconfig).await?,
            service: target(locked, endpoint(locked, workload)?),
            management: target(locked, endpoint_named(locked, REPOSITORY)?),
            each: Each::default(),
        };
        pods.find().await?;
        Ok(pods)
    }

    /// Finds those that are ready now. A Service's address leads to any of them; each is
    /// reached by itself through a forward.
    ///
    /// # Errors
    /// When the API server cannot be asked, or the system gives no port.
    pub(crate) async fn find(&mut self) -> Result<(), RunError> {
        let places = places(&self.kube, &self.management).await?;
        let mut forwards = Vec::new();
        for (pod, _) in places.iter().filter(|_| places.len() > 1) {
            let target = self.management.clone();
            forwards.push(Forward::open_to(self.kube.clone(), target, pod.clone()).await?);
        }
        let server = |forward: &Forward| format!("http://{}", forward.address()).into();
        self.each = Each {
            servers: forwards.iter().map(server).collect(),
            _forwards: forwards,
        };
        Ok(())
    }

    /// What owns them; none where that is no Deployment.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub(crate) async fn replicas(&self) -> Result<Option<Replicas>, RunError> {
        Ok(Replicas::behind(&self.kube, &self.service).await?)
    }

    /// The Kubernetes API.
    pub(crate) const fn kube(&self) -> &Kube {
        &self.kube
    }

    /// The Service that leads to them.
    pub(crate) const fn service(&self) -> &Target {
        &self.service
    }
}

impl Behind for ServerPods {
    fn used(&self) -> Pin<Box<dyn Future<Output = Option<Used>> + '_>> {
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

    fn servers(&self) -> &[Server] {
        &self.each.servers
    }
}
