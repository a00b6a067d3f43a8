use std::{fs, path::PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::Recipes;
use crate::ImageError;

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
