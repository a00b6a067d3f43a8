//! A recipe: what an image is made of.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lab_model::definition::{self, Problem, Reader};
use toml::Spanned;

use crate::reference::{self, Pull};

const FILE: &str = "recipe.toml";
const FILES: &str = "files";
const SCRIPT: &str = "build.sh";
/// Links in the base; a folder of that name would take their place.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];
/// Keys that say how an image is built.
const BUILDING: [&str; 5] = ["from", "debian", "python", "artifacts", "config"];

/// What a recipe makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An image that a cluster runs.
    #[default]
    Image,
    /// Files for other images, in `/out`.
    Artifact,
}

/// What an image is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Its name: the name of its folder.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What it makes.
    pub kind: Kind,
    /// The image as the documents name it, where they do.
    pub documented: Option<String>,
    /// What it begins with.
    pub origin: Origin,
    /// Debian packages.
    pub packages: Vec<String>,
    /// Debian source packages, unpacked below `/src`.
    pub sources: Vec<String>,
    /// A Python environment.
    pub python: Option<Python>,
    /// Artifacts and the folders they are copied to.
    pub artifacts: BTreeMap<String, String>,
    /// What the image runs; absent keys are those of the recipe it stands on.
    pub config: Config,
    /// What building it takes, roughly.
    pub estimate: Estimate,
}

/// What an image begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The recipe it stands on, or `debian`: it is built.
    Recipe(String),
    /// An image in a container registry: it is pulled, and taken as it is.
    Registry(Pull),
}

/// A Python environment with every package pinned by hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// Where it is made.
    pub venv: String,
    /// The file with the pins, in the recipe's folder.
    pub requirements: String,
}

/// What an image runs, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The program that gets the command as arguments.
    pub entrypoint: Option<Vec<String>>,
    /// The command.
    pub cmd: Option<Vec<String>>,
    /// User, as `name`, `uid` or `uid:gid`.
    pub user: Option<String>,
    /// Working directory.
    pub workdir: Option<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
}

/// What building takes, roughly, on two cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Time, seconds.
    pub seconds: u64,
    /// Disk, megabytes.
    pub megabytes: u64,
}

impl Default for Estimate {
    fn default() -> Self {
        Self {
            seconds: 60,
            megabytes: 500,
        }
    }
}

/// A recipe and where its names of others are written.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) recipe: Recipe,
    pub(crate) text: String,
    pub(crate) file: String,
    pub(crate) from: Option<Spanned<String>>,
    pub(crate) artifacts: Vec<Spanned<String>>,
}

impl Recipe {
    /// The recipe it stands on, or `debian`; none for an image that is pulled.
    pub fn parent(&self) -> Option<&str> {
        match &self.origin {
            Origin::Recipe(parent) => Some(parent),
            Origin::Registry(_) => None,
        }
    }

    /// What it is pulled as; none for an image that is built.
    pub fn pull(&self) -> Option<&Pull> {
        match &self.origin {
            Origin::Recipe(_) => None,
            Origin::Registry(pull) => Some(pull),
        }
    }

    /// Folder of files copied to `/`, if the recipe has one.
    pub(crate) fn files(&self) -> Option<PathBuf> {
        Some(self.folder.join(FILES)).filter(|path| path.is_dir())
    }

    /// The script run last, if the recipe has one.
    pub(crate) fn script(&self) -> Option<PathBuf> {
        Some(self.folder.join(SCRIPT)).filter(|path| path.is_file())
    }
}

/// Reads the recipe in `folder`; `shown` is the file's path in messages.
pub(crate) fn read(folder: &Path, name: &str, shown: &str) -> Result<Read, Vec<Problem>> {
    let text = fs::read_to_string(folder.join(FILE)).map_err(|error| {
        let message = format!("cannot be read: {error}");
        vec![Problem::at(shown, "", &(0..0), message)]
    })?;
    let read = definition::read(shown, &text, "recipe", |top| {
        let read = parse(top, name, folder);
        check_folder(&read.recipe, top);
        read
    });
    read.map(|read| Read {
        text,
        file: shown.to_owned(),
        ..read
    })
}

fn parse(top: &mut Reader<'_, '_>, name: &str, folder: &Path) -> Read {
    let kind = kind(top);
    let documented = top.get("documented").map(Spanned::into_inner);
    let (origin, from) = origin(top, kind);
    let (packages, sources) = top.table("debian", debian).unwrap_or_default();
    let python = top.table("python", |table| python(table, folder)).flatten();
    let artifacts = top.map("artifacts");
    for (artifact, folder) in &artifacts {
        if !folder.get_ref().starts_with('/') {
            let message = format!("artifact `{artifact}` must go to an absolute path");
            top.problem(folder.span(), message);
        }
    }
    let config = top.table("config", config).unwrap_or_default();
    let recipe = Recipe {
        name: name.to_owned(),
        folder: folder.to_owned(),
        kind,
        documented,
        origin,
        packages,
        sources,
        python,
        artifacts: artifacts
            .iter()
            .map(|(name, folder)| (name.clone(), folder.get_ref().clone()))
            .collect(),
        config,
        estimate: top.table("estimate", estimate).unwrap_or_default(),
    };
    let artifacts = artifacts
        .into_iter()
        .map(|(name, folder)| Spanned::new(folder.span(), name))
        .collect();
    Read {
        recipe,
        text: String::new(),
        file: String::new(),
        from,
        artifacts,
    }
}

fn kind(top: &mut Reader<'_, '_>) -> Kind {
    let Some(kind) = top.get::<String>("kind") else {
        return Kind::Image;
    };
    match kind.get_ref().as_str() {
        "artifact" => Kind::Artifact,
        "image" => Kind::Image,
        other => {
            let message = format!("kind `{other}` is unknown; known are image, artifact");
            top.problem(kind.span(), message);
            Kind::Image
        }
    }
}

/// What the image begins with, and where `from` says so.
fn origin(top: &mut Reader<'_, '_>, kind: Kind) -> (Origin, Option<Spanned<String>>) {
    let Some(pull) = top.table("pull", pull) else {
        let from = top.needed("from");
        let parent = from.clone().map(Spanned::into_inner).unwrap_or_default();
        return (Origin::Recipe(parent), from);
    };
    top.exclude(&BUILDING, "beside [pull]: what is pulled is taken as it is");
    if kind == Kind::Artifact {
        top.exclude(&["kind"], "beside [pull]: what is pulled is an image");
    }
    (Origin::Registry(pull), None)
}

fn pull(table: &mut Reader<'_, '_>) -> Pull {
    let mut checked = |key, check: fn(&str) -> bool, wanted: &str| {
        let text = table.needed::<String>(key)?;
        if !check(text.get_ref()) {
            table.problem(text.span(), format!("`{}` is no {wanted}", text.get_ref()));
        }
        Some(text.into_inner())
    };
    Pull {
        reference: checked(
            "reference",
            reference::is_reference,
            "reference; one begins with its registry, for example `docker.io/name/name:tag`",
        )
        .unwrap_or_default(),
        digest: checked(
            "digest",
            reference::is_digest,
            "digest; one is `sha256:` and 64 hexadecimal digits",
        )
        .unwrap_or_default(),
    }
}

fn debian(table: &mut Reader<'_, '_>) -> (Vec<String>, Vec<String>) {
    let mut names = |key| {
        let names = table.list::<String>(key).unwrap_or_default();
        for name in names.iter().filter(|it| !is_package(it.get_ref())) {
            let message = format!("`{}` is no package name", name.get_ref());
            table.problem(name.span(), message);
        }
        names.into_iter().map(Spanned::into_inner).collect()
    };
    (names("packages"), names("sources"))
}

fn python(table: &mut Reader<'_, '_>, folder: &Path) -> Option<Python> {
    let venv = table.needed::<String>("venv");
    let requirements = table.needed::<String>("requirements");
    if let Some(file) = &requirements
        && !folder.join(file.get_ref()).is_file()
    {
        table.problem(
            file.span(),
            format!("file `{}` is not there", file.get_ref()),
        );
    }
    if let Some(venv) = venv.as_ref().filter(|it| !it.get_ref().starts_with('/')) {
        table.problem(venv.span(), "`venv` must be an absolute path");
    }
    Some(Python {
        venv: venv?.into_inner(),
        requirements: requirements?.into_inner(),
    })
}

fn config(table: &mut Reader<'_, '_>) -> Config {
    let plain = |texts: Vec<Spanned<String>>| texts.into_iter().map(Spanned::into_inner).collect();
    Config {
        entrypoint: table.list("entrypoint").map(plain),
        cmd: table.list("cmd").map(plain),
        user: table.get("user").map(Spanned::into_inner),
        workdir: table.get("workdir").map(Spanned::into_inner),
        env: table
            .map("env")
            .into_iter()
            .map(|(name, value)| (name, value.into_inner()))
            .collect(),
    }
}

fn estimate(table: &mut Reader<'_, '_>) -> Estimate {
    let Estimate { seconds, megabytes } = Estimate::default();
    let mut number = |key, default| table.get(key).map_or(default, Spanned::into_inner);
    Estimate {
        seconds: number("seconds", seconds),
        megabytes: number("megabytes", megabytes),
    }
}

fn is_package(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    // A version or an architecture may follow.
    let plain = name.split(['=', ':', '/']).next().unwrap_or_default();
    plain.len() >= 2
        && plain.starts_with(|c: char| c.is_ascii_alphanumeric())
        && plain.chars().all(allowed)
}

fn check_folder(recipe: &Recipe, top: &mut Reader<'_, '_>) {
    let folder = &recipe.folder;
    if recipe.pull().is_some() {
        for name in [FILES, SCRIPT] {
            if folder.join(name).exists() {
                top.problem(0..0, format!("`{name}` cannot stand beside [pull]"));
            }
        }
    }
    for name in MERGED {
        if folder.join(FILES).join(name).exists() {
            top.problem(
                0..0,
                format!("`{FILES}/{name}` must be `{FILES}/usr/{name}`"),
            );
        }
    }
}
