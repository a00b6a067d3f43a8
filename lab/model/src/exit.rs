//! Exit codes of the command line. Scripts and CI branch on them.

use std::process::ExitCode;

/// How a `lab` command ended, as its process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for happened.
    Ok,
    /// A bug in `lab` itself.
    Bug,
    /// The command line or a configuration file is wrong.
    Usage,
    /// At least one scenario failed.
    ScenariosFailed,
    /// A benchmark missed its budget.
    BudgetMissed,
    /// The set-up (images, cluster, stack) failed before scenarios could run.
    SetupFailed,
    /// Something made outside the process could not be removed.
    CleanupIncomplete,
    /// Ended by Ctrl-C or SIGTERM; everything was cleaned up.
    Interrupted,
}

impl Exit {
    /// The process exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::ScenariosFailed => 10,
            Self::BudgetMissed => 11,
            Self::SetupFailed => 12,
            Self::CleanupIncomplete => 13,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
