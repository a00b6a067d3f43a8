//! What all scenarios share: the clients, and the results that are dear to make.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use lab_k8s::Kube;
use reqwest::Url;
use tokio::sync::{Mutex, OnceCell};

use crate::{
    breakage::Breakage,
    clients::{
        airflow::Airflow, alertmanager::Alertmanager, kubernetes::Kubernetes, mlflow::MlFlow,
        nodes::Nodes, prometheus::Prometheus, triton::Triton,
    },
    env::ScenarioEnv,
    evidence::Recorder,
    failure::Failure,
    load::Load,
    runs::Runs,
    steps::retrain::Retraining,
    task_pods::TaskPods,
};

/// The DAG under test.
pub(crate) const DAG: &str = "train_digits";
/// The registered model, and its name in Triton and in the metrics.
pub(crate) const MODEL: &str = "digits";
/// MLflow's experiment.
pub(crate) const EXPERIMENT: &str = "digits";
/// The alias of the version that is to be served.
pub(crate) const CHAMPION: &str = "champion";
/// Triton's Deployment, and the container in it.
pub(crate) const TRITON: &str = "triton";
/// The variable that tells Triton's pod which version to serve.
pub(crate) const MODEL_VERSION: &str = "MODEL_VERSION";

/// What all scenarios of a run share.
pub struct Lab {
    pub(crate) env: ScenarioEnv,
    pub(crate) airflow: Airflow,
    pub(crate) mlflow: MlFlow,
    pub(crate) triton: Triton,
    pub(crate) prometheus: Prometheus,
    pub(crate) alertmanager: Alertmanager,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) nodes: Nodes,
    pub(crate) recorder: Recorder,
    pub(crate) task_pods: TaskPods,
    pub(crate) runs: Runs,
    /// Whether runs that earlier scenarios left on the cluster will do.
    pub(crate) takes_earlier_runs: bool,
    pub(crate) shared: Shared,
}

/// What one scenario begins and later ones go on with.
#[derive(Default)]
pub(crate) struct Shared {
    /// The traffic of shifted images; it goes on until the run's end.
    pub(crate) shifted_traffic: Mutex<Option<Load>>,
    /// The retraining that the alert started.
    pub(crate) retraining: OnceCell<Retraining>,
    /// What the scenario that runs now has broken.
    pub(crate) breakage: Mutex<Breakage>,
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}

impl Lab {
    /// Makes the clients; asks no service anything yet.
    pub(crate) async fn connect(env: ScenarioEnv, recorder: Recorder) -> Result<Self, Failure> {
        let kube = Kube::from_kubeconfig_file(&env.kubeconfig).await?;
        Ok(Self {
            airflow: Airflow::new(endpoint(&env, "airflow")?, env.airflow.clone())?,
            mlflow: MlFlow::new(endpoint(&env, "mlflow")?)?,
            triton: Triton::new(endpoint(&env, "triton")?)?,
            prometheus: Prometheus::new(endpoint(&env, "prometheus")?)?,
            alertmanager: Alertmanager::new(endpoint(&env, "alertmanager")?)?,
            kubernetes: Kubernetes::new(kube.client(), env.namespace.clone()),
            nodes: Nodes::new(kube.client()),
            recorder,
            task_pods: TaskPods::default(),
            runs: Runs::default(),
            takes_earlier_runs: false,
            shared: Shared::default(),
            env,
        })
    }

    /// Address of a service that is no client of its own.
    pub(crate) fn endpoint(&self, name: &str) -> Result<Url, Failure> {
        endpoint(&self.env, name)
    }

    /// The chart's dashboard files.
    pub(crate) fn dashboards(&self) -> Result<Vec<PathBuf>, Failure> {
        json_files(&self.env.dashboards)
    }

    /// Keeps what was seen, for the reader of the report.
    pub(crate) fn saw(&self, source: impl Into<String>, text: impl Into<String>) {
        self.recorder.saw(source, text);
    }
}

fn endpoint(env: &ScenarioEnv, name: &str) -> Result<Url, Failure> {
    env.endpoints
        .get(name)
        .cloned()
        .ok_or_else(|| Failure::new(format!("no address is known for `{name}`")))
}

/// Every `*.json` file in a folder and the folders in it, in order of name.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Failure::from(error).context(folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(json_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
