//! Images that a person names: taken as they are on the engine, else pulled by that name.

use std::time::Duration;

use lab_engine::ImageDetails;
use lab_model::{
    event::{Emitter, Fact, ImageReady, ImageSource},
    progress,
};
use tokio_util::sync::CancellationToken;

use crate::{
    error::ImageError, images::Images, progress::Task, pull::Pulling, reference, settings::Policy,
};

impl Images {
    /// Gets the image of that reference onto the engine, in the place of a recipe's own.
    /// Without a digest it is whatever the engine or the registry has under its tag.
    ///
    /// # Errors
    /// When it is not on the engine and cannot be pulled.
    pub async fn ensure_named(
        &self,
        recipe: &str,
        reference: &str,
        emitter: &dyn Emitter,
        cancel: &CancellationToken,
    ) -> Result<(), ImageError> {
        let estimate = Duration::from_secs(self.estimate(recipe).seconds);
        let name = reference.to_owned();
        let task = Task::new(emitter, progress::Task::Image { name }, estimate);
        let source = if self.named(reference).await?.is_some() {
            ImageSource::Cached
        } else {
            tokio::select! {
                pulled = self.pull_named(recipe, reference, &task) => pulled?,
                () = cancel.cancelled() => return Err(ImageError::Interrupted),
            }
            ImageSource::Pulled
        };
        let there = self.named(reference).await?;
        let there = there.ok_or_else(|| ImageError::Vanished {
            name: reference.to_owned(),
        })?;
        emitter.emit(Fact::ImageReady(ImageReady {
            name: recipe.to_owned(),
            documented: self
                .recipes()
                .get(recipe)
                .and_then(|it| it.documented.clone()),
            reference: reference.to_owned(),
            pulled_as: Some(reference.to_owned()),
            id: there.id,
            source,
            bytes: there.bytes,
            millis: task.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
        }));
        Ok(())
    }

    async fn named(&self, reference: &str) -> Result<Option<ImageDetails>, ImageError> {
        let image = self.engine().image(reference).await;
        image.map_err(|source| ImageError::engine(reference, source))
    }

    async fn pull_named(
        &self,
        recipe: &str,
        reference: &str,
        task: &Task<'_>,
    ) -> Result<(), ImageError> {
        if self.policy() == Policy::Build {
            return Err(ImageError::BuildNotSupported {
                name: recipe.to_owned(),
                reference: reference.to_owned(),
            });
        }
        let pulling = Pulling {
            engine: self.engine(),
            // Without a tag the engine would pull every one there is.
            pinned: &reference::with_tag(reference),
            patience: self.patience(),
            task,
        };
        pulling.pull().await
    }
}
