//! A fault for one test.

use std::process::{self, Stdio};

use lab_model::fault::Fault;

use crate::{LabError, program::Program};

/// A fault in the cluster. Dropping it undoes it, also after a panic; where this process is
/// killed, `lab` does.
#[derive(Debug)]
#[must_use = "the fault is undone as soon as this is dropped"]
pub struct FaultGuard {
    program: Program,
    cluster: String,
    fault: Option<Fault>,
}

impl FaultGuard {
    pub(crate) async fn make(
        program: Program,
        cluster: String,
        fault: Fault,
    ) -> Result<Self, LabError> {
        let user = process::id().to_string();
        let before = ["fault", "make", &cluster, "--quiet", "--while", &user].map(str::to_owned);
        program.run(&[&before[..], &fault.words()].concat()).await?;
        Ok(Self {
            program,
            cluster,
            fault: Some(fault),
        })
    }

    /// Undoes it now and tells whether that went well.
    ///
    /// # Errors
    /// When a node refuses: then with what `lab` said.
    pub async fn heal(mut self) -> Result<(), LabError> {
        if let Some(fault) = self.fault.take() {
            self.program.run(&self.undoing(&fault)).await?;
        }
        Ok(())
    }

    fn undoing(&self, fault: &Fault) -> Vec<String> {
        let before = ["fault", "heal", &self.cluster].map(str::to_owned);
        [&before[..], &fault.words()].concat()
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        let Some(fault) = self.fault.take() else {
            return;
        };
        // Where it cannot be undone now, `lab` tries again when this process has ended.
        let _ = self
            .program
            .command(&self.undoing(&fault))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
