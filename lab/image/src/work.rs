//! One call's images: each pulled, built, or waited for.

use std::time::Duration;

use lab_model::{
    event::{Emitter, ImageReady, ImageSource},
    progress::{self, Step},
};
use tokio::time;

use crate::{
    base::{Bootstrap, bootstrap},
    build::Build,
    builder::Holder,
    error::ImageError,
    fetch::Fetcher,
    images::Images,
    progress::Task,
    pull::Pulling,
    site::Site,
};

/// How often it is looked whether another process finished the same build.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the images of one call share.
pub(crate) struct Work<'a> {
    pub(crate) images: &'a Images,
    pub(crate) emitter: &'a dyn Emitter,
    pub(crate) site: Site,
    pub(crate) fetcher: Fetcher,
}

impl Work<'_> {
    /// Gets one image onto the engine, in whatever way its recipe says.
    pub(crate) async fn ready(&self, name: String) -> Result<ImageReady, ImageError> {
        let images = self.images;
        let reference = images.reference(&name)?;
        let estimate = Duration::from_secs(images.estimate(&name).seconds);
        let of = progress::Task::Image { name: name.clone() };
        let task = Task::new(self.emitter, of, estimate);
        let source = match images.pinned(&name) {
            Some(pinned) => self.pull(&pinned, &reference, &task).await?,
            None => self.build_once(&name, &reference, &task).await?,
        };
        let there = images.cached(&name).await?;
        let there = there.ok_or_else(|| ImageError::Vanished { name })?;
        Ok(ImageReady {
            source,
            millis: millis(task.elapsed()),
            ..there
        })
    }

    /// Pulls, unless the engine has what the digest names: pulled by hand, or by a call
    /// that was interrupted before it could give it our name.
    async fn pull(
        &self,
        pinned: &str,
        reference: &str,
        task: &Task<'_>,
    ) -> Result<ImageSource, ImageError> {
        let engine = self.images.engine();
        let failed = |source| ImageError::engine(pinned, source);
        if engine.image(pinned).await.map_err(failed)?.is_some() {
            engine.tag_image(pinned, reference).await.map_err(failed)?;
            return Ok(ImageSource::Cached);
        }
        let pulling = Pulling {
            engine,
            pinned,
            patience: self.images.patience(),
            task,
        };
        pulling.run(reference).await?;
        Ok(ImageSource::Pulled)
    }

    /// Builds, or waits for another process that builds the same.
    async fn build_once(
        &self,
        name: &str,
        reference: &str,
        task: &Task<'_>,
    ) -> Result<ImageSource, ImageError> {
        let images = self.images;
        while images.cached(name).await?.is_none() {
            if images.builders().holder(name, reference).await? == Holder::Another {
                task.now(Step::AnotherBuilds);
                time::sleep(LOOK_EVERY).await;
                continue;
            }
            match self.build(name, reference, task).await {
                // Another process was quicker by a moment.
                Err(ImageError::Engine { source, .. }) if source.is_conflict() => {
                    time::sleep(LOOK_EVERY).await;
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(ImageSource::Built),
            }
        }
        Ok(ImageSource::Cached)
    }

    async fn build(&self, name: &str, reference: &str, task: &Task<'_>) -> Result<(), ImageError> {
        let images = self.images;
        let Some(recipe) = images.recipes().get(name) else {
            let work = Bootstrap {
                engine: images.engine(),
                builders: images.builders(),
                site: &self.site,
                fetcher: &self.fetcher,
                task,
            };
            bootstrap(&work, reference).await?;
            return Ok(());
        };
        let build = Build {
            engine: images.engine(),
            builders: images.builders(),
            recipes: images.recipes(),
            site: &self.site,
            fetcher: &self.fetcher,
            task,
        };
        build.run(recipe).await?;
        Ok(())
    }
}

fn millis(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}
