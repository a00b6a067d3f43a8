//! What every command works with: the checkout, the engine, the images.

use std::path::{Path, PathBuf};

use lab_engine::Engine;
use lab_image::{Images, Recipes, Settings};
use lab_model::event::{Emitter, Host};
use lab_stack::Catalogue;
use tokio_util::sync::CancellationToken;

use crate::error::RunError;

/// The checkout, the engine and the images.
pub struct Workbench {
    /// The checkout's folder: has `fixtures` and `features`.
    pub root: PathBuf,
    /// The container engine.
    pub engine: Engine,
    /// Images, from recipes.
    pub images: Images,
    /// Stacks.
    pub catalogue: Catalogue,
}

impl Workbench {
    /// Opens the checkout at `root` and connects to the engine.
    ///
    /// # Errors
    /// When a recipe is malformed or the engine cannot be reached, in this order: what
    /// can be seen without an engine is told without one.
    pub async fn open(root: &Path, settings: Settings) -> Result<Self, RunError> {
        let fixtures = root.join("fixtures");
        let recipes = Recipes::read(&fixtures.join("images"))?;
        let engine = Engine::connect().await?;
        let images = Images::of(engine.clone(), recipes, settings)?;
        Ok(Self {
            root: root.to_owned(),
            engine,
            images,
            catalogue: Catalogue::new(fixtures),
        })
    }

    /// The machine, for the record.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn host(&self) -> Result<Host, RunError> {
        let info = self.engine.info().await?;
        Ok(Host {
            os: info.os,
            kernel: info.kernel,
            cpus: info.cpus,
            memory_bytes: info.memory_bytes,
            engine: info.version,
        })
    }

    /// The Helm program, taken out of its image artifact once.
    ///
    /// # Errors
    /// When it cannot be fetched or written.
    pub async fn helm_program(
        &self,
        emitter: &dyn Emitter,
        cancel: &CancellationToken,
    ) -> Result<PathBuf, RunError> {
        self.images.ensure(&["helm"], emitter, cancel).await?;
        Ok(self.images.artifact_file("helm", "helm").await?)
    }

    /// The folder with kubectl and Helm, taken out of their image artifact once.
    ///
    /// # Errors
    /// When they cannot be fetched or written.
    pub async fn tools(
        &self,
        emitter: &dyn Emitter,
        cancel: &CancellationToken,
    ) -> Result<PathBuf, RunError> {
        let mut folder = self.helm_program(emitter, cancel).await?;
        self.images.artifact_file("helm", "kubectl").await?;
        folder.pop();
        Ok(folder)
    }
}
