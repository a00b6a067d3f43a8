//! Work on one cluster, piece by piece: what `lab up`, `install`, `test` and
//! `bench` do alone and `lab run` does in a row.

use std::sync::Arc;

use lab_cluster::{
    Cluster, ClusterSpec, existing, gpu,
    node::{self, ImageStore},
};
use lab_k8s::Kube;
use lab_model::{
    event::{Emitter, Fact},
    hindrance::Hindrance,
    provider::Provider,
};
use lab_scenarios::{ScenarioEnv, Summary, clients::nodes::Nodes};
use lab_stack::{Helm, Target, catalogue::LockedStack, hide_secrets, install};
use tokio_util::sync::CancellationToken;

use crate::{
    Endpoints, error::RunError, faults::ClusterFaults, images::NotRun, plan::Scenarios,
    workbench::Workbench,
};

/// What scenarios that need faults are tagged with.
const FAULTS: &str = "faults";
/// What scenarios that need a GPU are tagged with, and those that take all of them.
const GPU: &str = "gpu";
const OWN_GPUS: &str = "own-gpus";

/// A cluster and what is needed to work on it.
pub struct Session<'a> {
    /// The checkout, the engine, the images.
    pub workbench: &'a Workbench,
    /// Where facts go.
    pub emitter: Arc<dyn Emitter>,
    /// Cancelled on Ctrl-C.
    pub cancel: CancellationToken,
}

impl Session<'_> {
    /// Does the work unless Ctrl-C comes first. Then it is dropped: not for work that ends
    /// by itself and cleans up, as images and clusters in the making do.
    ///
    /// # Errors
    /// The work's own, or [`RunError::Interrupted`].
    pub async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, RunError>>,
    ) -> Result<T, RunError> {
        tokio::select! {
            biased;
            ended = work => ended,
            () = self.cancel.cancelled() => Err(RunError::Interrupted),
        }
    }

    /// Sees that a cluster can have what it is to have of the machine, before anything is
    /// made ready for it.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check(&self, spec: &ClusterSpec) -> Result<(), RunError> {
        Ok(gpu::check(&self.workbench.engine, spec).await?)
    }

    /// Pulls what the nodes of a cluster run, where that is not built ([`plan::of_nodes`]).
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn pull_nodes(&self, spec: &ClusterSpec) -> Result<(), RunError> {
        if spec.provider == Provider::K3s {
            let images = &self.workbench.images;
            node::ready_image(images, spec, &*self.emitter, &self.cancel).await?;
        }
        Ok(())
    }

    /// Makes ready the images of the given recipes.
    ///
    /// # Errors
    /// When one can neither be found, pulled nor built.
    pub async fn ready_images(&self, recipes: &[&str]) -> Result<(), RunError> {
        self.workbench
            .images
            .ensure(recipes, &*self.emitter, &self.cancel)
            .await?;
        Ok(())
    }

    /// Makes ready the store of images that a cluster starts from; none where its nodes
    /// start without and are sent the images later.
    ///
    /// # Errors
    /// When the images cannot be unpacked.
    pub async fn ready_store(
        &self,
        provider: Provider,
        recipes: &[&str],
    ) -> Result<Option<ImageStore>, RunError> {
        if provider != Provider::Node {
            return Ok(None);
        }
        let Workbench { engine, images, .. } = self.workbench;
        let store = node::store(engine, images, recipes, &*self.emitter, &self.cancel).await?;
        Ok(Some(store))
    }

    /// Brings up a cluster.
    ///
    /// # Errors
    /// When it does not come up; then nothing of it is left.
    pub async fn provision(&self, spec: &ClusterSpec) -> Result<Cluster, RunError> {
        let Workbench { engine, images, .. } = self.workbench;
        let cluster = lab_cluster::up(engine, images, spec, &*self.emitter, &self.cancel).await?;
        Ok(self.told(cluster))
    }

    /// Joins a cluster that several processes use, or brings it up.
    ///
    /// # Errors
    /// When it neither runs nor comes up.
    pub async fn share(&self, spec: &ClusterSpec) -> Result<Cluster, RunError> {
        let Workbench { engine, images, .. } = self.workbench;
        let cluster = node::share(engine, images, spec, &*self.emitter, &self.cancel).await?;
        Ok(self.told(cluster))
    }

    fn told(&self, cluster: Cluster) -> Cluster {
        self.emitter.emit(Fact::ClusterReady {
            cluster: cluster.name.clone(),
            provider: cluster.provider.to_string(),
            version: cluster.version.clone(),
            nodes: cluster.nodes.clone(),
        });
        cluster
    }

    /// Sees that a cluster has the images of the given recipes, and loads those it
    /// has not.
    ///
    /// # Errors
    /// When the engine or the node breaks off.
    pub async fn load(&self, cluster: &Cluster, recipes: &[&str]) -> Result<(), RunError> {
        let Workbench { engine, images, .. } = self.workbench;
        let there = node::loaded_images(engine, cluster).await?;
        let mut missing = Vec::new();
        for recipe in recipes {
            if !there.contains(&images.cluster_reference(recipe)?) {
                missing.push(*recipe);
            }
        }
        if !missing.is_empty() {
            let stream = images.save(&missing)?;
            node::load_images(engine, cluster, stream, &*self.emitter).await?;
        }
        Ok(())
    }

    /// Installs a stack, without the components that do not run here, and waits until
    /// it is ready.
    ///
    /// # Errors
    /// When Helm refuses or a component is known not to become ready.
    pub async fn install(
        &self,
        cluster: &Cluster,
        locked: &LockedStack,
        not_run: &NotRun,
    ) -> Result<(), RunError> {
        let _releases = node::releases(&cluster.name).await?;
        let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
        let program = self
            .workbench
            .helm_program(&*self.emitter, &self.cancel)
            .await?;
        let helm = Helm::new(program, cluster.kubeconfig.clone());
        let own = if cluster.provider == Provider::Existing {
            let namespace = &locked.stack.namespace;
            Some(existing::own_namespace(cluster, namespace).await?)
        } else {
            None
        };
        let endpoints = Endpoints::open(cluster, locked).await?;
        let target = Target {
            kube: &kube,
            helm: &helm,
            images: self.references(cluster, locked)?,
            endpoints: endpoints.urls().clone(),
            not_run: not_run.clone(),
            own,
        };
        install(locked, &target, &*self.emitter).await?;
        Ok(())
    }

    /// Runs scenarios against an installed stack; those that need a component that does
    /// not run here say so.
    ///
    /// # Errors
    /// When they could not be run at all; a failed scenario is in the summary.
    pub async fn verify(
        &self,
        cluster: &Cluster,
        locked: &LockedStack,
        not_run: &NotRun,
        scenarios: &Scenarios,
    ) -> Result<Summary, RunError> {
        let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
        hide_secrets(&kube, &locked.stack.namespace, &*self.emitter).await;
        let mut login = kube
            .secret(&locked.stack.namespace, "airflow-admin")
            .await?;
        let mut take = |key: &str| login.remove(key).unwrap_or_default();
        // Held until the scenarios have ended.
        let endpoints = Endpoints::open(cluster, locked).await?;
        let urls = endpoints.urls().iter();
        let urls = urls.filter_map(|(name, base)| Some((name.clone(), base.parse().ok()?)));
        let takes_faults = cluster.provider != Provider::Existing;
        let mut absent = not_run.clone();
        if takes_faults {
            absent.extend(node::lacking_for_faults(&self.workbench.engine, cluster).await?);
        } else {
            absent.insert(FAULTS.to_owned(), Hindrance::FaultsOfOthers);
        }
        absent.extend(lacking_for_gpus(&kube, cluster.provider).await);
        let env = ScenarioEnv {
            kubeconfig: cluster.kubeconfig.clone(),
            namespace: locked.stack.namespace.clone(),
            endpoints: urls.collect(),
            airflow: (take("username"), take("password")),
            cluster: cluster.name.to_string(),
            nodes: cluster.nodes.clone(),
            not_run_components: absent,
            faults: takes_faults
                .then(|| Arc::new(ClusterFaults::new(self.workbench, cluster)) as _),
            dashboards: locked.chart.clone(),
        };
        let features = scenarios.folder(&self.workbench.root);
        let filter = scenarios.filter();
        Ok(lab_scenarios::run(env, &features, &filter, Arc::clone(&self.emitter)).await?)
    }
}

/// Why scenarios with GPUs cannot run on a cluster.
async fn lacking_for_gpus(kube: &Kube, provider: Provider) -> NotRun {
    let mut lacking = NotRun::new();
    let reason = match Nodes::new(kube.client()).gpus().await {
        Ok(0) => Some(Hindrance::NoGpu),
        Ok(_) => None,
        Err(error) => Some(Hindrance::UntoldGpus {
            error: error.to_string(),
        }),
    };
    lacking.extend(reason.map(|reason| (GPU.to_owned(), reason)));
    if provider == Provider::Existing {
        lacking.insert(OWN_GPUS.to_owned(), Hindrance::GpusOfOthers);
    }
    lacking
}
