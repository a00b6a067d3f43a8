//! The same workload with a model that is set up in different ways, in turn: what do more
//! instances bring, and what does a fuller batch?
//!
//! The settings are Triton's own (`ModelConfig`: `instance_group`, `dynamic_batching`), and
//! are set by its model repository extension, which loads a model again with another
//! configuration: <https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md>.

mod repository;
mod variant;

pub use repository::RepositoryError;
pub use variant::{Batching, Variant, variants};

use serde_json::Value;

use crate::{error::BenchError, server::Server, workload::Workload};
use repository::Repository;

/// A workload that is run once for each way to set up its model.
#[derive(Debug)]
pub struct Sweep<'a> {
    /// The workload; its model is the one that is set up.
    pub workload: &'a Workload,
    /// The server's model repository, over HTTP. Behind it must be one server.
    pub repository: &'a Server,
    /// The ways, in the order measured.
    pub variants: &'a [Variant],
}

/// Why a model could not be set up in another way.
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
}

impl Sweep<'_> {
    /// Sets the model up in each way and has the workload, named by it, measured; then sets
    /// it up as it was, also where measuring failed or was ended early.
    ///
    /// # Errors
    /// The measuring's own, and where the model cannot be set up.
    pub async fn run<T, E: From<SweepError>>(
        &self,
        mut measure: impl AsyncFnMut(&Workload) -> Result<T, E>,
    ) -> Result<Vec<(Variant, T)>, E> {
        let repository = Repository::find(self.repository, self.workload).await?;
        let config = repository.config().await.map_err(SweepError::from)?;
        let measured = self.each(&repository, &config, &mut measure).await;
        let restored = repository.load(&config).await;
        // What went wrong first is the cause of all else.
        let measured = measured?;
        restored.map_err(SweepError::from)?;
        Ok(measured)
    }

    async fn each<T, E: From<SweepError>>(
        &self,
        repository: &Repository<'_>,
        config: &Value,
        measure: &mut impl AsyncFnMut(&Workload) -> Result<T, E>,
    ) -> Result<Vec<(Variant, T)>, E> {
        let mut measured = Vec::new();
        for variant in self.variants {
            let loaded = repository.load(&variant.of(config)).await;
            loaded.map_err(SweepError::from)?;
            measured.push((*variant, measure(&self.named(variant)).await?));
        }
        Ok(measured)
    }

    fn named(&self, variant: &Variant) -> Workload {
        let mut workload = self.workload.clone();
        workload.name = format!("{} ({variant})", workload.name);
        workload
    }
}
