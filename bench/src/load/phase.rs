//! Warm-up, window, drain.

use super::{
    arrivals::nanos,
    course::{Course, Phase},
    settle::{BLOCK, Settle},
};

#[derive(Debug)]
pub(crate) struct Phases {
    pub(crate) phase: Phase,
    pub(crate) settle: Settle,
    pub(crate) steady: bool,
    pub(crate) window_began: u64,
    warm_up: u64,
    cap: u64,
    window: u64,
    next_block: u64,
}

impl Phases {
    pub(crate) fn new(course: &Course, closed: bool) -> Self {
        Self {
            phase: Phase::WarmUp,
            settle: Settle::new(closed),
            steady: false,
            window_began: 0,
            warm_up: nanos(course.warm_up),
            cap: nanos(course.settle.max(course.warm_up)),
            window: nanos(course.window),
            next_block: BLOCK,
        }
    }

    /// When the phase may change, ns of the load's clock.
    pub(crate) fn next_turn(&self) -> u64 {
        match self.phase {
            Phase::WarmUp => self.next_block.min(self.cap),
            Phase::Window => self.window_began + self.window,
            Phase::Drain | Phase::Over => u64::MAX,
        }
    }

    /// Goes on. `idle`: no request is on its way or due; `spent`: no more may be sent.
    pub(crate) fn turn(&mut self, now: u64, idle: bool, spent: bool) -> Phase {
        if self.phase == Phase::WarmUp {
            if now >= self.next_block {
                self.next_block += BLOCK;
                self.settle.turn();
            }
            let steady = self.settle.is_steady();
            if now >= self.cap || (now >= self.warm_up && steady) {
                self.steady = steady;
                self.window_began = now;
                self.phase = Phase::Window;
            }
        }
        if self.phase == Phase::Window && (spent || now >= self.window_began + self.window) {
            self.phase = Phase::Drain;
        }
        if self.phase == Phase::Drain && idle {
            self.phase = Phase::Over;
        }
        self.phase
    }
}
