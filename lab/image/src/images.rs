//! Images readied: built where they are missing, in order, two at a time.

use std::{collections::BTreeSet, path::Path, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use lab_engine::{ByteStream, Engine};
use lab_model::event::{Emitter, Fact, ImageReady, ImageSource};
use serde::Serialize;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{
    base::{Bootstrap, bootstrap},
    build::Build,
    builder::{Builders, Holder},
    disk,
    error::ImageError,
    fetch::Fetcher,
    progress::Task,
    recipe::{Estimate, Kind},
    recipes::Recipes,
    settings::{Policy, Settings},
    site::Site,
    steps,
};

/// Builds share the machine with what runs on it.
const BUILDS_AT_ONCE: usize = 2;
const BASE_ESTIMATE: Estimate = Estimate {
    seconds: 45,
    megabytes: 500,
};
/// How often it is looked whether another process finished the same build.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const CACHE_LABEL: &str = "lab.cache";

/// The images of a folder of recipes.
#[derive(Debug, Clone)]
pub struct Images {
    engine: Engine,
    recipes: Recipes,
    settings: Settings,
    builders: Builders,
}

/// An image as `lab images list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageEntry {
    /// The recipe's name.
    pub name: String,
    /// What the recipe makes.
    pub kind: Kind,
    /// The image as the documents name it, where they do.
    pub documented: Option<String>,
    /// The reference on the engine, tagged by content.
    pub reference: String,
    /// Size on the engine, bytes; absent when it is not built yet.
    pub bytes: Option<u64>,
    /// Rough build time, seconds.
    pub estimate_seconds: u64,
}

impl Images {
    /// Reads the recipes below `folder`.
    ///
    /// # Errors
    /// With every problem of every recipe.
    pub fn open(engine: Engine, folder: &Path, settings: Settings) -> Result<Self, ImageError> {
        Ok(Self {
            recipes: Recipes::read(folder)?,
            builders: Builders::new(engine.clone()),
            engine,
            settings,
        })
    }

    /// The recipes.
    pub fn recipes(&self) -> &Recipes {
        &self.recipes
    }

    pub(crate) fn builders(&self) -> &Builders {
        &self.builders
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The reference of a recipe's image on the engine, `lab/NAME:CONTENT`.
    ///
    /// # Errors
    /// When no recipe has that name.
    pub fn reference(&self, name: &str) -> Result<String, ImageError> {
        let reference = self.recipes.reference(name).map(str::to_owned);
        reference.ok_or_else(|| self.recipes.unknown(name))
    }

    /// The reference of a recipe's image inside clusters, `docker.io/lab/NAME:CONTENT`.
    ///
    /// # Errors
    /// When no recipe has that name.
    pub fn cluster_reference(&self, name: &str) -> Result<String, ImageError> {
        Ok(format!("docker.io/{}", self.reference(name)?))
    }

    /// Builds what is missing of `names` and all they need; returns them in `names`' order.
    ///
    /// Finished recipes are found by their tags, so that a call after an interruption goes
    /// on with the rest. Cancelling removes the builders before it returns.
    ///
    /// # Errors
    /// With the first build that failed; others that ran beside it are stopped.
    pub async fn ensure(
        &self,
        names: &[&str],
        emitter: &dyn Emitter,
        cancel: &CancellationToken,
    ) -> Result<Vec<ImageReady>, ImageError> {
        let readied = tokio::select! {
            readied = self.ready_all(names, emitter) => readied,
            () = cancel.cancelled() => Err(ImageError::Interrupted),
        };
        self.builders.settle().await;
        readied
    }

    /// The images of `names` as one `docker save` tar with shared layers.
    ///
    /// # Errors
    /// When a name is no recipe, or an artifact.
    pub fn save(&self, names: &[&str]) -> Result<ByteStream, ImageError> {
        let mut references = Vec::with_capacity(names.len());
        for name in names {
            if self
                .recipes
                .get(name)
                .is_some_and(|recipe| recipe.kind == Kind::Artifact)
            {
                return Err(ImageError::Artifact {
                    name: (*name).to_owned(),
                });
            }
            references.push(self.reference(name)?);
        }
        Ok(self.engine.save_images(&references))
    }

    /// Every recipe, and whether its image is there.
    pub async fn list(&self) -> Result<Vec<ImageEntry>, ImageError> {
        let mut entries = Vec::new();
        for recipe in self.recipes.iter() {
            let reference = self.reference(&recipe.name)?;
            let image = self.engine.image(&reference).await;
            let image = image.map_err(|source| ImageError::engine(&recipe.name, source))?;
            entries.push(ImageEntry {
                name: recipe.name.clone(),
                kind: recipe.kind,
                documented: recipe.documented.clone(),
                reference,
                bytes: image.map(|image| image.bytes),
                estimate_seconds: recipe.estimate.seconds,
            });
        }
        Ok(entries)
    }

    async fn ready_all(
        &self,
        names: &[&str],
        emitter: &dyn Emitter,
    ) -> Result<Vec<ImageReady>, ImageError> {
        let mut readied = Vec::new();
        let mut missing = Vec::new();
        for name in self.wanted(names).await? {
            match self.cached(&name).await? {
                Some(ready) => {
                    emitter.emit(Fact::ImageReady(ready.clone()));
                    readied.push(ready);
                }
                None => missing.push(name),
            }
        }
        if !missing.is_empty() {
            readied.extend(self.build_missing(missing, emitter).await?);
        }
        let find = |name: &&str| readied.iter().find(|ready| ready.name == **name).cloned();
        Ok(names.iter().filter_map(find).collect())
    }

    /// The names and what must be built for them; nothing below an image that is there.
    async fn wanted(&self, names: &[&str]) -> Result<Vec<String>, ImageError> {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        let mut open: Vec<&str> = names.to_vec();
        while let Some(name) = open.pop() {
            if wanted.insert(name.to_owned()) && self.cached(name).await?.is_none() {
                open.extend(self.recipes.needs(name));
            }
        }
        let order = self.recipes.order(names)?;
        Ok(order
            .into_iter()
            .filter(|name| wanted.contains(name))
            .collect())
    }

    async fn cached(&self, name: &str) -> Result<Option<ImageReady>, ImageError> {
        let reference = self.reference(name)?;
        let image = self.engine.image(&reference).await;
        let image = image.map_err(|source| ImageError::engine(name, source))?;
        let recipe = self.recipes.get(name);
        Ok(image.map(|image| ImageReady {
            name: name.to_owned(),
            documented: recipe.and_then(|recipe| recipe.documented.clone()),
            reference,
            id: image.id,
            source: ImageSource::Cached,
            bytes: image.bytes,
            millis: 0,
        }))
    }

    async fn build_missing(
        &self,
        missing: Vec<String>,
        emitter: &dyn Emitter,
    ) -> Result<Vec<ImageReady>, ImageError> {
        let work = self.prepare(&missing, emitter).await?;
        let mut waiting = missing;
        let mut unfinished: BTreeSet<String> = waiting.iter().cloned().collect();
        let mut running = FuturesUnordered::new();
        let mut readied = Vec::new();
        loop {
            let mut later = Vec::new();
            for name in waiting {
                let blocked = self
                    .recipes
                    .needs(&name)
                    .any(|need| unfinished.contains(need));
                if blocked || running.len() >= BUILDS_AT_ONCE {
                    later.push(name);
                } else {
                    running.push(work.ready(name));
                }
            }
            waiting = later;
            let Some(ready) = running.next().await else {
                return Ok(readied);
            };
            let ready = ready?;
            unfinished.remove(&ready.name);
            emitter.emit(Fact::ImageReady(ready.clone()));
            readied.push(ready);
        }
    }

    async fn prepare<'a>(
        &'a self,
        missing: &[String],
        emitter: &'a dyn Emitter,
    ) -> Result<Work<'a>, ImageError> {
        if let (Policy::Pull, Some(name)) = (self.settings.policy, missing.first()) {
            return Err(ImageError::PullNotSupported { name: name.clone() });
        }
        let failed = |source| ImageError::engine("all", source);
        let info = self.engine.info().await.map_err(failed)?;
        let needed_mb = missing
            .iter()
            .map(|name| self.estimate(name).megabytes)
            .sum();
        disk::check(&info, needed_mb, &missing.join(", "))?;
        self.builders.remove_left_over().await.map_err(failed)?;
        for volume in steps::cache_volumes() {
            let labels = [(CACHE_LABEL.to_owned(), volume.to_owned())].into();
            self.engine
                .create_volume(volume, &labels)
                .await
                .map_err(failed)?;
        }
        Ok(Work {
            images: self,
            emitter,
            site: Site::of_host(&self.settings, &info.architecture),
            fetcher: Fetcher::new()?,
        })
    }

    fn estimate(&self, name: &str) -> Estimate {
        self.recipes
            .get(name)
            .map_or(BASE_ESTIMATE, |recipe| recipe.estimate)
    }
}

/// One call's builds.
struct Work<'a> {
    images: &'a Images,
    emitter: &'a dyn Emitter,
    site: Site,
    fetcher: Fetcher,
}

impl Work<'_> {
    /// Builds one image, or waits for another process that builds the same.
    async fn ready(&self, name: String) -> Result<ImageReady, ImageError> {
        let images = self.images;
        let reference = images.reference(&name)?;
        let estimate = Duration::from_secs(images.estimate(&name).seconds);
        let task = Task::new(self.emitter, format!("image {name}"), estimate);
        loop {
            if let Some(mut ready) = images.cached(&name).await? {
                ready.millis = millis(task.elapsed());
                return Ok(ready);
            }
            if images.builders.holder(&name, &reference).await? == Holder::Another {
                task.now("another lab is building it");
                time::sleep(LOOK_EVERY).await;
                continue;
            }
            match self.build(&name, &reference, &task).await {
                // Another process was quicker by a moment.
                Err(ImageError::Engine { source, .. }) if source.is_conflict() => {
                    time::sleep(LOOK_EVERY).await;
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        let built = images.cached(&name).await?;
        let mut ready = built.ok_or_else(|| ImageError::Vanished { name: name.clone() })?;
        ready.source = ImageSource::Built;
        ready.millis = millis(task.elapsed());
        Ok(ready)
    }

    async fn build(&self, name: &str, reference: &str, task: &Task<'_>) -> Result<(), ImageError> {
        let images = self.images;
        let Some(recipe) = images.recipes.get(name) else {
            let work = Bootstrap {
                engine: &images.engine,
                builders: &images.builders,
                site: &self.site,
                fetcher: &self.fetcher,
                task,
            };
            bootstrap(&work, reference).await?;
            return Ok(());
        };
        let build = Build {
            engine: &images.engine,
            builders: &images.builders,
            recipes: &images.recipes,
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
