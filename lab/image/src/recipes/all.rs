//! All recipes of a folder, in the order they can be carried out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use lab_model::definition::{DefinitionError, Problem};

use super::soundness;
use crate::{
    content,
    error::ImageError,
    recipe::{self, Config, Read, Recipe},
};

/// The name of the base root file system.
pub const BASE: &str = "debian";

/// All recipes of a folder, known to be sound: no name is missing, no circle.
#[derive(Debug, Clone)]
pub struct Recipes {
    recipes: BTreeMap<String, Recipe>,
    references: BTreeMap<String, String>,
}

impl Recipes {
    /// Reads every recipe below `folder`.
    ///
    /// # Errors
    /// With every problem of every recipe.
    pub fn read(folder: &Path) -> Result<Self, ImageError> {
        let (read, mut problems) = read_all(folder)?;
        if problems.is_empty() {
            problems = soundness::problems(&read);
        }
        if !problems.is_empty() {
            let what = "the image recipes".to_owned();
            return Err(DefinitionError { what, problems }.into());
        }
        let recipes = read
            .into_iter()
            .map(|(name, read)| (name, read.recipe))
            .collect();
        let mut all = Self {
            recipes,
            references: BTreeMap::from([(BASE.to_owned(), content::base_reference())]),
        };
        all.refer()?;
        Ok(all)
    }

    /// The recipe of that name.
    pub fn get(&self, name: &str) -> Option<&Recipe> {
        self.recipes.get(name)
    }

    /// All recipes, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.recipes.values()
    }

    /// The reference of a recipe's image, `lab/NAME:CONTENT`.
    pub fn reference(&self, name: &str) -> Option<&str> {
        self.references.get(name).map(String::as_str)
    }

    /// What a recipe needs first: the one it stands on and its artifacts.
    pub fn needs<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.recipes.get(name).into_iter().flat_map(|recipe| {
            let artifacts = recipe.artifacts.keys().map(String::as_str);
            recipe.parent().into_iter().chain(artifacts)
        })
    }

    /// The names given and all they need, each after what it needs.
    ///
    /// # Errors
    /// When a name is no recipe.
    pub fn order(&self, names: &[&str]) -> Result<Vec<String>, ImageError> {
        let mut order = Vec::new();
        for name in names {
            self.visit(name, &mut order)?;
        }
        Ok(order)
    }

    /// What a recipe's image runs, with what it takes over from the recipe it stands on.
    pub fn config(&self, name: &str) -> Config {
        let Some(recipe) = self.recipes.get(name) else {
            return Config::default();
        };
        let below = recipe
            .parent()
            .map(|parent| self.config(parent))
            .unwrap_or_default();
        let own = recipe.config.clone();
        let mut env = below.env;
        env.extend(own.env);
        Config {
            // A new entrypoint makes the old command meaningless.
            cmd: own.cmd.or(if own.entrypoint.is_some() {
                None
            } else {
                below.cmd
            }),
            entrypoint: own.entrypoint.or(below.entrypoint),
            user: own.user.or(below.user),
            workdir: own.workdir.or(below.workdir),
            env,
        }
    }

    fn visit(&self, name: &str, order: &mut Vec<String>) -> Result<(), ImageError> {
        if order.iter().any(|done| done == name) {
            return Ok(());
        }
        if name != BASE && !self.recipes.contains_key(name) {
            return Err(self.unknown(name));
        }
        for need in self.needs(name) {
            self.visit(need, order)?;
        }
        order.push(name.to_owned());
        Ok(())
    }

    pub(crate) fn unknown(&self, name: &str) -> ImageError {
        let known: Vec<_> = self.recipes.keys().map(String::as_str).collect();
        ImageError::Unknown {
            name: name.to_owned(),
            known: known.join(", "),
        }
    }

    fn refer(&mut self) -> Result<(), ImageError> {
        let names: Vec<_> = self.recipes.keys().cloned().collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        for name in self.order(&names)? {
            let Some(recipe) = self.recipes.get(&name) else {
                continue;
            };
            let below: Vec<&str> = self
                .needs(&name)
                .filter_map(|need| self.reference(need))
                .collect();
            let reference = content::reference(recipe, &below)?;
            self.references.insert(name, reference);
        }
        Ok(())
    }
}

type ReadAll = (BTreeMap<String, Read>, Vec<Problem>);

fn read_all(folder: &Path) -> Result<ReadAll, ImageError> {
    let failed = |source| ImageError::Io {
        doing: format!("read the recipes in `{}`", folder.display()),
        source,
    };
    let (mut read, mut problems) = (BTreeMap::new(), Vec::new());
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().join("recipe.toml").is_file() {
            folders.insert(entry.path());
        }
    }
    for path in folders {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let shown = format!("{name}/recipe.toml");
        if name.parse::<lab_model::name::ClusterName>().is_err() || name == BASE {
            let message = format!("`{name}` cannot be a recipe's name");
            problems.push(Problem::at(&shown, "", &(0..0), message));
            continue;
        }
        match recipe::read(&path, name, &shown) {
            Ok(one) => {
                read.insert(name.to_owned(), one);
            }
            Err(found) => problems.extend(found),
        }
    }
    Ok((read, problems))
}
