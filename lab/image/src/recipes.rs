//! A folder of recipes: which stands on which, and the tag of each.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use toml::Spanned;

use crate::{
    content,
    error::ImageError,
    problem::{RecipeErrors, RecipeProblem},
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
            problems = unknown_names(&read);
        }
        if problems.is_empty() {
            problems = circles(&read);
        }
        if !problems.is_empty() {
            return Err(RecipeErrors { problems }.into());
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

type ReadAll = (BTreeMap<String, Read>, Vec<RecipeProblem>);

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
            problems.push(RecipeProblem::new(&shown, "", None, message));
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

fn unknown_names(all: &BTreeMap<String, Read>) -> Vec<RecipeProblem> {
    let mut problems = Vec::new();
    for read in all.values() {
        if let Some(from) = &read.from
            && let Some(message) = unfit_parent(from.get_ref(), all)
        {
            let span = Some(from.span());
            problems.push(RecipeProblem::new(&read.file, &read.text, span, message));
        }
        for artifact in &read.artifacts {
            let name = artifact.get_ref().as_str();
            let known = all
                .get(name)
                .is_some_and(|other| other.recipe.kind == recipe::Kind::Artifact);
            if !known {
                let message = format!("[artifacts]: `{name}` is no recipe of kind artifact");
                let span = Some(artifact.span());
                problems.push(RecipeProblem::new(&read.file, &read.text, span, message));
            }
        }
    }
    problems
}

/// Why nothing can stand on the recipe of that name.
fn unfit_parent(name: &str, all: &BTreeMap<String, Read>) -> Option<String> {
    if name == BASE {
        return None;
    }
    match all.get(name).map(|other| &other.recipe) {
        Some(parent) if parent.pull().is_some() => Some(format!(
            "`from`: `{name}` is pulled; a recipe stands on one that is built"
        )),
        Some(parent) if parent.kind == recipe::Kind::Image => None,
        _ => Some(format!("`from`: `{name}` is no image recipe")),
    }
}

fn circles(all: &BTreeMap<String, Read>) -> Vec<RecipeProblem> {
    let mut problems = Vec::new();
    for (start, read) in all {
        let mut path = vec![start.as_str()];
        let mut open: Vec<(usize, &str)> = needs_of(read).map(|need| (1, need)).collect();
        while let Some((depth, name)) = open.pop() {
            path.truncate(depth);
            if name == start {
                path.push(name);
                let message = format!("recipes stand on each other: {}", path.join(" -> "));
                let span = read.from.as_ref().map(Spanned::span);
                problems.push(RecipeProblem::new(&read.file, &read.text, span, message));
                break;
            }
            if path.contains(&name) {
                continue;
            }
            path.push(name);
            open.extend(
                all.get(name)
                    .into_iter()
                    .flat_map(needs_of)
                    .map(|need| (depth + 1, need)),
            );
        }
    }
    problems
}

fn needs_of(read: &Read) -> impl Iterator<Item = &str> {
    read.from
        .iter()
        .chain(&read.artifacts)
        .map(|name| name.get_ref().as_str())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn with(self, path: &str, content: &str) -> Self {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            self
        }

        fn read(&self) -> Result<Recipes, ImageError> {
            Recipes::read(self.0.path())
        }

        fn tag(&self, name: &str) -> String {
            self.read().unwrap().reference(name).unwrap().to_owned()
        }
    }

    fn three() -> Folder {
        Folder::new()
            .with("mlflow/recipe.toml", "from = \"python\"\n")
            .with(
                "python/recipe.toml",
                "from = \"debian\"\n[config]\nuser = \"1000\"\n",
            )
            .with(
                "airflow/recipe.toml",
                "from = \"mlflow\"\n[artifacts]\ntool = \"/usr/local/bin\"\n",
            )
            .with(
                "tool/recipe.toml",
                "kind = \"artifact\"\nfrom = \"debian\"\n",
            )
    }

    #[test]
    fn the_recipes_of_this_checkout_are_sound() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/images");

        let recipes = Recipes::read(&folder).unwrap();

        assert!(recipes.get("mlflow").is_some());
        assert!(recipes.get("grafana").unwrap().pull().is_some());
    }

    #[test]
    fn everything_comes_after_what_it_needs() {
        let recipes = three().read().unwrap();

        let order = recipes.order(&["airflow"]).unwrap();

        assert_eq!(order, ["debian", "python", "mlflow", "tool", "airflow"]);
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let folder = Folder::new()
            .with(
                "bad/recipe.toml",
                "form = \"debian\"\nkind = \"images\"\n\n[debian]\npackages = [\"tini\", \"No\"]\nextra = 1\n\n\
                 [python]\nvenv = \"opt\"\nrequirements = 3\n",
            )
            .with("worse/recipe.toml", "from = \"debian\n");

        let error = folder.read().unwrap_err();

        insta::assert_snapshot!(error);
    }

    #[test]
    fn a_recipe_that_is_pulled_stands_on_nothing() {
        let digest = "0".repeat(64);
        let folder = three().with(
            "grafana/recipe.toml",
            &format!("[pull]\nreference = \"docker.io/a/b:1\"\ndigest = \"sha256:{digest}\"\n"),
        );

        let recipes = folder.read().unwrap();

        assert_eq!(recipes.order(&["grafana"]).unwrap(), ["grafana"]);
        let pull = recipes.get("grafana").unwrap().pull().unwrap();
        assert_eq!(pull.reference, "docker.io/a/b:1");
    }

    #[test]
    fn every_contradiction_of_a_recipe_that_is_pulled_is_told_with_its_place() {
        let folder = three()
            .with(
                "both/recipe.toml",
                "kind = \"artifact\"\nfrom = \"debian\"\n\n[pull]\nreference = \"grafana:10\"\n\
                 digest = \"sha256:1\"\ntag = \"10\"\n\n[config]\nuser = \"0\"\n",
            )
            .with("both/build.sh", "true\n")
            .with(
                "half/recipe.toml",
                "[pull]\nreference = \"docker.io/a/b\"\n",
            );

        let error = folder.read().unwrap_err();

        insta::assert_snapshot!(error);
    }

    #[test]
    fn nothing_stands_on_what_is_pulled() {
        let digest = "0".repeat(64);
        let folder = three()
            .with(
                "grafana/recipe.toml",
                &format!("[pull]\nreference = \"docker.io/a/b\"\ndigest = \"sha256:{digest}\"\n"),
            )
            .with("plus/recipe.toml", "from = \"grafana\"\n");

        let error = folder.read().unwrap_err();

        assert!(
            error.to_string().contains(
                "plus/recipe.toml:1: `from`: `grafana` is pulled; a recipe stands on one that is built"
            ),
            "{error}"
        );
    }

    #[test]
    fn a_name_that_is_no_recipe_is_told_with_its_place() {
        let folder = three().with(
            "node/recipe.toml",
            "\nfrom = \"tool\"\n[artifacts]\nnone = \"/x\"\n",
        );

        let error = folder.read().unwrap_err();

        insta::assert_snapshot!(error);
    }

    #[test]
    fn a_circle_is_told() {
        let folder = Folder::new()
            .with("aa/recipe.toml", "from = \"bb\"\n")
            .with("bb/recipe.toml", "from = \"aa\"\n");

        let error = folder.read().unwrap_err();

        insta::assert_snapshot!(error);
    }

    #[test]
    fn a_file_at_a_link_of_the_base_is_refused() {
        let folder = three().with("python/files/bin/x", "");

        let error = folder.read().unwrap_err();

        assert!(
            error
                .to_string()
                .contains("`files/bin` must be `files/usr/bin`")
        );
    }

    #[test]
    fn absent_keys_are_those_of_the_recipe_below() {
        let recipes = three().read().unwrap();

        assert_eq!(recipes.config("airflow").user.as_deref(), Some("1000"));
    }

    #[test]
    fn a_change_below_changes_the_tags_above_and_no_other() {
        let before = three();
        let after = three().with("python/build.sh", "true\n");

        assert_ne!(before.tag("airflow"), after.tag("airflow"));
        assert_eq!(before.tag("tool"), after.tag("tool"));
    }

    #[test]
    fn a_change_of_an_artifact_changes_what_takes_it_in() {
        let before = three();
        let after = three().with("tool/build.sh", "true\n");

        assert_ne!(before.tag("airflow"), after.tag("airflow"));
        assert_eq!(before.tag("mlflow"), after.tag("mlflow"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn tags_depend_on_content_and_on_nothing_else(
            files in prop::collection::btree_map("[a-z]{1,8}", "[ -~]{0,40}", 0..6),
        ) {
            let folder = |reversed: bool| {
                let mut files: Vec<_> = files.iter().collect();
                if reversed {
                    files.reverse();
                }
                files.into_iter().fold(three(), |folder, (name, content)| {
                    folder.with(&format!("python/files/{name}.txt"), content)
                })
            };

            let (one, other) = (folder(false), folder(true));

            prop_assert_eq!(one.tag("mlflow"), other.tag("mlflow"));
            let changed = other.with("python/files/one-more", "");
            prop_assert_ne!(one.tag("mlflow"), changed.tag("mlflow"));
        }
    }
}
