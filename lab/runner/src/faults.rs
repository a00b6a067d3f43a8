//! Faults for scenarios, made by the cluster's provider.

use futures::{FutureExt as _, future::BoxFuture};
use lab_cluster::{Cluster, node};
use lab_engine::Engine;
use lab_model::{fault::Fault, name::ClusterName};
use lab_scenarios::{Failure, Faults};

use crate::workbench::Workbench;

/// Faults in one cluster.
pub(crate) struct ClusterFaults {
    engine: Engine,
    cluster: ClusterName,
}

impl ClusterFaults {
    pub(crate) fn new(workbench: &Workbench, cluster: &Cluster) -> Self {
        Self {
            engine: workbench.engine.clone(),
            cluster: cluster.name.clone(),
        }
    }
}

impl Faults for ClusterFaults {
    fn inject(&self, fault: Fault) -> BoxFuture<'_, Result<(), Failure>> {
        async move {
            let made = node::inject(&self.engine, &self.cluster, &fault).await;
            made.map_err(|error| Failure::new(error.to_string()))
        }
        .boxed()
    }

    fn heal(&self, fault: Fault) -> BoxFuture<'_, Result<(), Failure>> {
        async move {
            let healed = node::heal(&self.engine, &self.cluster, &fault).await;
            healed.map_err(|error| Failure::new(error.to_string()))
        }
        .boxed()
    }
}
