//! A recipe: what an image is made of.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use toml::{Spanned, de::DeTable};

use crate::{
    problem::RecipeProblem,
    reader::{Found, Reader},
    reference::{self, Pull},
};

const FILE: &str = "recipe.toml";
const FILES: &str = "files";
const SCRIPT: &str = "build.sh";
/// Links in the base; a folder of that name would take their place.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];
/// Keys that say how an image is built.
const BUILDING: [&str; 5] = ["from", "debian", "python", "artifacts", "config"];
const DEFAULT_SECONDS: u64 = 60;
const DEFAULT_MEGABYTES: u64 = 500;

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
pub(crate) fn read(folder: &Path, name: &str, shown: &str) -> Result<Read, Vec<RecipeProblem>> {
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path).map_err(|error| {
        vec![RecipeProblem::new(
            shown,
            "",
            None,
            format!("cannot be read: {error}"),
        )]
    })?;
    let (read, mut found) = match DeTable::parse(&text) {
        Ok(table) => parse(&table, name),
        Err(error) => {
            let problem = RecipeProblem::new(shown, &text, error.span(), error.message());
            return Err(vec![problem]);
        }
    };
    found.extend(check_folder(folder, &read));
    if found.is_empty() {
        let Parsed {
            mut recipe,
            from,
            artifacts,
        } = read;
        folder.clone_into(&mut recipe.folder);
        let file = shown.to_owned();
        Ok(Read {
            recipe,
            text,
            file,
            from,
            artifacts,
        })
    } else {
        found.sort_by_key(|(span, _)| span.start);
        Err(found
            .into_iter()
            .map(|(span, message)| RecipeProblem::new(shown, &text, Some(span), message))
            .collect())
    }
}

struct Parsed {
    recipe: Recipe,
    from: Option<Spanned<String>>,
    artifacts: Vec<Spanned<String>>,
}

fn parse(table: &Spanned<DeTable<'_>>, name: &str) -> (Parsed, Vec<Found>) {
    let mut top = Reader::new(table.get_ref(), "", 0..0);
    let mut found = Vec::new();
    let kind = kind(&mut top);
    let documented = top.text("documented").map(Spanned::into_inner);
    let (origin, from) = origin(&mut top, kind, &mut found);
    let (packages, sources) = debian(&mut top, &mut found);
    let python = python(&mut top, &mut found);
    let artifacts = top.map("artifacts");
    let config = config(&mut top, &mut found);
    let estimate = estimate(&mut top, &mut found);
    for (artifact, folder) in &artifacts {
        if !folder.get_ref().starts_with('/') {
            let message = format!("[artifacts]: `{artifact}` must go to an absolute path");
            found.push((folder.span(), message));
        }
    }
    found.extend(top.finish());
    let recipe = Recipe {
        name: name.to_owned(),
        folder: PathBuf::new(),
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
        estimate,
    };
    let artifacts = artifacts
        .into_iter()
        .map(|(name, folder)| Spanned::new(folder.span(), name))
        .collect();
    (
        Parsed {
            recipe,
            from,
            artifacts,
        },
        found,
    )
}

fn kind(top: &mut Reader<'_, '_>) -> Kind {
    let Some(kind) = top.text("kind") else {
        return Kind::Image;
    };
    match kind.get_ref().as_str() {
        "artifact" => Kind::Artifact,
        "image" => Kind::Image,
        other => {
            let message = format!("recipe: kind `{other}` is unknown; known are image, artifact");
            top.problems.push((kind.span(), message));
            Kind::Image
        }
    }
}

/// What the image begins with, and where `from` says so.
fn origin(
    top: &mut Reader<'_, '_>,
    kind: Kind,
    found: &mut Vec<Found>,
) -> (Origin, Option<Spanned<String>>) {
    let Some(mut table) = top.table("pull") else {
        let from = top.needed("from");
        let parent = from.clone().map(Spanned::into_inner).unwrap_or_default();
        return (Origin::Recipe(parent), from);
    };
    top.exclude(&BUILDING, "beside [pull]: what is pulled is taken as it is");
    if kind == Kind::Artifact {
        top.exclude(&["kind"], "beside [pull]: what is pulled is an image");
    }
    let mut checked = |key, check: fn(&str) -> bool, wanted: &str| {
        let text = table.needed(key)?;
        if !check(text.get_ref()) {
            let message = format!("[pull]: `{}` is no {wanted}", text.get_ref());
            table.problems.push((text.span(), message));
        }
        Some(text.into_inner())
    };
    let pull = Pull {
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
    };
    found.extend(table.finish());
    (Origin::Registry(pull), None)
}

fn debian(top: &mut Reader<'_, '_>, found: &mut Vec<Found>) -> (Vec<String>, Vec<String>) {
    let Some(mut table) = top.table("debian") else {
        return (Vec::new(), Vec::new());
    };
    let mut names = |key| {
        let names = table.texts(key).unwrap_or_default();
        for name in &names {
            if !is_package(name.get_ref()) {
                let message = format!("[debian]: `{}` is no package name", name.get_ref());
                table.problems.push((name.span(), message));
            }
        }
        names.into_iter().map(Spanned::into_inner).collect()
    };
    let lists = (names("packages"), names("sources"));
    found.extend(table.finish());
    lists
}

fn python(top: &mut Reader<'_, '_>, found: &mut Vec<Found>) -> Option<Python> {
    let mut table = top.table("python")?;
    let (venv, requirements) = (table.needed("venv"), table.needed("requirements"));
    if let Some(venv) = venv
        .as_ref()
        .filter(|venv| !venv.get_ref().starts_with('/'))
    {
        let message = "[python]: `venv` must be an absolute path".to_owned();
        table.problems.push((venv.span(), message));
    }
    found.extend(table.finish());
    Some(Python {
        venv: venv?.into_inner(),
        requirements: requirements?.into_inner(),
    })
}

fn config(top: &mut Reader<'_, '_>, found: &mut Vec<Found>) -> Config {
    let Some(mut table) = top.table("config") else {
        return Config::default();
    };
    let plain = |texts: Vec<Spanned<String>>| texts.into_iter().map(Spanned::into_inner).collect();
    let config = Config {
        entrypoint: table.texts("entrypoint").map(plain),
        cmd: table.texts("cmd").map(plain),
        user: table.text("user").map(Spanned::into_inner),
        workdir: table.text("workdir").map(Spanned::into_inner),
        env: table
            .map("env")
            .into_iter()
            .map(|(name, value)| (name, value.into_inner()))
            .collect(),
    };
    found.extend(table.finish());
    config
}

fn estimate(top: &mut Reader<'_, '_>, found: &mut Vec<Found>) -> Estimate {
    let mut estimate = Estimate {
        seconds: DEFAULT_SECONDS,
        megabytes: DEFAULT_MEGABYTES,
    };
    if let Some(mut table) = top.table("estimate") {
        estimate.seconds = table.number("seconds").unwrap_or(estimate.seconds);
        estimate.megabytes = table.number("megabytes").unwrap_or(estimate.megabytes);
        found.extend(table.finish());
    }
    estimate
}

fn is_package(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    // A version or an architecture may follow.
    let plain = name.split(['=', ':', '/']).next().unwrap_or_default();
    plain.len() >= 2
        && plain.starts_with(|c: char| c.is_ascii_alphanumeric())
        && plain.chars().all(allowed)
}

fn check_folder(folder: &Path, read: &Parsed) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(python) = &read.recipe.python
        && !folder.join(&python.requirements).is_file()
    {
        let message = format!("[python]: file `{}` is not there", python.requirements);
        found.push((0..0, message));
    }
    if read.recipe.pull().is_some() {
        for name in [FILES, SCRIPT] {
            if folder.join(name).exists() {
                let message = format!("`{name}` cannot stand beside [pull]");
                found.push((0..0, message));
            }
        }
    }
    for name in MERGED {
        if folder.join(FILES).join(name).exists() {
            let message = format!("`{FILES}/{name}` must be `{FILES}/usr/{name}`");
            found.push((0..0, message));
        }
    }
    found
}
