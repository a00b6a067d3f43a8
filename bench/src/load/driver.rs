//! The load itself: one thread, one epoll, prebuilt requests.
//!
//! What is recorded and checked between two system calls is ours and small, because
//! every microsecond of it is taken from the server on the same machine.

use std::{
    collections::VecDeque,
    io,
    num::NonZeroU64,
    time::{Duration, Instant},
};

use rustix::{io::Errno, thread::set_current_timer_slack};

use super::{
    connections::Connections,
    course::{Course, Pace, Phase, Watch},
    meter::{Driven, Flight, Meter},
    phase::Phases,
    poller::{Poller, number},
    schedule::Schedule,
    streams::Streams,
    wire::{State, Told, Wire},
};
use crate::{
    prepare::{Prepared, Protocol},
    record::FailureClass,
};

/// Events taken from the kernel at once.
const EVENTS: usize = 256;
/// How often time limits, cancellation and the clock of seconds are looked at, ns.
const TICK: u64 = 10_000_000;
/// Pause after a failed connection, so that a server that is gone is not asked
/// thousands of times a second, ns.
const RETRY: u64 = 20_000_000;

/// An arrival that no place has taken yet.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: u64,
    counts: bool,
    /// The generator has seen it, and had no place for it.
    seen: Option<u64>,
}

/// What the driver knows of a place.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// What is on its way, while it is busy.
    flight: Flight,
    /// When it may be opened again.
    retry: u64,
}

/// Runs a course against a target, on this thread.
///
/// # Errors
/// When the kernel's epoll fails; what goes wrong with the server is counted.
pub(crate) fn drive(prepared: &Prepared, course: &Course, watch: &Watch) -> io::Result<Driven> {
    let poller = Poller::new()?;
    let (places, requests) = (places(course), prepared.payloads.len());
    match &prepared.protocol {
        Protocol::Http => {
            let wire = Connections::new(prepared, &poller, places);
            Driver::new(wire, requests, course, watch).run(&poller)
        }
        Protocol::Grpc(heads) => {
            let wire = Streams::new(prepared, heads, &poller, places);
            Driver::new(wire, requests, course, watch).run(&poller)
        }
    }
}

/// Requests that may be on their way at once.
fn places(course: &Course) -> usize {
    match course.pace {
        Pace::Closed { connections } | Pace::Open { connections, .. } => connections as usize,
    }
}

struct Driver<'a, W> {
    wire: W,
    requests: usize,
    course: &'a Course,
    watch: &'a Watch,
    started: Instant,
    places: Vec<Place>,
    /// Places an open loop may use.
    free: Vec<usize>,
    /// Places whose answer has come, and that may be used again.
    answered: Vec<usize>,
    told: Vec<Told>,
    due: VecDeque<Due>,
    schedule: Option<Schedule>,
    phases: Phases,
    meter: Meter,
    next_request: usize,
    budget: u64,
    busy: usize,
    next_tick: u64,
}

impl<'a, W: Wire> Driver<'a, W> {
    fn new(wire: W, requests: usize, course: &'a Course, watch: &'a Watch) -> Self {
        let schedule = match &course.pace {
            Pace::Closed { .. } => None,
            Pace::Open { arrivals, .. } => {
                Some(Schedule::new(arrivals, course.window, course.seed))
            }
        };
        Self {
            wire,
            requests,
            course,
            watch,
            started: Instant::now(),
            places: vec![Place::default(); places(course)],
            free: Vec::new(),
            answered: Vec::new(),
            told: Vec::new(),
            due: VecDeque::new(),
            phases: Phases::new(course, schedule.is_none()),
            meter: Meter::new(schedule.is_some()),
            schedule,
            next_request: 0,
            budget: course.max_requests,
            busy: 0,
            next_tick: 0,
        }
    }

    fn run(mut self, poller: &Poller) -> io::Result<Driven> {
        // The kernel wakes sleepers up to 50 us late, to save power. Not here.
        let slack = set_current_timer_slack(NonZeroU64::new(1));
        slack.or_else(|error| {
            if error == Errno::PERM {
                Ok(())
            } else {
                Err(error)
            }
        })?;
        let mut events = Vec::with_capacity(EVENTS);
        let mut now = 0;
        while self.go_on(now) {
            if now >= self.next_tick {
                self.tick(now);
            }
            self.dispatch(now);
            self.settle();
            let rest = self.rest(self.now());
            if self.schedule.is_some() {
                // Under load there are answers already, and nothing to doze for.
                poller.wait(&mut events, Duration::ZERO)?;
                if events.is_empty() {
                    poller.doze(rest)?;
                    poller.wait(&mut events, Duration::ZERO)?;
                }
            } else {
                poller.wait(&mut events, rest)?;
            }
            for event in &events {
                self.wire.ready(number(event), event.flags, &mut self.told);
                self.hear();
            }
            self.settle();
            now = self.now();
        }
        self.watch
            .tell(self.meter.tally.right_answers(), self.meter.tally.errors());
        let cancelled = self.watch.is_cancelled();
        Ok(self.meter.finish(self.phases.steady, cancelled))
    }

    fn now(&self) -> u64 {
        super::arrivals::nanos(self.started.elapsed())
    }

    /// Goes to the next phase where it is time. `false` when all is over.
    fn go_on(&mut self, now: u64) -> bool {
        let before = self.phases.phase;
        let idle = self.busy == 0 && self.due.is_empty() && !self.owes(now);
        let after = self.phases.turn(now, idle, self.budget == 0);
        if before != after {
            self.watch.enter(after);
            if after == Phase::Window {
                self.meter.begin(now);
                if let Some(schedule) = &mut self.schedule {
                    schedule.begin_window(now);
                }
            }
            if before == Phase::Window {
                self.meter.end(now);
            }
        }
        after != Phase::Over && !self.watch.is_cancelled()
    }

    /// Whether requests are due that were not looked at yet: those of the window's end,
    /// when the thread was kept from running.
    fn owes(&self, now: u64) -> bool {
        let next = self.schedule.as_ref().and_then(Schedule::next);
        self.budget > 0 && next.is_some_and(|at| at <= now)
    }

    /// How long nothing is to do but wait for the server.
    fn rest(&self, now: u64) -> Duration {
        let due = self.schedule.as_ref().and_then(Schedule::next);
        let next = due
            .unwrap_or(u64::MAX)
            .min(self.next_tick)
            .min(self.phases.next_turn());
        Duration::from_nanos(next.saturating_sub(now))
    }

    /// What is looked at now and then.
    fn tick(&mut self, now: u64) {
        self.next_tick = now + TICK;
        self.meter.turn(now);
        self.watch
            .tell(self.meter.tally.right_answers(), self.meter.tally.errors());
        let limit = super::arrivals::nanos(self.course.timeout);
        for index in 0..self.places.len() {
            let place = self.places[index];
            match self.wire.state(index) {
                State::Busy if now > place.flight.sent.saturating_add(limit) => {
                    let reason = format!("none within {:?}", self.course.timeout);
                    self.wire.close(index);
                    self.fail(index, FailureClass::TimedOut, reason);
                }
                State::Closed
                    if self.schedule.is_none()
                        && now >= place.retry
                        && self.phases.phase != Phase::Drain =>
                {
                    self.wire.open(index, &mut self.told);
                }
                _ => {}
            }
        }
        while self
            .due
            .front()
            .is_some_and(|due| now > due.at.saturating_add(limit))
        {
            let reason = format!("no connection was free within {:?}", self.course.timeout);
            self.give_up(FailureClass::Unsent, reason);
        }
    }

    /// Sends what is due.
    fn dispatch(&mut self, now: u64) {
        let Some(schedule) = &mut self.schedule else {
            return;
        };
        while let Some((at, counts)) = schedule.take(now) {
            if counts {
                if self.budget == 0 {
                    break;
                }
                self.budget -= 1;
            }
            self.due.push_back(Due {
                at,
                counts,
                seen: None,
            });
        }
        while let (Some(due), Some(index)) = (self.due.front().copied(), self.free.last().copied())
        {
            self.free.pop();
            if self.wire.state(index) == State::Idle {
                self.due.pop_front();
                self.send(index, Some(due));
            }
        }
        self.hold(now);
    }

    /// What is due and has no place: opens one for each, as many as are allowed. Also for
    /// what was seen before: the place it waited for may have been closed.
    fn hold(&mut self, now: u64) {
        let mut wanting = self.due.len();
        for place in 0..self.places.len() {
            if wanting == 0 {
                break;
            }
            match self.wire.state(place) {
                State::Connecting => wanting -= 1,
                State::Closed if now >= self.places[place].retry => {
                    self.wire.open(place, &mut self.told);
                    wanting -= 1;
                }
                _ => {}
            }
        }
        let unseen = self.due.iter_mut().rev();
        for due in unseen.take_while(|due| due.seen.is_none()) {
            due.seen = Some(now);
            if wanting > 0 {
                wanting -= 1;
                self.meter.tally.held += u64::from(due.counts);
            }
        }
    }

    /// Hears and sends until there is nothing to do but wait.
    fn settle(&mut self) {
        loop {
            self.hear();
            // Only now: an answer that has come must not wait until others are sent.
            while let Some(place) = self.answered.pop() {
                self.next(place);
            }
            self.wire.flush(&mut self.told);
            if self.told.is_empty() {
                return;
            }
        }
    }

    /// Takes in what was told.
    fn hear(&mut self) {
        while !self.told.is_empty() {
            let mut told = std::mem::take(&mut self.told);
            for told in told.drain(..) {
                self.take_in(told);
            }
            if self.told.is_empty() {
                // Its memory is used again.
                self.told = told;
            }
        }
    }

    fn take_in(&mut self, told: Told) {
        match told {
            Told::Opened(place) => self.next(place),
            Told::Unopened(place, error) => self.unopened(place, &error),
            Told::Answered { place, bytes } => self.take_answer(place, bytes),
            Told::Failed {
                place,
                class,
                reason,
            } => self.fail(place, class, reason),
        }
    }

    /// No connection could be made: an error of the request that wanted it.
    fn unopened(&mut self, place: usize, error: &io::Error) {
        self.places[place].retry = self.now() + RETRY;
        if self.schedule.is_some() {
            self.give_up(FailureClass::Connect, error.to_string());
        } else if self.phases.phase == Phase::Window && self.take_one() {
            self.meter.wrong(FailureClass::Connect, error.to_string());
        }
    }

    /// The first of what is due gets no answer.
    fn give_up(&mut self, class: FailureClass, reason: String) {
        if let Some(due) = self.due.pop_front()
            && due.counts
        {
            self.meter.wrong(class, reason);
        }
    }

    /// A place is idle: a closed loop sends on it, an open loop may.
    fn next(&mut self, place: usize) {
        if self.wire.state(place) != State::Idle {
            return;
        }
        if self.schedule.is_none() {
            let phase = self.phases.phase;
            if phase == Phase::WarmUp || (phase == Phase::Window && self.take_one()) {
                self.send(place, None);
            }
        } else if let Some(due) = self.due.pop_front() {
            self.send(place, Some(due));
        } else {
            self.free.push(place);
        }
    }

    /// Takes one request from the budget, where one is left.
    fn take_one(&mut self) -> bool {
        let left = self.budget > 0;
        self.budget = self.budget.saturating_sub(1);
        left
    }

    fn send(&mut self, place: usize, due: Option<Due>) {
        let sent = self.now();
        let request = self.next_request;
        self.next_request = (request + 1) % self.requests;
        let counts = due.map_or(self.phases.phase == Phase::Window, |due| due.counts);
        if let Some(due) = due.filter(|due| due.counts) {
            let late = due.seen.unwrap_or(sent).saturating_sub(due.at);
            self.meter.tally.sent_late(late);
        }
        self.places[place].flight = Flight {
            due: due.map_or(sent, |due| due.at),
            sent,
            counts,
        };
        self.busy += 1;
        let bytes = self.wire.send(place, request, &mut self.told);
        if counts {
            self.meter.tally.bytes_sent += bytes;
        }
    }

    fn take_answer(&mut self, place: usize, bytes: u64) {
        let now = self.now();
        self.busy -= 1;
        let flight = self.places[place].flight;
        let judged = self.wire.judge(place);
        if flight.counts {
            self.meter.answered(now, bytes);
        }
        match judged {
            Ok(()) if flight.counts => self.meter.right(now, flight),
            Ok(()) => self.phases.settle.answer(now - flight.due),
            Err(wrong) if flight.counts => self.meter.wrong(wrong.class, wrong.reason),
            Err(_) => {}
        }
        if self.wire.state(place) == State::Idle {
            self.answered.push(place);
        } else if self.schedule.is_none() {
            self.wire.open(place, &mut self.told);
        }
    }

    /// A request on its way gets no answer.
    fn fail(&mut self, place: usize, class: FailureClass, reason: String) {
        self.busy -= 1;
        if self.places[place].flight.counts {
            self.meter.unanswered(self.now());
            self.meter.wrong(class, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::Wrong,
        load::{Arrivals, poller::EventFlags},
    };

    /// A wire that never opens.
    struct Dead;

    impl Wire for Dead {
        fn state(&self, _: usize) -> State {
            State::Connecting
        }

        fn open(&mut self, _: usize, _: &mut Vec<Told>) {}

        fn send(&mut self, _: usize, _: usize, _: &mut Vec<Told>) -> u64 {
            0
        }

        fn close(&mut self, _: usize) {}

        fn ready(&mut self, _: usize, _: EventFlags, _: &mut Vec<Told>) {}

        fn flush(&mut self, _: &mut Vec<Told>) {}

        fn judge(&self, _: usize) -> Result<(), Wrong> {
            Ok(())
        }
    }

    #[test]
    fn what_is_due_at_the_windows_end_is_not_lost_where_the_thread_was_late() {
        let course = Course {
            pace: Pace::Open {
                arrivals: Arrivals::Constant { rate: 1000.0 },
                connections: 1,
            },
            warm_up: Duration::ZERO,
            settle: Duration::ZERO,
            window: Duration::from_millis(10),
            timeout: Duration::from_secs(1),
            max_requests: u64::MAX,
            seed: 1,
        };
        let watch = Watch::default();
        let mut driver = Driver::new(Dead, 1, &course, &watch);
        assert!(driver.go_on(0));
        assert_eq!(driver.phases.phase, Phase::Window);
        // Nothing ran since: all of the window's arrivals are still to be taken.
        let late = 30_000_000;
        assert!(driver.go_on(late));
        driver.dispatch(late);
        assert_eq!(driver.due.len(), 10);
    }
}
