//! The same workload with a model that is set up in different ways, in turn: what do more
//! instances bring, and what does a fuller batch?
//!
//! The settings are Triton's own (`ModelConfig`: `instance_group`, `dynamic_batching`), and
//! are set by its model repository extension, which loads a model again with another
//! configuration: <https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md>.

mod repository;
mod variant;

pub use repository::RepositoryError;
pub use variant::{Axes, Batching, Variant};

use serde_json::Value;

use crate::{
    error::BenchError,
    server::Server,
    workload::{Workload, WorkloadError},
};
use repository::Repository;

/// A workload that is run once for each way to serve its model.
#[derive(Debug)]
pub struct Sweep<'a> {
    /// The workload; its model is the one that is set up.
    pub workload: &'a Workload,
    /// The ways, in the order measured.
    pub variants: &'a [Variant],
}

/// Where a sweep's model is served.
pub trait Place {
    /// What a measurement brings.
    type Figures;
    /// What can go wrong.
    type Error: From<SweepError>;

    /// Has so many servers serve the model; as many as there were at first where none is
    /// said. Gives each one's model repository, over HTTP.
    fn scale(
        &mut self,
        replicas: Option<u32>,
    ) -> impl Future<Output = Result<Vec<Server>, Self::Error>>;

    /// Measures the model as it is now.
    fn measure(
        &mut self,
        workload: &Workload,
    ) -> impl Future<Output = Result<Self::Figures, Self::Error>>;
}

/// Why a model could not be served in another way.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SweepError {
    /// The server cannot be asked at all.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Bench(#[from] BenchError),
    /// The server's model repository.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(#[from] RepositoryError),
    /// The workload's samples.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Workload(#[from] WorkloadError),
    /// Nothing serves the model.
    #[error("no server has model `{model}`")]
    #[diagnostic(
        code(lab::bench::sweep_without_servers),
        help("`lab status NAME` shows whether the server is ready")
    )]
    NoServers {
        /// The model.
        model: String,
    },
}

impl Sweep<'_> {
    /// Whether any way says how many servers there are.
    pub fn scales(&self) -> bool {
        self.variants.iter().any(|it| it.replicas.is_some())
    }

    /// Serves the model in each way and has the workload, named by it, measured; then
    /// leaves it as it was, also where measuring failed or was ended early.
    ///
    /// # Errors
    /// The place's own, and where the model cannot be set up.
    pub async fn run<P: Place>(
        &self,
        place: &mut P,
    ) -> Result<Vec<(Variant, P::Figures)>, P::Error> {
        let batched = self.variants.iter().map(|variant| self.batched(variant));
        // Before anything is changed: what cannot be asked need not be set up.
        let workloads = batched.collect::<Result<Vec<_>, _>>();
        let workloads = workloads.map_err(SweepError::from)?;
        let servers = place.scale(None).await?;
        let server = servers.first().ok_or_else(|| SweepError::NoServers {
            model: self.workload.model.clone(),
        })?;
        let repository = Repository::find(server, self.workload).await?;
        let config = repository.config().await.map_err(SweepError::from)?;
        let config = variant::as_it_was(config);
        let mut measured = Vec::new();
        let mut failed = None;
        for (variant, workload) in self.variants.iter().zip(&workloads) {
            match self.measured(place, variant, &config, workload).await {
                Ok(figures) => measured.push((*variant, figures)),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let restored = async {
            let servers = place.scale(None).await?;
            Ok(self.load(&servers, &config).await?)
        };
        let restored = restored.await;
        // What went wrong first is the cause of all else.
        match failed {
            Some(error) => Err(error),
            None => restored.map(|()| measured),
        }
    }

    /// The workload as a way asks for it, named by it.
    fn batched(&self, variant: &Variant) -> Result<Workload, WorkloadError> {
        let mut workload = match variant.batch_size {
            Some(size) => self.workload.batched(size)?,
            None => self.workload.clone(),
        };
        workload.name = format!("{} ({variant})", workload.name);
        Ok(workload)
    }

    async fn measured<P: Place>(
        &self,
        place: &mut P,
        variant: &Variant,
        config: &Value,
        workload: &Workload,
    ) -> Result<P::Figures, P::Error> {
        let servers = place.scale(variant.replicas).await?;
        self.load(&servers, &variant.of(config)).await?;
        place.measure(workload).await
    }

    /// Loads the model with a configuration in each of the servers.
    async fn load(&self, servers: &[Server], config: &Value) -> Result<(), SweepError> {
        for server in servers {
            let repository = Repository::find(server, self.workload).await?;
            repository.load(config).await?;
        }
        Ok(())
    }
}
