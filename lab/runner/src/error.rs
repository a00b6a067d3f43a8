//! Why a run could not go on.

use lab_cluster::{ClusterError, existing::ExistingError};
use lab_engine::EngineError;
use lab_image::ImageError;
use lab_k8s::{KubeError, forward::ForwardError, job::JobError, readiness::ReadinessError};
pub use lab_model::outcome::reason;
use lab_model::{cause::Cause, exit::Exit};
use lab_stack::{CatalogueError, InstallError};
use miette::Diagnostic;

/// Why a run could not go on. A failed scenario is not among these.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum RunError {
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    #[diagnostic(code(lab::run::interrupted))]
    Interrupted,
    /// The container engine.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    /// An image.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Image(#[from] ImageError),
    /// The cluster.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cluster(#[from] ClusterError),
    /// The Kubernetes API.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kube(#[from] KubeError),
    /// A Service of a cluster that lab did not make.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Forward(#[from] ForwardError),
    /// Pods that were to become ready.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Readiness(#[from] ReadinessError),
    /// Pods that make load.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Job(#[from] JobError),
    /// The stack's definition.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The stack's installation.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Install(#[from] InstallError),
    /// The scenarios could not be run at all.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scenarios(#[from] lab_scenarios::ScenarioError),
    /// The benchmark could not be run at all.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Benchmark(#[from] crate::benchmark::BenchmarkError),
    /// The sweep could not be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sweep(#[from] crate::sweep::SweepError),
    /// The machine lacks what a run cannot do without.
    #[error("this machine cannot run it: {found}")]
    #[diagnostic(code(lab::run::unfit), help("{mend}; `lab doctor` looks again"))]
    Unfit {
        /// What was found.
        found: String,
        /// What to do.
        mend: String,
    },
}

impl RunError {
    /// Whether a person or the system asked it to end, whichever part noticed first.
    pub const fn is_interrupted(&self) -> bool {
        match self {
            Self::Interrupted
            | Self::Cluster(ClusterError::Interrupted)
            | Self::Image(ImageError::Interrupted) => true,
            Self::Benchmark(error) => error.is_interrupted(),
            _ => false,
        }
    }

    /// Whether the command line, or a file that a person wrote, asks for what is not.
    fn is_usage(&self) -> bool {
        match self {
            Self::Image(error) | Self::Cluster(ClusterError::Image(error)) => error.is_usage(),
            Self::Catalogue(_)
            | Self::Cluster(
                ClusterError::Unknown { .. }
                | ClusterError::UnknownNode { .. }
                | ClusterError::GpusOfOthers { .. },
            ) => true,
            Self::Cluster(ClusterError::Existing(error)) => error.is_usage(),
            Self::Scenarios(error) => error.is_usage(),
            Self::Benchmark(error) => error.is_usage(),
            Self::Sweep(error) => error.is_usage(),
            _ => false,
        }
    }

    /// The exit code of a run that ended with this.
    pub fn exit(&self) -> Exit {
        match self {
            _ if self.is_interrupted() => Exit::Interrupted,
            _ if self.is_usage() => Exit::Usage,
            Self::Cluster(ClusterError::Existing(ExistingError::NotRemoved { .. })) => {
                Exit::CleanupIncomplete
            }
            _ => Exit::SetupFailed,
        }
    }
}

/// An error with all its causes and its help.
pub fn cause(error: &dyn Diagnostic) -> Cause {
    let help = error.help().map(|it| it.to_string());
    let code = error.code().map(|it| it.to_string()).unwrap_or_default();
    let error = reason(error);
    match help {
        Some(help) => Cause::Error { error, help, code },
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_wrongly_ends_with_2() {
        let name = || "x".to_owned();
        for error in [
            RunError::from(ClusterError::Unknown { name: name() }),
            ImageError::Mirror.into(),
            ImageError::Artifact { name: name() }.into(),
            lab_scenarios::ScenarioError::NothingToRun.into(),
        ] {
            assert_eq!(error.exit().code(), 2, "{error}");
        }
        let taken = RunError::from(ClusterError::NameTaken { name: name() });
        assert_eq!(taken.exit().code(), 12);
    }

    #[test]
    fn whoever_notices_the_interruption_first_it_ends_with_130() {
        for error in [
            RunError::Interrupted,
            ClusterError::Interrupted.into(),
            ImageError::Interrupted.into(),
        ] {
            assert_eq!(error.exit().code(), 130, "{error}");
        }
    }
}
