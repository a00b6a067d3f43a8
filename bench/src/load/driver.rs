//! The load itself: one thread, one epoll, prebuilt requests.
//!
//! What is recorded and checked between two system calls is ours and small, because
//! every microsecond of it is taken from the server on the same machine.

use std::{
    io,
    time::{Duration, Instant},
};

use super::{
    alarm::{Alarm, Until},
    backlog::{Backlog, Due},
    course::{Course, Pace, Phase, Watch},
    meter::{Driven, Flight, Meter},
    phase::Phases,
    poller::{Event, Poller, number},
    schedule::Schedule,
    wire::{State, Told, Wire},
};
use crate::record::FailureClass;

/// Events taken from the kernel at once.
const EVENTS: usize = 256;
/// How often time limits, cancellation and the clock of seconds are looked at, ns.
const TICK: u64 = 10_000_000;
/// Pause after a failed connection, so that a server that is gone is not asked
/// thousands of times a second, ns.
const RETRY: u64 = 20_000_000;

/// What the driver knows of a place.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// What is on its way, while it is busy.
    flight: Flight,
    /// When it began to be opened.
    begun: u64,
    /// When it may be opened again.
    retry: u64,
}

/// One load: what is due goes out, what comes back is timed and judged.
pub(super) struct Driver<'a, W> {
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
    /// Of an open loop.
    backlog: Option<Backlog>,
    phases: Phases,
    meter: Meter,
    next_request: usize,
    /// Measured requests that a closed loop may still send.
    budget: u64,
    busy: usize,
    next_tick: u64,
}

impl<'a, W: Wire> Driver<'a, W> {
    pub(super) fn new(wire: W, requests: usize, course: &'a Course, watch: &'a Watch) -> Self {
        let backlog = match &course.pace {
            Pace::Closed { .. } => None,
            Pace::Open { arrivals, .. } => {
                let schedule = Schedule::new(arrivals, course.window, course.seed);
                Some(Backlog::new(schedule, course))
            }
        };
        Self {
            wire,
            requests,
            course,
            watch,
            started: Instant::now(),
            places: vec![Place::default(); course.pace.places()],
            free: Vec::new(),
            answered: Vec::new(),
            told: Vec::new(),
            phases: Phases::new(course, backlog.is_none()),
            meter: Meter::new(backlog.is_some()),
            backlog,
            next_request: 0,
            budget: course.max_requests,
            busy: 0,
            next_tick: 0,
        }
    }

    pub(super) fn run(mut self, poller: &Poller) -> io::Result<Driven> {
        let mut alarm = match self.backlog {
            Some(_) => Some(Alarm::new(poller)?),
            None => None,
        };
        let mut events = Vec::with_capacity(EVENTS);
        let mut now = 0;
        while self.go_on(now) {
            if now >= self.next_tick {
                self.tick(now);
            }
            self.dispatch(now);
            self.settle();
            self.wait(poller, alarm.as_mut(), &mut events)?;
            for event in &events {
                if let Some(socket) = number(event) {
                    self.wire.ready(socket, event.flags, &mut self.told);
                    self.hear();
                }
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
        let (idle, spent) = match &self.backlog {
            Some(backlog) => (backlog.is_idle(now), backlog.is_spent()),
            None => (true, self.budget == 0),
        };
        let after = self.phases.turn(now, idle && self.busy == 0, spent);
        if before != after {
            self.watch.enter(after);
            if after == Phase::Window {
                self.meter.begin(now);
                if let Some(backlog) = &mut self.backlog {
                    backlog.begin_window(now);
                }
            }
            if before == Phase::Window {
                self.meter.end(now);
            }
        }
        after != Phase::Over && !self.watch.is_cancelled()
    }

    /// Waits for the server, until there is something else to do.
    fn wait(
        &self,
        poller: &Poller,
        alarm: Option<&mut Alarm>,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        let other = self.next_tick.min(self.phases.next_turn());
        let Some(alarm) = alarm else {
            let longest = Duration::from_nanos(other.saturating_sub(self.now()));
            return poller.wait(events, Some(longest));
        };
        let due = self.backlog.as_ref().and_then(Backlog::next);
        let due = due.unwrap_or(u64::MAX);
        alarm.wait(poller, events, Until { due, other }, || self.now())
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
                State::Connecting if now > place.begun.saturating_add(limit) => {
                    let reason = format!("not there within {:?}", self.course.timeout);
                    self.wire.close(index);
                    self.unopened(index, &io::Error::new(io::ErrorKind::TimedOut, reason));
                }
                State::Closed
                    if self.backlog.is_none()
                        && now >= place.retry
                        && self.phases.phase != Phase::Drain =>
                {
                    self.open(index, now);
                }
                _ => {}
            }
        }
        let waiting = |backlog: &mut Backlog| backlog.pop_older(now, limit);
        while let Some(due) = self.backlog.as_mut().and_then(waiting) {
            let reason = format!("no connection was free within {:?}", self.course.timeout);
            self.give_up(due, FailureClass::Unsent, reason);
        }
    }

    /// Sends what is due.
    fn dispatch(&mut self, now: u64) {
        let Some(backlog) = &mut self.backlog else {
            return;
        };
        backlog.take_in(now);
        while let Some(place) = self.free.pop() {
            if self.wire.state(place) != State::Idle {
                continue;
            }
            let Some(due) = self.backlog.as_mut().and_then(Backlog::pop) else {
                self.free.push(place);
                break;
            };
            self.send(place, Some(due));
        }
        self.hold(now);
    }

    /// What is due and has no place: opens one for each, as many as are allowed. Also for
    /// what was seen before: the place it waited for may have been closed.
    fn hold(&mut self, now: u64) {
        let Some(backlog) = &self.backlog else {
            return;
        };
        let mut wanting = backlog.len();
        for place in 0..self.places.len() {
            if wanting == 0 {
                break;
            }
            match self.wire.state(place) {
                State::Connecting => wanting -= 1,
                State::Closed if now >= self.places[place].retry => {
                    self.open(place, now);
                    wanting -= 1;
                }
                _ => {}
            }
        }
        if let Some(backlog) = &mut self.backlog {
            self.meter.tally.held += backlog.see(now, wanting);
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
        if let Some(backlog) = &mut self.backlog {
            if let Some(due) = backlog.pop() {
                self.give_up(due, FailureClass::Connect, error.to_string());
            }
        } else if self.phases.phase == Phase::Window && self.take_one() {
            self.meter.wrong(FailureClass::Connect, error.to_string());
        }
    }

    /// An arrival gets no answer.
    fn give_up(&mut self, due: Due, class: FailureClass, reason: String) {
        if due.counts {
            self.meter.wrong(class, reason);
        }
    }

    /// A place is idle: a closed loop sends on it, an open loop may.
    fn next(&mut self, place: usize) {
        if self.wire.state(place) != State::Idle {
            return;
        }
        let Some(backlog) = &mut self.backlog else {
            let phase = self.phases.phase;
            if phase == Phase::WarmUp || (phase == Phase::Window && self.take_one()) {
                self.send(place, None);
            }
            return;
        };
        match backlog.pop() {
            Some(due) => self.send(place, Some(due)),
            None => self.free.push(place),
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
        let seen = due.and_then(|due| due.seen).unwrap_or(sent);
        let flight = Flight {
            due: due.map_or(sent, |due| due.at),
            seen,
            sent,
            counts,
        };
        if due.is_some() && counts {
            self.meter.tally.sent_late(flight.late());
        }
        self.places[place].flight = flight;
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
        if judged.is_ok() {
            self.meter.tally.answered(now);
        }
        match judged {
            Ok(()) if flight.counts => self.meter.right(now, flight),
            Ok(()) => {
                self.phases.settle.answer(now - flight.due);
                self.meter.right_before();
            }
            Err(wrong) if flight.counts => self.meter.wrong(wrong.class, wrong.reason),
            Err(_) => {}
        }
        if self.wire.state(place) == State::Idle {
            self.answered.push(place);
        } else if self.backlog.is_none() {
            self.open(place, now);
        }
    }

    fn open(&mut self, place: usize, now: u64) {
        self.places[place].begun = now;
        self.wire.open(place, &mut self.told);
    }

    /// A request on its way gets no answer.
    fn fail(&mut self, place: usize, class: FailureClass, reason: String) {
        self.busy -= 1;
        if self.places[place].flight.counts {
            self.meter.ends_at(self.now());
            self.meter.wrong(class, reason);
        }
    }
}
