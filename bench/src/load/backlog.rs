//! An open loop's arrivals: those to come, and those that are due and have no place yet.

use std::collections::VecDeque;

use super::{course::Course, schedule::Schedule};

/// An arrival that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// When, ns of the load's clock.
    pub(crate) at: u64,
    /// Whether it is measured.
    pub(crate) counts: bool,
    /// When the generator saw it and had no place for it. Until then its waiting is the
    /// generator's fault, and from then on the server's.
    pub(crate) seen: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Backlog {
    schedule: Schedule,
    waiting: VecDeque<Due>,
    /// Measured arrivals that may still be taken.
    budget: u64,
}

impl Backlog {
    pub(crate) fn new(schedule: Schedule, course: &Course) -> Self {
        Self {
            schedule,
            waiting: VecDeque::new(),
            budget: course.max_requests,
        }
    }

    pub(crate) fn begin_window(&mut self, now: u64) {
        self.schedule.begin_window(now);
    }

    /// When the next arrival is due, where one is to come.
    pub(crate) fn next(&self) -> Option<u64> {
        self.schedule.next().filter(|_| self.budget > 0)
    }

    /// Whether no more measured arrivals may be taken.
    pub(crate) const fn is_spent(&self) -> bool {
        self.budget == 0
    }

    /// Arrivals that wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits and nothing is due that was not looked at yet: that of the
    /// window's end, when the thread was kept from running.
    pub(crate) fn is_idle(&self, now: u64) -> bool {
        self.waiting.is_empty() && self.next().is_none_or(|at| at > now)
    }

    /// Takes in what is due.
    pub(crate) fn take_in(&mut self, now: u64) {
        while self.budget > 0
            && let Some((at, counts)) = self.schedule.take(now)
        {
            self.budget -= u64::from(counts);
            self.waiting.push_back(Due {
                at,
                counts,
                seen: None,
            });
        }
    }

    /// The arrival that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<Due> {
        self.waiting.pop_front()
    }

    /// The arrival that has waited longest, where it has waited longer than that.
    pub(crate) fn pop_older(&mut self, now: u64, limit: u64) -> Option<Due> {
        let due = self.waiting.front()?;
        (now > due.at.saturating_add(limit)).then(|| self.pop())?
    }

    /// Notes that what waits was seen, and that no place could be opened for so many of
    /// it. Gives how many measured arrivals found none for the first time.
    pub(crate) fn see(&mut self, now: u64, mut wanting: usize) -> u64 {
        let mut held = 0;
        let unseen = self.waiting.iter_mut().rev();
        for due in unseen.take_while(|due| due.seen.is_none()) {
            due.seen = Some(now);
            if wanting > 0 {
                wanting -= 1;
                held += u64::from(due.counts);
            }
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::{Arrivals, Pace};

    fn backlog(max_requests: u64) -> Backlog {
        let arrivals = Arrivals::Constant { rate: 1000.0 };
        let course = Course {
            pace: Pace::Open {
                arrivals: arrivals.clone(),
                connections: 1,
            },
            warm_up: Duration::ZERO,
            settle: Duration::ZERO,
            window: Duration::from_millis(10),
            timeout: Duration::from_secs(1),
            max_requests,
            seed: 1,
        };
        let mut backlog = Backlog::new(Schedule::new(&arrivals, course.window, 1), &course);
        backlog.begin_window(0);
        backlog
    }

    #[test]
    fn what_is_due_at_the_windows_end_is_not_lost_where_the_thread_was_late() {
        let mut backlog = backlog(u64::MAX);
        let late = 30_000_000;
        assert!(!backlog.is_idle(late));
        backlog.take_in(late);
        assert_eq!(backlog.len(), 10);
    }

    #[test]
    fn a_spent_budget_ends_the_arrivals() {
        let mut backlog = backlog(3);
        backlog.take_in(30_000_000);
        assert_eq!((backlog.len(), backlog.is_spent()), (3, true));
        while backlog.pop().is_some() {}
        assert!(backlog.is_idle(30_000_000));
    }

    #[test]
    fn an_arrival_is_held_once_and_keeps_the_time_it_was_seen() {
        let mut backlog = backlog(u64::MAX);
        backlog.take_in(2_500_000);
        let first = backlog.len();
        assert_eq!(backlog.see(2_500_000, first), first as u64);
        backlog.take_in(4_500_000);
        let more = backlog.len() - first;
        assert_eq!(backlog.see(4_500_000, backlog.len()), more as u64);
        assert_eq!(backlog.pop().and_then(|due| due.seen), Some(2_500_000));
    }

    #[test]
    fn what_waits_too_long_is_given_up_oldest_first() {
        let mut backlog = backlog(u64::MAX);
        backlog.take_in(3_000_000);
        let all = backlog.len();
        let limit = 1_500_000;
        let old = std::iter::from_fn(|| backlog.pop_older(3_000_000, limit));
        assert!(old.map(|due| due.at).all(|at| at < 1_500_000));
        assert!(backlog.len() < all && backlog.len() > 0);
    }
}
