//! Where the services under test are.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use futures::future::BoxFuture;
use lab_model::{fault::Fault, hindrance::Hindrance};
use reqwest::Url;

use crate::Failure;

/// Makes faults in the cluster and undoes them; what it did is undone on every way out.
pub trait Faults: Send + Sync {
    /// Does it.
    fn inject(&self, fault: Fault) -> BoxFuture<'_, Result<(), Failure>>;
    /// Undoes it.
    fn heal(&self, fault: Fault) -> BoxFuture<'_, Result<(), Failure>>;
}

/// Where the services under test are, and what of the stack does not run here.
#[derive(Clone)]
pub struct ScenarioEnv {
    /// Kubeconfig of the cluster.
    pub kubeconfig: PathBuf,
    /// Namespace of the stack.
    pub namespace: String,
    /// Addresses on loopback by name: `airflow`, `mlflow`, `s3`, `triton`,
    /// `prometheus`, `alertmanager`, `monitor`, `grafana`.
    pub endpoints: BTreeMap<String, Url>,
    /// Airflow's user and password.
    pub airflow: (String, String),
    /// The cluster's name.
    pub cluster: String,
    /// Names of the cluster's nodes, the server first.
    pub nodes: Vec<String>,
    /// Components that do not run here, each with its reason. A scenario tagged
    /// `@requires-NAME` is then not run and says so; one tagged `@requires-nodes-3` where
    /// there are fewer nodes. `gpu` stands for GPUs that no node has.
    pub not_run_components: BTreeMap<String, Hindrance>,
    /// Faults in the cluster, where it takes any: scenarios tagged `@requires-faults`.
    pub faults: Option<Arc<dyn Faults>>,
    /// Folder of the chart's Grafana dashboards (`*.json`, searched in depth).
    pub dashboards: PathBuf,
}

impl fmt::Debug for ScenarioEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScenarioEnv")
            .field("kubeconfig", &self.kubeconfig)
            .field("namespace", &self.namespace)
            .field("endpoints", &self.endpoints)
            .field("airflow", &self.airflow.0)
            .field("cluster", &self.cluster)
            .field("nodes", &self.nodes)
            .field("not_run_components", &self.not_run_components)
            .field("dashboards", &self.dashboards)
            .finish_non_exhaustive()
    }
}
