//! What is counted and timed of a window.

use rustix::time::{ClockId, clock_gettime};

use crate::{
    record::{FailureClass, Tally, Timed},
    series::{SecondTally, Series},
};

const SECOND: u64 = 1_000_000_000;

/// What a course brought.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) tally: Tally,
    pub(crate) series: Vec<SecondTally>,
    /// From the window's start to its last answer.
    pub(crate) nanos: u64,
    /// CPU time of this thread from the window's start to its end.
    pub(crate) cpu: u64,
    /// Wall time over which that was.
    pub(crate) wall: u64,
    pub(crate) steady: bool,
    pub(crate) cancelled: bool,
    /// Whether the thread ran before all that are not real-time.
    pub(crate) realtime: bool,
    /// The share of this machine's CPU time that its host took away meanwhile.
    pub(crate) stolen: Option<f64>,
}

/// A request on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flight {
    /// When it was due, ns of the load's clock.
    pub(crate) due: u64,
    /// When the generator could first have sent it, had it a place for it.
    pub(crate) seen: u64,
    /// When it was sent.
    pub(crate) sent: u64,
    /// Whether it is measured.
    pub(crate) counts: bool,
}

impl Flight {
    /// How late the generator itself was, ns.
    pub(crate) const fn late(&self) -> u64 {
        self.seen.saturating_sub(self.due)
    }
}

/// Counts and times what is measured, on the load's clock.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) tally: Tally,
    series: Series,
    /// Whether latency and service time differ.
    open_loop: bool,
    began: u64,
    /// Right answers to requests of before, since the last one to a request of the window;
    /// `None` before the window.
    carried: Option<u64>,
    next_second: u64,
    last_answer: u64,
    cpu: (u64, u64),
    wall: u64,
}

impl Meter {
    pub(crate) fn new(open_loop: bool) -> Self {
        Self {
            tally: Tally::new(),
            series: Series::new(),
            open_loop,
            began: 0,
            carried: None,
            next_second: u64::MAX,
            last_answer: 0,
            cpu: (0, 0),
            wall: 0,
        }
    }

    /// The window begins.
    pub(crate) fn begin(&mut self, now: u64) {
        self.cpu.0 = cpu();
        self.began = now;
        self.carried = Some(0);
        self.next_second = now + SECOND;
        self.last_answer = now;
    }

    /// The window ends; answers may still come.
    pub(crate) fn end(&mut self, now: u64) {
        self.cpu.1 = cpu();
        self.wall = now - self.began;
        self.next_second = u64::MAX;
    }

    /// Looks at the clock of seconds.
    pub(crate) fn turn(&mut self, now: u64) {
        if now >= self.next_second {
            self.next_second += SECOND;
            self.series.turn();
        }
    }

    /// A right answer came to a request that is not measured. What a server does between
    /// the window's start and its last answer is its throughput, and when it is slow, much
    /// of that is for those it was asked before.
    pub(crate) fn right_before(&mut self) {
        if let Some(carried) = &mut self.carried {
            *carried += 1;
        }
    }

    /// An answer came, right or not.
    pub(crate) fn answered(&mut self, now: u64, bytes: u64) {
        self.ends_at(now);
        self.tally.bytes_received += bytes;
    }

    /// No answer came, or none will.
    pub(crate) fn ends_at(&mut self, now: u64) {
        self.last_answer = now;
        self.tally.carried += self.carried.replace(0).unwrap_or(0);
    }

    pub(crate) fn right(&mut self, now: u64, flight: Flight) {
        let latency = now - flight.due;
        self.series.count(Some(latency));
        if self.open_loop {
            self.tally.right_open(Timed {
                latency,
                less_lag: latency - flight.late(),
                service: now - flight.sent,
            });
        } else {
            self.tally.right(latency);
        }
    }

    pub(crate) fn wrong(&mut self, class: FailureClass, reason: String) {
        self.series.count(None);
        self.tally.wrong(class, || reason);
    }

    pub(crate) fn finish(self, steady: bool, cancelled: bool) -> Driven {
        Driven {
            nanos: self.last_answer.saturating_sub(self.began),
            cpu: self.cpu.1.saturating_sub(self.cpu.0),
            wall: self.wall,
            series: self.series.finish(),
            tally: self.tally,
            steady,
            cancelled,
            realtime: false,
            stolen: None,
        }
    }
}

/// CPU time of this thread, ns.
fn cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * SECOND + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    /// A server that takes 50 ms for each request, one after the other, and has sixteen of
    /// before the window to answer first: it answers twenty a second all the time.
    #[test]
    fn what_a_slow_server_does_for_those_of_before_counts() {
        let mut meter = Meter::new(false);
        meter.right_before();
        meter.begin(0);
        let mut queue = vec![None; 16];
        let mut now = 0;
        while !queue.is_empty() {
            now += 50 * MILLI;
            match queue.remove(0) {
                Some(flight) => {
                    meter.answered(now, 0);
                    meter.right(now, flight);
                }
                None => meter.right_before(),
            }
            if now < 400 * MILLI {
                let flight = Flight {
                    due: now,
                    seen: now,
                    sent: now,
                    counts: true,
                };
                queue.push(Some(flight));
            }
        }
        meter.right_before();
        let driven = meter.finish(true, false);

        let answers = driven.tally.right_answers() + driven.tally.carried;
        assert_eq!((driven.tally.right_answers(), answers), (7, 23));
        assert_eq!(answers * SECOND / driven.nanos, 20);
    }
}
