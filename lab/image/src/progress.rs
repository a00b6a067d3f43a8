//! Tells how far a piece of work is, not more often than anyone can read.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use lab_model::{
    event::{Emitter, Progress},
    progress::{self, Doing},
};

const AT_MOST_EVERY: Duration = Duration::from_millis(250);

/// A piece of work with a rough idea of how long it takes.
pub(crate) struct Task<'a> {
    emitter: &'a dyn Emitter,
    of: progress::Task,
    estimate: Duration,
    started: Instant,
    told: Mutex<Option<Instant>>,
}

impl<'a> Task<'a> {
    pub(crate) fn new(emitter: &'a dyn Emitter, of: progress::Task, estimate: Duration) -> Self {
        Self {
            emitter,
            of,
            estimate,
            started: Instant::now(),
            told: Mutex::new(None),
        }
    }

    /// Tells what is being done now.
    pub(crate) fn now(&self, now: impl Into<Doing>) {
        if !self.is_due() {
            return;
        }
        let elapsed = self.started.elapsed().as_secs();
        let estimate = self.estimate.as_secs();
        self.emitter.progress(Progress {
            task: self.of.clone(),
            now: now.into(),
            done: elapsed,
            total: Some(estimate.max(elapsed + 1)),
            remaining_seconds: Some(estimate.saturating_sub(elapsed).max(1)),
        });
    }

    /// Tells how many bytes have come; of how many, where that is known.
    pub(crate) fn bytes(&self, now: &str, done: u64, total: Option<u64>) {
        if !self.is_due() {
            return;
        }
        self.emitter.progress(Progress {
            task: self.of.clone(),
            now: now.to_owned().into(),
            done,
            // A whole that is reached would look like the end; unpacking still follows.
            total: total.map(|total| total.max(done + 1)),
            remaining_seconds: total.and_then(|total| self.remaining(done, total)),
        });
    }

    /// Seconds until all bytes are there, at the pace so far.
    fn remaining(&self, done: u64, total: u64) -> Option<u64> {
        let left = u128::from(total.saturating_sub(done));
        let millis = (self.started.elapsed().as_millis() * left).checked_div(u128::from(done))?;
        u64::try_from(millis / 1000)
            .ok()
            .map(|seconds| seconds.max(1))
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn is_due(&self) -> bool {
        let Ok(mut told) = self.told.lock() else {
            return false;
        };
        let due = told.is_none_or(|told| told.elapsed() >= AT_MOST_EVERY);
        if due {
            *told = Some(Instant::now());
        }
        due
    }
}
