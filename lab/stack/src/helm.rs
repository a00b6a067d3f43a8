//! Helm, the program itself, run with a kubeconfig.

use std::{
    io,
    path::{Path, PathBuf},
    process::Output,
};

use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;
use tokio::process::Command;

/// Helm could not do what it was told.
#[derive(Debug, Error, Diagnostic)]
pub enum HelmError {
    /// The program does not start.
    #[error("failed to start `{}`", program.display())]
    #[diagnostic(
        code(lab::helm::start),
        help("`lab images build helm` fetches it again")
    )]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Helm ended with an error.
    #[error("failed to {doing}: {said}")]
    #[diagnostic(code(lab::helm::refused), help("the same by hand: `{command}`"))]
    Refused {
        /// What was being done.
        doing: String,
        /// Helm's own words.
        said: String,
        /// The command line.
        command: String,
    },
    /// Helm said something that is not the JSON asked for.
    #[error("failed to read Helm's answer")]
    #[diagnostic(code(lab::helm::answer))]
    Answer(#[source] serde_json::Error),
    /// The values file could not be written.
    #[error("failed to write Helm's values")]
    #[diagnostic(code(lab::helm::values))]
    Values(#[source] io::Error),
}

/// The Helm program, bound to one cluster.
#[derive(Debug, Clone)]
pub struct Helm {
    program: PathBuf,
    kubeconfig: PathBuf,
}

/// An installed chart, as `helm list` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Chart name and version.
    pub chart: String,
    /// `deployed`, `failed`, …
    pub status: String,
}

impl Helm {
    /// Binds the program at `program` to the cluster of `kubeconfig`.
    pub fn new(program: PathBuf, kubeconfig: PathBuf) -> Self {
        Self {
            program,
            kubeconfig,
        }
    }

    /// Installs a chart, or upgrades the release of that name, without waiting for
    /// its pods.
    ///
    /// # Errors
    /// [`HelmError`], with Helm's own words and the command to try by hand.
    pub async fn upgrade_install(
        &self,
        release: &str,
        namespace: &str,
        chart: &Path,
        values: &serde_json::Value,
    ) -> Result<(), HelmError> {
        let file = tempfile::Builder::new()
            .prefix("lab-values-")
            .suffix(".yaml")
            .tempfile()
            .map_err(HelmError::Values)?;
        // Every JSON document is a YAML document.
        serde_json::to_writer(&file, values).map_err(|error| HelmError::Values(error.into()))?;
        let chart = chart.to_string_lossy();
        let values = file.path().to_string_lossy();
        self.run(
            &format!("install release `{release}`"),
            &[
                "upgrade",
                "--install",
                release,
                &chart,
                "--namespace",
                namespace,
                "--create-namespace",
                "--values",
                &values,
            ],
        )
        .await
        .map(drop)
    }

    /// The releases of every namespace.
    ///
    /// # Errors
    /// [`HelmError`], with Helm's own words.
    pub async fn list(&self) -> Result<Vec<Release>, HelmError> {
        let args = ["list", "--all-namespaces", "--output", "json"];
        let output = self.run("list releases", &args).await?;
        serde_json::from_slice(&output.stdout).map_err(HelmError::Answer)
    }

    /// Removes a release. One that is not there counts as removed.
    ///
    /// # Errors
    /// [`HelmError`], with Helm's own words.
    pub async fn uninstall(&self, release: &str, namespace: &str) -> Result<(), HelmError> {
        let args = [
            "uninstall",
            release,
            "--namespace",
            namespace,
            "--ignore-not-found",
        ];
        self.run(&format!("uninstall release `{release}`"), &args)
            .await
            .map(drop)
    }

    async fn run(&self, doing: &str, args: &[&str]) -> Result<Output, HelmError> {
        let output = Command::new(&self.program)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| HelmError::Start {
                program: self.program.clone(),
                source,
            })?;
        if output.status.success() {
            return Ok(output);
        }
        Err(HelmError::Refused {
            doing: doing.to_owned(),
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            command: format!(
                "KUBECONFIG={} helm {}",
                self.kubeconfig.display(),
                args.join(" ")
            ),
        })
    }
}
