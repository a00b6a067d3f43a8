//! A checkout of its own, in which a test may break a file.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A copy of this checkout's definitions, and a folder to stand in.
pub(crate) struct Checkout {
    folder: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Checkout {
    pub(crate) fn new() -> Self {
        let checkout = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        symlink(original.join("features"), checkout.path("features")).unwrap();
        copy(&original.join("fixtures"), &checkout.path("fixtures"));
        checkout
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The same, with a file that holds this.
    pub(crate) fn with(self, file: &str, text: &str) -> Self {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Not into what a link of the same name leads to.
        let _ = fs::remove_file(&path);
        fs::write(path, text).unwrap();
        self
    }

    /// The same, with a text in a file replaced.
    pub(crate) fn changed(self, file: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "`{file}` has no `{from}`");
        let text = text.replace(from, to);
        self.with(file, &text)
    }

    /// Runs `lab` in it, on a machine without an engine.
    pub(crate) fn lab(&self, words: &[&str]) -> Ended {
        self.lab_with(words, &[])
    }

    /// The same, with variables.
    pub(crate) fn lab_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LAB_")) {
            command.env_remove(name);
        }
        let output = command
            .args(words)
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .env("LC_ALL", "C")
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITHUB_STEP_SUMMARY")
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        self.ended(&output)
    }

    /// The folder's path differs from run to run.
    fn ended(&self, output: &Output) -> Ended {
        let folder = self.folder.path().canonicalize().unwrap();
        let shown = |bytes| {
            String::from_utf8_lossy(bytes).replace(&*folder.to_string_lossy(), "[checkout]")
        };
        Ended {
            code: output.status.code(),
            stdout: shown(&output.stdout),
            stderr: shown(&output.stderr),
        }
    }
}

/// Copies folders and links to files: tests change a few small ones.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy(&from, &to);
        } else {
            symlink(from.canonicalize().unwrap(), to).unwrap();
        }
    }
}
