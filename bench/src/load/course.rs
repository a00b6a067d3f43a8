//! What a load thread is to do, and what it tells while it does it.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

use super::arrivals::Arrivals;

/// How requests are offered.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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

impl Pace {
    /// Requests that may be on their way at once.
    pub(crate) const fn places(&self) -> usize {
        match self {
            Self::Closed { connections } | Self::Open { connections, .. } => *connections as usize,
        }
    }

    fn share(&self, index: u32, of: u32) -> Self {
        let part = |connections: u32| {
            u32::try_from(part(connections.into(), index, of)).unwrap_or(connections)
        };
        match self {
            Self::Closed { connections } => Self::Closed {
                connections: part(*connections),
            },
            Self::Open {
                arrivals,
                connections,
            } => Self::Open {
                arrivals: arrivals.share(index, of),
                connections: part(*connections).max(1),
            },
        }
    }
}

/// One measured window, with what goes before it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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

impl Course {
    /// The same load from `of` generators, begun together: one course for each that has a
    /// part in it, which are fewer where there are fewer connections.
    ///
    /// Their windows begin after the longest load before, steady or not: generators that
    /// wait until each is steady do not begin together.
    pub(crate) fn shares(&self, of: u32) -> Vec<Self> {
        let parts = match self.pace {
            Pace::Closed { connections } => of.min(connections),
            Pace::Open { .. } => of,
        };
        let warm_up = self.settle.max(self.warm_up);
        (0..parts)
            .map(|index| Self {
                pace: self.pace.share(index, parts),
                warm_up,
                settle: warm_up,
                max_requests: part(self.max_requests, index, parts),
                ..self.clone()
            })
            .collect()
    }
}

/// One of `of` parts of a number that differ by 1 at most and are the number together;
/// of one without bound, none has one.
fn part(whole: u64, index: u32, of: u32) -> u64 {
    if whole == u64::MAX {
        return whole;
    }
    let (index, of) = (u64::from(index), u64::from(of));
    whole / of + u64::from(index < whole % of)
}

/// Where a load is.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
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
    /// When the window began, by this machine's clock.
    began: OnceLock<SystemTime>,
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
        if phase == Phase::Window {
            self.began.get_or_init(SystemTime::now);
        }
        self.phase.send_replace(phase);
    }

    /// When the window began, where it has, by this machine's clock.
    pub(crate) fn began(&self) -> Option<SystemTime> {
        self.began.get().copied()
    }

    /// The phases that are to come.
    pub(crate) fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn course(pace: Pace, max_requests: u64) -> Course {
        Course {
            pace,
            warm_up: Duration::from_secs(1),
            settle: Duration::from_secs(3),
            window: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            max_requests,
            seed: 7,
        }
    }

    fn connections(course: &Course) -> usize {
        course.pace.places()
    }

    proptest! {
        #[test]
        fn connections_and_requests_are_shared_out_and_none_is_lost(
            all in 1_u32..200, requests in 0_u64..10_000, of in 1_u32..20
        ) {
            let shares = course(Pace::Closed { connections: all }, requests).shares(of);
            prop_assert_eq!(shares.iter().map(connections).sum::<usize>(), all as usize);
            prop_assert_eq!(shares.iter().map(|it| it.max_requests).sum::<u64>(), requests);
            prop_assert!(shares.iter().all(|it| connections(it) > 0));
            prop_assert!(shares.iter().all(|it| it.seed == 7));
        }
    }

    #[test]
    fn who_gets_no_connection_of_a_closed_loop_has_no_part() {
        let shares = course(Pace::Closed { connections: 2 }, u64::MAX).shares(4);
        assert_eq!(shares.iter().map(connections).collect::<Vec<_>>(), [1, 1]);
        assert!(shares.iter().all(|it| it.max_requests == u64::MAX));
    }

    #[test]
    fn windows_of_shares_begin_together_after_the_longest_load_before() {
        for share in course(Pace::Closed { connections: 4 }, 10).shares(2) {
            assert_eq!(share.warm_up, Duration::from_secs(3));
            assert_eq!(share.settle, share.warm_up);
        }
    }
}
