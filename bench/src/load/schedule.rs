//! An open loop's arrivals on the load's own clock: first the warm-up's, then the window's.

use std::time::Duration;

use super::arrivals::{Arrivals, Times};

#[derive(Debug)]
pub(crate) struct Schedule {
    arrivals: Arrivals,
    window: Duration,
    seed: u64,
    times: Times,
    /// What the times are counted from, ns of the load's clock.
    base: u64,
    counts: bool,
    next: Option<u64>,
}

/// Longer than any warm-up.
const FOREVER: Duration = Duration::from_hours(24);

impl Schedule {
    pub(crate) fn new(arrivals: &Arrivals, window: Duration, seed: u64) -> Self {
        let mut times = arrivals.warm_up(window).times(FOREVER, seed);
        Self {
            arrivals: arrivals.clone(),
            window,
            seed,
            next: times.next(),
            times,
            base: 0,
            counts: false,
        }
    }

    /// The window begins: what the warm-up would have sent from now on is not sent.
    pub(crate) fn begin_window(&mut self, now: u64) {
        self.times = self.arrivals.times(self.window, self.seed);
        self.base = now;
        self.counts = true;
        self.next = self.times.next();
    }

    /// When the next request is due.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next.map(|at| self.base + at)
    }

    /// The next request, where it is due: when, and whether it is measured.
    pub(crate) fn take(&mut self, now: u64) -> Option<(u64, bool)> {
        let at = self.next().filter(|at| *at <= now)?;
        self.next = self.times.next();
        Some((at, self.counts))
    }
}
