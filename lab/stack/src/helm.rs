//! Helm, the program itself, run with a kubeconfig.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use lab_model::secrets::without_secrets;
use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;
use tokio::{io::AsyncWriteExt, process::Command};

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
        let chart = chart.to_string_lossy();
        self.run_with(
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
                "-",
            ],
            // Every JSON document is a YAML document. In a pipe, because a file would stay
            // when this process is killed.
            values.to_string().into_bytes(),
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
        self.run_with(doing, args, Vec::new()).await
    }

    /// Runs Helm with something to read.
    async fn run_with(
        &self,
        doing: &str,
        args: &[&str],
        input: Vec<u8>,
    ) -> Result<Output, HelmError> {
        let failed = |source| HelmError::Start {
            program: self.program.clone(),
            source,
        };
        let mut helm = Command::new(&self.program)
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let stdin = helm.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // Helm may end without reading it; then its own words tell why.
                let _ = stdin.write_all(&input).await;
            }
        };
        let ((), output) = tokio::join!(feed, helm.wait_with_output());
        let output = output.map_err(failed)?;
        if output.status.success() {
            return Ok(output);
        }
        Err(HelmError::Refused {
            doing: doing.to_owned(),
            // Helm quotes what it could not apply, and that may be a Secret.
            said: without_secrets(String::from_utf8_lossy(&output.stderr).trim()),
            command: format!(
                "KUBECONFIG={} helm {}",
                self.kubeconfig.display(),
                args.join(" ")
            ),
        })
    }
}
