//! What can go wrong between a recipe and its image.

use lab_engine::{EngineError, PullError, PushError};
use lab_model::definition::DefinitionError;
use miette::Diagnostic;
use thiserror::Error;
use tokio::task::JoinError;

use crate::{base::BaseError, fetch::FetchError};

/// An image that could not be readied.
#[derive(Debug, Error, Diagnostic)]
pub enum ImageError {
    /// Recipes cannot be understood.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Recipes(#[from] DefinitionError),
    /// A file could not be fetched.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fetch(#[from] FetchError),
    /// The base root file system could not be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Base(#[from] BaseError),
    /// The engine refused something.
    #[error("image `{recipe}`: the engine refused")]
    #[diagnostic(code(lab::image::engine))]
    Engine {
        /// The recipe.
        recipe: String,
        /// What the engine said.
        #[source]
        #[diagnostic_source]
        source: EngineError,
    },
    /// No recipe has that name.
    #[error("there is no recipe `{name}`")]
    #[diagnostic(code(lab::image::unknown), help("recipes are: {known}"))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A step of a build failed.
    #[error("image `{recipe}`: failed to {step} (exit code {exit_code})\n{tail}")]
    #[diagnostic(
        code(lab::image::step),
        help(
            "mend the recipe in `{folder}`, then run `lab images build {recipe}`; finished images are kept"
        )
    )]
    Step {
        /// The recipe.
        recipe: String,
        /// What was being done.
        step: String,
        /// The program's exit code.
        exit_code: i64,
        /// The last lines of its output.
        tail: String,
        /// The recipe's folder.
        folder: String,
    },
    /// A mirror or an index went away, or lacks a file.
    #[error("image `{recipe}`: a mirror did not give what it takes to {step}\n{tail}")]
    #[diagnostic(
        code(lab::image::mirror_gone),
        help(
            "`lab doctor` tells which mirrors answer; LAB_DEBIAN_MIRROR and LAB_PYTHON_INDEX, or `[mirrors]` in lab.toml, name others. Run the same command again: it goes on with the images that are left"
        )
    )]
    MirrorGone {
        /// The recipe.
        recipe: String,
        /// What was being done.
        step: String,
        /// The last lines of the installer's output.
        tail: String,
    },
    /// A Python package is not the one the recipe pins.
    #[error("image `{recipe}`: package `{package}` does not have the hash that `{file}` pins")]
    #[diagnostic(
        code(lab::image::hash_mismatch),
        help(
            "the index serves another file than the one locked; use another index (UV_DEFAULT_INDEX), or lock again if the change is wanted"
        )
    )]
    HashMismatch {
        /// The recipe.
        recipe: String,
        /// The file with the hashes.
        file: String,
        /// The package.
        package: String,
    },
    /// The Python index lacks a package that builds need.
    #[error("`{package}` is not in the Python index `{index}`")]
    #[diagnostic(
        code(lab::image::not_in_index),
        help("use an index that mirrors PyPI, by LAB_PYTHON_INDEX or UV_DEFAULT_INDEX")
    )]
    NotInIndex {
        /// The package.
        package: String,
        /// The index.
        index: String,
    },
    /// An image was removed while others were built on it.
    #[error("image `{name}` was built and is gone")]
    #[diagnostic(
        code(lab::image::vanished),
        help("something else removes images; run the command again")
    )]
    Vanished {
        /// The recipe.
        name: String,
    },
    /// The engine's disk is too small for what is to come.
    #[error("{free_mb} MB are free at `{path}`, about {needed_mb} MB are needed for {images}")]
    #[diagnostic(
        code(lab::image::disk),
        help("free some space, for example with `lab clean` or `docker image prune`")
    )]
    Disk {
        /// Where the engine keeps its images.
        path: String,
        /// What is free.
        free_mb: u64,
        /// What is needed, roughly.
        needed_mb: u64,
        /// The images to come.
        images: String,
    },
    /// An image did not come out of its registry.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pull(#[from] PullError),
    /// Policy `pull` was asked for where only building is known.
    #[error("image `{name}` cannot be pulled: its recipe says how to build it")]
    #[diagnostic(
        code(lab::image::pull_not_supported),
        help("use the policy `auto` or `build` (`--images`)")
    )]
    PullNotSupported {
        /// The recipe.
        name: String,
    },
    /// Policy `build` was asked for where only pulling is known.
    #[error("image `{name}` cannot be built: only a container registry has `{reference}`")]
    #[diagnostic(
        code(lab::image::build_not_supported),
        help("use the policy `auto` or `pull` (`--images`)")
    )]
    BuildNotSupported {
        /// The recipe.
        name: String,
        /// What it is pulled as.
        reference: String,
    },
    /// The mirror of Docker Hub is not named as one.
    #[error("the mirror of Docker Hub is not `HOST[:PORT][/PREFIX]`")]
    #[diagnostic(
        code(lab::image::mirror),
        help(
            "set LAB_REGISTRY_MIRROR like `mirror.example:5000/hub`: without `https://`, user or password"
        )
    )]
    Mirror,
    /// An image did not get into a registry.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Push(#[from] PushError),
    /// A registry is not named as one.
    #[error("`{text}` is not `HOST[:PORT][/PREFIX]`")]
    #[diagnostic(
        code(lab::image::registry),
        help(
            "name a registry like `registry.example:5000/team`: without `https://`, user or password"
        )
    )]
    Registry {
        /// What was given.
        text: String,
    },
    /// An artifact's file could not be taken out of the engine.
    #[error("failed to write `{}`", path.display())]
    #[diagnostic(
        code(lab::image::export),
        help("see that the folder can be written and its disk has room")
    )]
    Export {
        /// Where the file goes.
        path: std::path::PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// An artifact was asked for as an image.
    #[error("`{name}` is an artifact: its files go into other images, no cluster runs it")]
    #[diagnostic(
        code(lab::image::artifact),
        help("name an image that takes it in its `[artifacts]`")
    )]
    Artifact {
        /// The recipe.
        name: String,
    },
    /// The system refused to read or write something.
    #[error("failed to {doing}")]
    #[diagnostic(
        code(lab::image::io),
        help("check the path and its permissions, then run `lab images list`")
    )]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A piece of work on another thread ended early.
    #[error("a piece of work ended early")]
    #[diagnostic(code(lab::image::task), help("this is a bug of lab; please report it"))]
    Task {
        /// Why.
        #[source]
        source: JoinError,
    },
    /// It was cancelled.
    #[error("readying images was interrupted")]
    #[diagnostic(
        code(lab::image::interrupted),
        help("run the same command again: it goes on with the images that are left")
    )]
    Interrupted,
}

impl ImageError {
    /// Whether the command line or a file that a person wrote is wrong.
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Recipes(_)
                | Self::Unknown { .. }
                | Self::PullNotSupported { .. }
                | Self::BuildNotSupported { .. }
                | Self::Mirror
                | Self::Artifact { .. }
        )
    }

    pub(crate) fn engine(recipe: &str, source: EngineError) -> Self {
        Self::Engine {
            recipe: recipe.to_owned(),
            source,
        }
    }
}
