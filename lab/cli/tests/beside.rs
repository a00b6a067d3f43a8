//! Two `lab` beside each other, and a disk that does not hold what is asked for: the
//! program on a real engine.

use std::{
    fs,
    path::Path,
    process::{Child, Command, ExitCode, Output, Stdio},
};

use lab_engine::Engine;
use lab_image::{Images, Settings};
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;
use tokio::runtime::Runtime;

type Outcome = Result<(), Failed>;

fn main() -> ExitCode {
    let ready = Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(ready()));
    let is_required = std::env::var("LAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    let trial = |name: &str, test: fn() -> Outcome| match &ready {
        Ok(()) => Trial::test(name, test),
        Err(reason) => {
            let failed = reason.clone();
            Trial::test(format!("{name} ({reason})"), || Err(failed.into()))
                .with_ignored_flag(!is_required)
        }
    };
    let trials = vec![
        trial(
            "clusters_made_at_once_stand_beside_each_other_and_a_name_is_given_once",
            clusters_made_at_once,
        ),
        trial(
            "what_the_disk_does_not_hold_is_refused_before_anything_is_made",
            what_the_disk_does_not_hold,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// An engine with the node image, or why there is none.
async fn ready() -> Result<(), String> {
    let engine = Engine::connect().await.map_err(|error| error.to_string())?;
    let recipes = checkout().join("fixtures/images");
    let images = Images::open(engine, &recipes, Settings::default());
    let images = images.map_err(|error| error.to_string())?;
    match images.is_there("node").await {
        Ok(true) => Ok(()),
        Ok(false) => Err("the image `node` is not built".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Two of one name and one of another: all publish the same NodePorts, so that a port
/// would be taken if ports could be.
fn clusters_made_at_once() -> Outcome {
    let place = Place::new()?;
    let id = std::process::id();
    let (one, other) = (format!("beside-{id}"), format!("besides-{id}"));
    let _removed = Removed(&place, [&one, &other]);

    let started = [&one, &one, &other].map(|name| place.start(&["up", name]));
    let mut ended = Vec::new();
    for child in started {
        ended.push(child?.wait_with_output()?);
    }
    let seen = [&one, &other].map(|name| place.lab(&["status", name, "--json"]));
    let removed = [&one, &other].map(|name| place.lab(&["down", name]));
    let left = place.lab(&["clean", "--check"])?;

    let mut codes: Vec<_> = ended[..2].iter().map(|it| it.status.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(12)], "{ended:?}");
    let refused = ended.iter().find(|it| !it.status.success());
    let said = refused.map(|it| String::from_utf8_lossy(&it.stderr).into_owned());
    let said = said.unwrap_or_default();
    let expected = format!("a cluster `{one}` is there already");
    assert!(said.contains(&expected), "{said}");
    assert_eq!(ended[2].status.code(), Some(0), "{:?}", ended[2]);
    for output in seen.into_iter().chain(removed) {
        let output = output?;
        assert!(output.status.success(), "{output:?}");
    }
    assert!(left.status.success(), "{left:?}");
    Ok(())
}

/// The disk is the real one: it is the recipe that asks for more than any has.
fn what_the_disk_does_not_hold() -> Outcome {
    let place = Place::new()?;
    let recipe = place.folder.path().join("fixtures/images/vast");
    fs::create_dir_all(&recipe)?;
    fs::create_dir_all(place.folder.path().join("fixtures/stacks"))?;
    let text = "from = \"debian\"\n[estimate]\nmegabytes = 1_000_000_000\n";
    fs::write(recipe.join("recipe.toml"), text)?;

    let mut command = place.command(&["images", "build", "vast"]);
    let output = command.env("LAB_ROOT", place.folder.path()).output()?;

    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(12), "{said}");
    assert!(said.contains(" MB are free at `"), "{said}");
    assert!(said.contains("MB are needed for"), "{said}");
    assert!(said.contains("docker image prune"), "{said}");
    Ok(())
}

/// A state folder of its own.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Result<Self, Failed> {
        Ok(Self {
            folder: tempfile::tempdir()?,
        })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command
            .args(words)
            .env("LAB_ROOT", checkout())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env("NO_COLOR", "1")
            .env("COLUMNS", "200")
            .stdin(Stdio::null());
        command
    }

    fn start(&self, words: &[&str]) -> Result<Child, Failed> {
        let mut command = self.command(words);
        Ok(command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?)
    }

    fn lab(&self, words: &[&str]) -> Result<Output, Failed> {
        Ok(self.command(words).output()?)
    }
}

/// Clusters to remove on every way out, also after an assertion.
struct Removed<'a>(&'a Place, [&'a str; 2]);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        for name in self.1 {
            // It is removed already where nothing went wrong.
            let _ = self.0.command(&["down", name]).output();
        }
    }
}

fn checkout() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
