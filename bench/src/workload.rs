//! Workload files: which load is offered to which model.

use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use crate::{closed_loop::Sweep, target::Target};

/// A workload, read from its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The sweep it asks for.
    pub sweep: Sweep,
    /// Name of the model.
    pub model: String,
}

/// Why a workload could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum WorkloadError {
    /// The file could not be read.
    #[error("failed to read the workload `{path}`")]
    #[diagnostic(
        code(lab::bench::workload_missing),
        help("workloads lie in `fixtures/workloads`")
    )]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Workload {
    /// Reads a workload from its file.
    ///
    /// # Errors
    /// Fails with every problem of the file, each with its place.
    pub fn load(path: &Path) -> Result<Self, WorkloadError> {
        let source = std::io::Error::other("not yet");
        Err(WorkloadError::Read {
            path: path.display().to_string(),
            source,
        })
    }

    /// The requests of this workload, for a server at `http://host:port`.
    pub fn target(&self, server: &str) -> Target {
        Target {
            url: format!(
                "{}/v2/models/{}/infer",
                server.trim_end_matches('/'),
                self.model
            ),
            bodies: Vec::new(),
            expect: crate::target::Expect::Status,
        }
    }
}
