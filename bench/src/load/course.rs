//! What a load thread is to do, and what it tells while it does it.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use tokio::sync::watch;

use super::arrivals::Arrivals;

/// How requests are offered.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    /// Each connection sends its next request when the last was answered.
    Closed {
        /// Connections.
        connections: u32,
    },
    /// Requests are sent when they are due; connections are opened as needed.
    Open {
        /// When they are due.
        arrivals: Arrivals,
        /// Most connections.
        connections: u32,
    },
}

/// One measured window, with what goes before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// How requests are offered.
    pub pace: Pace,
    /// Least load before the window.
    pub warm_up: Duration,
    /// Most load before the window: if it is not steady by then, it is measured all
    /// the same, and that is said.
    pub settle: Duration,
    /// Length of the window.
    pub window: Duration,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Most requests sent within the window.
    pub max_requests: u64,
    /// Seed of random arrivals.
    pub seed: u64,
}

/// Where a load is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Load that is not measured.
    #[default]
    WarmUp,
    /// Requests that are due now are measured.
    Window,
    /// Nothing more is sent but what was due; answers are waited for.
    Drain,
    /// All has ended.
    Over,
}

/// Read and set while the load runs.
#[derive(Debug, Default)]
pub struct Watch {
    cancelled: AtomicBool,
    phase: watch::Sender<Phase>,
    /// Answers within the window, so far.
    answers: AtomicU64,
    /// Errors within the window, so far.
    errors: AtomicU64,
}

impl Watch {
    /// Ends the load as soon as it looks.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Where the load is now.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until the load has come to a phase, or is past it.
    pub async fn reached(&self, phase: Phase) {
        let mut phases = self.phase.subscribe();
        // The sender is ours: it cannot be gone.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }

    pub(crate) fn tell(&self, answers: u64, errors: u64) {
        self.answers.store(answers, Ordering::Relaxed);
        self.errors.store(errors, Ordering::Relaxed);
    }

    /// Right answers and errors within the window, so far.
    pub fn counts(&self) -> (u64, u64) {
        (
            self.answers.load(Ordering::Relaxed),
            self.errors.load(Ordering::Relaxed),
        )
    }
}
