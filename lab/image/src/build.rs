//! Carries out one recipe.

use std::{fs, path::Path};

use bytes::Bytes;
use futures::stream;
use lab_engine::{ByteStream, ContainerSpec, Engine, ImageConfig, Labels};
use lab_model::progress::{Doing, Step};
use tar::{Builder as TarBuilder, Header};

use crate::{
    builder::{Builder, Builders, image_labels},
    content,
    error::ImageError,
    fetch::Fetcher,
    progress::Task,
    python::Environments,
    recipe::{Config, Kind, Recipe},
    recipes::Recipes,
    site::Site,
    steps,
};

/// What a build works with.
pub(crate) struct Build<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) builders: &'a Builders,
    pub(crate) recipes: &'a Recipes,
    pub(crate) site: &'a Site,
    pub(crate) fetcher: &'a Fetcher,
    pub(crate) task: &'a Task<'a>,
}

impl Build<'_> {
    /// Carries out a recipe; what it needs must be there. Returns the image's id.
    pub(crate) async fn run(&self, recipe: &Recipe) -> Result<String, ImageError> {
        let reference = self.reference(&recipe.name)?;
        let builder = self
            .builders
            .start(&recipe.name, reference, self.container(recipe)?)
            .await?;
        let built = self.steps(recipe, &builder).await;
        built.map_err(|error| with_folder(error, &recipe.folder))?;
        self.task.now(Step::WriteImage);
        let id = match recipe.kind {
            Kind::Artifact => {
                let out = self.engine.download(builder.name(), steps::OUT);
                self.engine
                    .import_image(out, reference, &Labels::new())
                    .await
            }
            Kind::Image => {
                let config = image_config(&recipe.name, self.recipes.config(&recipe.name));
                self.engine.commit(builder.name(), reference, config).await
            }
        };
        let id = id.map_err(|source| ImageError::engine(&recipe.name, source))?;
        builder.remove().await?;
        Ok(id)
    }

    fn container(&self, recipe: &Recipe) -> Result<ContainerSpec, ImageError> {
        let mut mounts = steps::cache_mounts();
        mounts.extend(steps::own_mounts(recipe));
        Ok(ContainerSpec {
            // Only what is built gets here; no recipe has the empty name.
            image: self
                .reference(recipe.parent().unwrap_or_default())?
                .to_owned(),
            mounts,
            network: self.site.proxy_on_loopback.then(|| "host".to_owned()),
            ..Default::default()
        })
    }

    async fn steps(&self, recipe: &Recipe, builder: &Builder) -> Result<(), ImageError> {
        self.bring(recipe, builder).await?;
        let mut packages = recipe.packages.clone();
        if !recipe.sources.is_empty() {
            packages.push("dpkg-dev".to_owned());
        }
        if !packages.is_empty() {
            let command = steps::install(self.site, &packages);
            builder
                .step(Step::InstallPackages, command, self.task)
                .await?;
        }
        if !recipe.sources.is_empty() {
            let command = steps::sources(self.site, &recipe.sources);
            builder
                .step(Step::UnpackSources, command, self.task)
                .await?;
        }
        if let Some(python) = &recipe.python {
            let environments = Environments {
                engine: self.engine,
                site: self.site,
                fetcher: self.fetcher,
            };
            environments
                .make(recipe, python, builder, self.task)
                .await?;
        }
        for (artifact, folder) in &recipe.artifacts {
            self.take_in(artifact, folder, builder).await?;
        }
        if let Some(files) = recipe.files() {
            let command = steps::unpack(self.site, "/").with_stream(whole(files_tar(&files)?));
            builder.step(Step::CopyFiles, command, self.task).await?;
        }
        if recipe.script().is_some() {
            let command = steps::script(self.site);
            builder.step(Step::RunScript, command, self.task).await?;
        }
        builder
            .step(Step::TidyUp, steps::tidy(self.site), self.task)
            .await
    }

    /// Puts what the steps read into the builder's scratch folder.
    async fn bring(&self, recipe: &Recipe, builder: &Builder) -> Result<(), ImageError> {
        let mut brought = Brought::default();
        if let Some(certificates) = &self.site.certificates {
            brought.add(steps::CERTIFICATES, certificates)?;
        }
        brought.add(steps::APT_CONFIG, steps::apt_config(self.site).as_bytes())?;
        let sources = steps::apt_sources(self.site, !recipe.sources.is_empty());
        brought.add(steps::APT_SOURCES, sources.as_bytes())?;
        if let Some(script) = recipe.script() {
            brought.add(steps::SCRIPT, &read(&script)?)?;
        }
        if let Some(python) = &recipe.python {
            let path = recipe.folder.join(&python.requirements);
            brought.add(steps::REQUIREMENTS, &read(&path)?)?;
        }
        self.engine
            .upload(
                builder.name(),
                crate::builder::SCRATCH,
                whole(brought.finish()?),
            )
            .await
            .map_err(|source| ImageError::engine(&recipe.name, source))
    }

    /// Copies an artifact's files into the builder.
    async fn take_in(
        &self,
        artifact: &str,
        folder: &str,
        builder: &Builder,
    ) -> Result<(), ImageError> {
        let spec = ContainerSpec {
            name: format!("{}-{artifact}", builder.name()),
            image: self.reference(artifact)?.to_owned(),
            ..Default::default()
        };
        let source = self.builders.shelf(artifact, spec).await?;
        // A folder named with a dot at its end comes without its own name.
        let files = self
            .engine
            .download(source.name(), &format!("{}/.", steps::OUT));
        let command = steps::unpack(self.site, folder).with_stream(files);
        let artifact = artifact.to_owned();
        let step = Doing::CopyArtifact { artifact };
        builder.step(step, command, self.task).await?;
        source.remove().await
    }

    fn reference(&self, name: &str) -> Result<&str, ImageError> {
        self.recipes
            .reference(name)
            .ok_or_else(|| self.recipes.unknown(name))
    }
}

/// A tar of small files below one folder.
struct Brought {
    tar: TarBuilder<Vec<u8>>,
}

impl Default for Brought {
    fn default() -> Self {
        Self {
            tar: TarBuilder::new(Vec::new()),
        }
    }
}

impl Brought {
    fn add(&mut self, name: &str, data: &[u8]) -> Result<(), ImageError> {
        let path = format!("{}/{name}", steps::BROUGHT);
        append(&mut self.tar, Path::new(&path), 0o644, data)
    }

    fn finish(self) -> Result<Vec<u8>, ImageError> {
        self.tar.into_inner().map_err(tar_failed)
    }
}

/// The files of a recipe's `files` folder as a tar, with their modes, owned by root.
fn files_tar(folder: &Path) -> Result<Vec<u8>, ImageError> {
    use std::os::unix::fs::PermissionsExt;

    let mut tar = TarBuilder::new(Vec::new());
    for path in content::files(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        let failed = |source| ImageError::Io {
            doing: format!("read `{}`", path.display()),
            source,
        };
        let metadata = fs::symlink_metadata(&path).map_err(failed)?;
        if metadata.is_symlink() {
            let mut header = Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            header.set_size(0);
            let target = fs::read_link(&path).map_err(failed)?;
            tar.append_link(&mut header, name, target)
                .map_err(tar_failed)?;
        } else {
            // Git keeps one bit of the mode; so that a checkout's umask does not matter.
            let executable = metadata.permissions().mode() & 0o100 != 0;
            let mode = if executable { 0o755 } else { 0o644 };
            append(&mut tar, name, mode, &fs::read(&path).map_err(failed)?)?;
        }
    }
    tar.into_inner().map_err(tar_failed)
}

fn append(
    tar: &mut TarBuilder<Vec<u8>>,
    path: &Path,
    mode: u32,
    data: &[u8],
) -> Result<(), ImageError> {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_size(data.len() as u64);
    tar.append_data(&mut header, path, data).map_err(tar_failed)
}

fn tar_failed(source: std::io::Error) -> ImageError {
    ImageError::Io {
        doing: "pack a recipe's files".to_owned(),
        source,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    fs::read(path).map_err(|source| ImageError::Io {
        doing: format!("read `{}`", path.display()),
        source,
    })
}

fn whole(bytes: Vec<u8>) -> ByteStream {
    let bytes = Bytes::from(bytes);
    Box::pin(stream::once(async move { Ok(bytes) }))
}

fn image_config(recipe: &str, config: Config) -> ImageConfig {
    ImageConfig {
        entrypoint: config.entrypoint.unwrap_or_default(),
        cmd: config.cmd.unwrap_or_default(),
        user: Some(config.user.unwrap_or_else(|| "0:0".to_owned())),
        workdir: Some(config.workdir.unwrap_or_else(|| "/".to_owned())),
        env: config.env,
        labels: image_labels(recipe),
    }
}

fn with_folder(error: ImageError, path: &Path) -> ImageError {
    match error {
        ImageError::Step {
            recipe,
            step,
            exit_code,
            tail,
            ..
        } => ImageError::Step {
            recipe,
            step,
            exit_code,
            tail,
            folder: path.display().to_string(),
        },
        other => other,
    }
}
