//! `lab.toml`: a folder's own settings, below flags and environment and above what is
//! built in. Every key stands for a flag or a variable of the same meaning.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Command;
use lab_model::{
    definition::{DefinitionError, Reader, read},
    provider::Provider,
};
use miette::Diagnostic;
use thiserror::Error;
use toml::Spanned;

const FILE: &str = "lab.toml";

/// What a `lab.toml` says.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Values of flags that are not given, by the flag's id.
    defaults: BTreeMap<&'static str, String>,
    /// Where packages and images come from.
    pub(crate) mirrors: Mirrors,
}

/// Where packages and images come from, where no variable says it.
#[derive(Debug, Default)]
pub(crate) struct Mirrors {
    debian: Option<String>,
    debian_security: Option<String>,
    python: Option<String>,
    registry: Option<String>,
}

/// A `lab.toml` that cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Definition(#[from] DefinitionError),
    #[error("failed to read `{}`", path.display())]
    #[diagnostic(
        code(lab::cli::settings),
        help("see that you may read it, or remove it")
    )]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Settings {
    /// Those of the nearest `lab.toml`: in the folder, or above it; none without one.
    pub(crate) fn nearest(folder: &Path) -> Result<Self, SettingsError> {
        let mut files = folder.ancestors().map(|it| it.join(FILE));
        let Some(path) = files.find(|it| it.is_file()) else {
            return Ok(Self::default());
        };
        let text = fs::read_to_string(&path).map_err(|source| SettingsError::Read {
            path: path.clone(),
            source,
        })?;
        Ok(Self::parse(&path.to_string_lossy(), &text)?)
    }

    fn parse(file: &str, text: &str) -> Result<Self, DefinitionError> {
        let settings = read(file, text, "settings", |top| Self {
            defaults: defaults(top),
            mirrors: top.table("mirrors", mirrors).unwrap_or_default(),
        });
        settings.map_err(|problems| DefinitionError::of(file, problems))
    }

    /// Makes them the defaults of the command line's flags: what is given on it or in
    /// the environment counts more, and `--help` shows what counts here.
    pub(crate) fn apply(&self, command: Command) -> Command {
        command
            .mut_subcommands(|it| self.apply(it))
            .mut_args(|arg| {
                let default = self.defaults.get(arg.get_id().as_str());
                // A flag without a default means something by its absence.
                match default.filter(|_| !arg.get_default_values().is_empty()) {
                    Some(default) => arg.default_value(default.clone()),
                    None => arg,
                }
            })
    }
}

impl Mirrors {
    /// Fills in what the environment does not say.
    pub(crate) fn fill_in(&self, settings: lab_image::Settings) -> lab_image::Settings {
        let or = |one: Option<String>, other: &Option<String>| one.or_else(|| other.clone());
        lab_image::Settings {
            debian_mirror: or(settings.debian_mirror, &self.debian),
            security_mirror: or(settings.security_mirror, &self.debian_security),
            python_index: or(settings.python_index, &self.python),
            registry_mirror: or(settings.registry_mirror, &self.registry),
            ..settings
        }
    }
}

fn defaults(top: &mut Reader<'_, '_>) -> BTreeMap<&'static str, String> {
    let mut defaults = BTreeMap::new();
    for key in ["stack", "lock"] {
        defaults.extend(text(top, key).map(|value| (key, value)));
    }
    if let Some(nodes) = top.get::<u64>("nodes") {
        if !(1..=9).contains(nodes.get_ref()) {
            top.problem(nodes.span(), "key `nodes` must be from 1 to 9");
        }
        defaults.insert("nodes", nodes.get_ref().to_string());
    }
    let providers = Provider::ALL.map(Provider::as_str);
    let choices: [(_, _, &[&str]); 3] = [
        ("provider", "provider", &providers),
        ("images", "policy", &["auto", "pull", "build"]),
        ("lang", "lang", &["auto", "en", "ko"]),
    ];
    for (key, flag, known) in choices {
        let Some(chosen) = top.get::<String>(key) else {
            continue;
        };
        if !known.contains(&chosen.get_ref().as_str()) {
            let message = format!("key `{key}` must be one of {}", known.join(", "));
            top.problem(chosen.span(), message);
        }
        defaults.insert(flag, chosen.into_inner());
    }
    defaults
}

fn mirrors(table: &mut Reader<'_, '_>) -> Mirrors {
    Mirrors {
        debian: text(table, "debian"),
        debian_security: text(table, "debian-security"),
        python: text(table, "python"),
        registry: text(table, "registry"),
    }
}

/// Text with something in it.
fn text(table: &mut Reader<'_, '_>, key: &'static str) -> Option<String> {
    let text = table.get::<String>(key)?;
    if text.get_ref().trim().is_empty() {
        table.problem(text.span(), format!("key `{key}` must not be empty"));
    }
    Some(Spanned::into_inner(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_counts_more_than_the_file() {
        let text = "[mirrors]\npython = \"file\"\nregistry = \"file\"\n";
        let settings = Settings::parse("lab.toml", text).unwrap();
        let environment = lab_image::Settings {
            python_index: Some("environment".to_owned()),
            ..lab_image::Settings::default()
        };

        let filled = settings.mirrors.fill_in(environment);

        assert_eq!(filled.python_index.as_deref(), Some("environment"));
        assert_eq!(filled.registry_mirror.as_deref(), Some("file"));
        assert_eq!(filled.debian_mirror, None);
    }
}
