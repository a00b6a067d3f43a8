//! Images readied: pulled or built where they are missing, in order, two at a time.

use std::{collections::BTreeSet, path::Path, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use lab_engine::{ByteStream, Engine, owner};
use lab_model::{
    event::{Emitter, Fact, ImageReady, ImageSource},
    name::label,
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    builder::Builders,
    disk,
    error::ImageError,
    fetch::Fetcher,
    recipe::{Estimate, Kind, Recipe},
    recipes::Recipes,
    reference::{Mirror, Pull},
    settings::{Patience, Policy, Settings},
    site::Site,
    steps,
    work::Work,
};

/// Builds share the machine with what runs on it.
const BUILDS_AT_ONCE: usize = 2;
const BASE_ESTIMATE: Estimate = Estimate {
    seconds: 45,
    megabytes: 500,
};
const CACHE_LABEL: &str = "lab.cache";

/// The images of a folder of recipes.
#[derive(Debug, Clone)]
pub struct Images {
    engine: Engine,
    recipes: Recipes,
    settings: Settings,
    mirror: Option<Mirror>,
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
    /// With every problem of every recipe, or when the settings cannot be used.
    pub fn open(engine: Engine, folder: &Path, settings: Settings) -> Result<Self, ImageError> {
        Self::of(engine, Recipes::read(folder)?, settings)
    }

    /// The images of recipes that are read already.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn of(engine: Engine, recipes: Recipes, settings: Settings) -> Result<Self, ImageError> {
        let mirror = settings.registry_mirror.as_deref();
        let mirror = mirror.map(|text| Mirror::parse(text).ok_or(ImageError::Mirror));
        Ok(Self {
            mirror: mirror.transpose()?,
            recipes,
            builders: Builders::new(engine.clone()),
            engine,
            settings,
        })
    }

    /// The same, but a registry is given up when it has not answered within `limit`.
    #[must_use]
    pub fn answered_within(mut self, limit: Duration) -> Self {
        let patience = self.settings.patience;
        self.settings.patience = Patience {
            answer: limit.min(patience.answer),
            ..patience
        };
        self
    }

    /// The recipes.
    pub fn recipes(&self) -> &Recipes {
        &self.recipes
    }

    /// What the engine pulls an image by; none for one that is built.
    pub(crate) fn pinned(&self, name: &str) -> Option<String> {
        self.pull(name)
            .map(|pull| pull.pinned(self.mirror.as_ref()))
    }

    pub(crate) const fn policy(&self) -> Policy {
        self.settings.policy
    }

    pub(crate) const fn patience(&self) -> Patience {
        self.settings.patience
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

    /// Whether a recipe's image is on the engine.
    ///
    /// # Errors
    /// When no recipe has that name, or the engine does not answer.
    pub async fn is_there(&self, name: &str) -> Result<bool, ImageError> {
        Ok(self.cached(name).await?.is_some())
    }

    /// Pulls or builds what is missing of `names` and all they need; returns them in
    /// `names`' order.
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
        if readied.is_err() {
            self.remove_unfinished().await;
        }
        readied
    }

    /// Removes what this process began to import. What cannot be removed carries its
    /// owner, so that the next `lab` finds it.
    async fn remove_unfinished(&self) {
        let own = format!("{}={}", label::OWNER, owner::this_process());
        let unfinished = self.engine.list_images_by_label(&own).await;
        for image in unfinished.unwrap_or_default() {
            if let Err(error) = self.engine.remove_image(&image.id).await {
                tracing::warn!(image.id, %error, "image in the making not removed");
            }
        }
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
            readied.extend(self.make_missing(missing, emitter).await?);
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

    /// The image as it is on the engine already.
    pub(crate) async fn cached(&self, name: &str) -> Result<Option<ImageReady>, ImageError> {
        let reference = self.reference(name)?;
        let image = self.engine.image(&reference).await;
        let image = image.map_err(|source| ImageError::engine(name, source))?;
        let recipe = self.recipes.get(name);
        Ok(image.map(|image| ImageReady {
            name: name.to_owned(),
            documented: recipe.and_then(|recipe| recipe.documented.clone()),
            // Not by which mirror: where a site's mirror stands is nobody else's business.
            pulled_as: self.pull(name).map(|pull| pull.pinned(None)),
            reference,
            id: image.id,
            source: ImageSource::Cached,
            bytes: image.bytes,
            millis: 0,
        }))
    }

    async fn make_missing(
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
        for name in missing {
            self.allow(name)?;
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

    /// Refuses what the policy leaves no way to.
    fn allow(&self, name: &str) -> Result<(), ImageError> {
        match (self.settings.policy, self.pull(name)) {
            (Policy::Pull, None) => Err(ImageError::PullNotSupported {
                name: name.to_owned(),
            }),
            (Policy::Build, Some(pull)) => Err(ImageError::BuildNotSupported {
                name: name.to_owned(),
                reference: pull.reference.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn pull(&self, name: &str) -> Option<&Pull> {
        self.recipes.get(name).and_then(Recipe::pull)
    }

    pub(crate) fn estimate(&self, name: &str) -> Estimate {
        self.recipes
            .get(name)
            .map_or(BASE_ESTIMATE, |recipe| recipe.estimate)
    }
}
