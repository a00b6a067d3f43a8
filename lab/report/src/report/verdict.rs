//! How it ended, and what did not run.

use lab_model::{benchmark::Offered, hindrance::Hindrance};

/// How a run ended as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was asked for happened.
    Passed,
    /// Nothing failed, and no scenario passed: none was run.
    NothingVerified,
    /// At least one scenario failed.
    ScenariosFailed,
    /// A benchmark missed its budget.
    BudgetMissed,
    /// The set-up failed before scenarios could run.
    SetupFailed,
    /// Something could not be removed.
    CleanupIncomplete,
    /// The run ended before its end: by a signal, or without a last event.
    Interrupted,
    /// Another exit code: a wrong command line or a bug.
    Error(u8),
}

/// The best that a run's benchmarks measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestBenchmark {
    /// Right answers a second.
    pub throughput: f64,
    /// 99 of 100 answers took at most this, microseconds.
    pub p99_micros: f64,
    /// The load that was offered.
    pub offered: Offered,
}

/// How many scenarios ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed at the first try.
    pub passed: usize,
    /// Passed at a later try.
    pub flaky: usize,
    /// Failed.
    pub failed: usize,
    /// Could not run here.
    pub not_run: usize,
    /// Began and never ended.
    pub unfinished: usize,
}

impl Counts {
    /// All scenarios that began.
    pub const fn all(self) -> usize {
        self.passed + self.flaky + self.failed + self.not_run + self.unfinished
    }
}

/// Something that could not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRun<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: NotRunKind,
    /// What kept it from running.
    pub reason: &'a Hindrance,
}

/// What could not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRunKind {
    /// A component of the stack.
    Component,
    /// A scenario.
    Scenario,
    /// A stage.
    Stage,
}
