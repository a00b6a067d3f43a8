//! The program `lab`, asked as a person would ask it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::de::DeserializeOwned;
use tokio::process::Command;

use crate::LabError;

/// Lines of a failed call that are shown.
const TAIL_LINES: usize = 30;

/// Where the program is, and which checkout it uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) root: Option<PathBuf>,
}

impl Program {
    /// The program that was named, or the one that is found.
    pub(crate) fn find(named: Option<PathBuf>) -> Result<PathBuf, LabError> {
        let named = named.or_else(|| env::var_os("LAB_PROGRAM").map(PathBuf::from));
        named
            .or_else(|| beside(&env::current_exe().ok()?))
            .or_else(on_path)
            .ok_or(LabError::NoProgram)
    }

    /// Runs `lab WORDS --json` and reads its answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, words: &[String]) -> Result<T, LabError> {
        let output = self.run(words).await?;
        serde_json::from_slice(&output).map_err(|source| LabError::Answer {
            words: words.join(" "),
            source,
        })
    }

    /// Runs `lab WORDS --json`; gives back what it wrote.
    pub(crate) async fn run(&self, words: &[String]) -> Result<Vec<u8>, LabError> {
        let output = Command::from(self.command(words)).output().await;
        let output = output.map_err(|source| LabError::Start {
            program: self.path.display().to_string(),
            source,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<_> = stderr.lines().collect();
        Err(LabError::Failed {
            words: words.join(" "),
            status: output.status.to_string(),
            stderr: lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"),
        })
    }

    pub(crate) fn command(&self, words: &[String]) -> std::process::Command {
        let mut command = std::process::Command::new(&self.path);
        command.args(words).arg("--json").stdin(Stdio::null());
        if let Some(root) = &self.root {
            command.arg("--root").arg(root);
        }
        command
    }
}

/// Test programs lie in `target/…/deps`, a workspace's programs one folder above.
fn beside(test: &Path) -> Option<PathBuf> {
    test.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("lab"))
        .find(|path| path.is_file())
}

fn on_path() -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join("lab"))
        .find(|path| path.is_file())
}
