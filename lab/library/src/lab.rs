//! A running lab.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};

use lab_k8s::Kube;
use lab_model::fault::Fault;
use serde::Deserialize;

use crate::{FaultGuard, LabBuilder, LabError, Namespace, program::Program};

/// A running cluster, with its stack. A cluster of the test's own goes when this is
/// dropped, also after a panic.
#[derive(Debug)]
pub struct Lab {
    program: Program,
    status: Status,
    is_own: bool,
}

/// What `lab status --json` tells.
#[derive(Debug, Clone, Deserialize)]
struct Status {
    name: String,
    version: String,
    nodes: Vec<String>,
    kubeconfig: PathBuf,
    endpoints: BTreeMap<String, String>,
}

impl Lab {
    /// A lab to be described.
    pub const fn builder() -> LabBuilder {
        LabBuilder::new()
    }

    pub(crate) async fn open(
        program: Program,
        name: String,
        is_own: bool,
    ) -> Result<Self, LabError> {
        let status = program.ask(&["status".to_owned(), name]).await?;
        Ok(Self {
            program,
            status,
            is_own,
        })
    }

    /// The cluster's name, for `lab status NAME` and its like.
    pub fn name(&self) -> &str {
        &self.status.name
    }

    /// Kubernetes version, for example `v1.20.2`.
    pub fn version(&self) -> &str {
        &self.status.version
    }

    /// Names of the nodes.
    pub fn nodes(&self) -> &[String] {
        &self.status.nodes
    }

    /// The administrator's kubeconfig, for `kubectl`, `helm` or any client.
    pub fn kubeconfig(&self) -> &Path {
        &self.status.kubeconfig
    }

    /// Base URL of one of the stack's endpoints on this machine, for example `triton`.
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        self.status.endpoints.get(name).map(String::as_str)
    }

    /// A connection to the cluster's API.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used.
    pub async fn kube(&self) -> Result<Kube, LabError> {
        Ok(Kube::from_kubeconfig_file(self.kubeconfig()).await?)
    }

    /// A fresh namespace. It goes when the answer is dropped, also after a panic.
    ///
    /// # Errors
    /// When the cluster's API refuses it.
    pub async fn namespace(&self) -> Result<Namespace, LabError> {
        Namespace::make(self.kubeconfig()).await
    }

    /// Breaks the cluster on purpose. It is undone when the answer is dropped, also after
    /// a panic, and when this process has been killed.
    ///
    /// # Errors
    /// When there is no such node, another fault changes the same thing, or this machine
    /// cannot make it: then with what `lab` said.
    pub async fn fault(&self, fault: Fault) -> Result<FaultGuard, LabError> {
        FaultGuard::make(self.program.clone(), self.name().to_owned(), fault).await
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.is_own {
            return;
        }
        let words = ["down".to_owned(), self.status.name.clone()];
        // Where it cannot be removed now, the reaper does it when this process has ended.
        let _ = self
            .program
            .command(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
