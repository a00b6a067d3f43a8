//! The load itself: one thread, one epoll, prebuilt requests.
//!
//! A request costs one `write` and one `read`; what is recorded and checked in between
//! is ours and small, because every microsecond of it is taken from the server on the
//! same machine.

use std::{collections::VecDeque, io, num::NonZeroU64, time::Instant};

use rustix::{
    event::{PollFd, PollFlags, Timespec, epoll, poll},
    io::Errno,
    thread::set_current_timer_slack,
    time::{ClockId, clock_gettime},
};

use super::{
    connection::{Came, Connection, Flight, State},
    course::{Course, Pace, Phase, Watch},
    http::{Body, Reader, Whole},
    phase::Phases,
    schedule::Schedule,
};
use crate::{
    judge::{Answer, judge},
    prepare::Prepared,
    record::{FailureClass, Series, Tally, Timed},
};

/// Events taken from the kernel at once.
const EVENTS: usize = 256;
/// How often time limits, cancellation and the clock of seconds are looked at, ns.
const TICK: u64 = 10_000_000;
/// Pause after a failed connection, so that a server that is gone is not asked
/// thousands of times a second, ns.
const RETRY: u64 = 20_000_000;
const SECOND: u64 = 1_000_000_000;

/// What a course brought.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) tally: Tally,
    pub(crate) series: Vec<lab_model::benchmark::Second>,
    /// From the window's start to its last answer.
    pub(crate) nanos: u64,
    /// CPU time of this thread from the window's start to its end.
    pub(crate) cpu: u64,
    /// Wall time over which that was.
    pub(crate) wall: u64,
    pub(crate) steady: bool,
    pub(crate) cancelled: bool,
}

/// An arrival that no connection has taken yet.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: u64,
    counts: bool,
    /// The generator has seen it, and had no connection for it.
    seen: Option<u64>,
}

pub(crate) struct Driver<'a> {
    prepared: &'a Prepared,
    course: &'a Course,
    watch: &'a Watch,
    epoll: std::os::fd::OwnedFd,
    started: Instant,
    connections: Vec<Connection>,
    /// Connections an open loop may use.
    free: Vec<usize>,
    /// Connections whose answer has come, and that may be used again.
    answered: Vec<usize>,
    due: VecDeque<Due>,
    schedule: Option<Schedule>,
    reader: Reader,
    phases: Phases,
    next_request: usize,
    budget: u64,
    busy: usize,
    tally: Tally,
    series: Series,
    next_tick: u64,
    next_second: u64,
    last_answer: u64,
    cpu: (u64, u64),
    wall: u64,
}

impl<'a> Driver<'a> {
    /// # Errors
    /// When the kernel gives no epoll.
    pub(crate) fn new(
        prepared: &'a Prepared,
        course: &'a Course,
        watch: &'a Watch,
    ) -> io::Result<Self> {
        let (places, schedule) = match &course.pace {
            Pace::Closed { connections } => (*connections, None),
            Pace::Open {
                arrivals,
                connections,
            } => (
                *connections,
                Some(Schedule::new(arrivals, course.window, course.seed)),
            ),
        };
        Ok(Self {
            prepared,
            course,
            watch,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            started: Instant::now(),
            connections: (0..places).map(|_| Connection::new()).collect(),
            free: Vec::new(),
            answered: Vec::new(),
            due: VecDeque::new(),
            phases: Phases::new(course, schedule.is_none()),
            schedule,
            reader: Reader::default(),
            next_request: 0,
            budget: course.max_requests,
            busy: 0,
            tally: Tally::new(),
            series: Series::new(),
            next_tick: 0,
            next_second: u64::MAX,
            last_answer: 0,
            cpu: (0, 0),
            wall: 0,
        })
    }

    /// Runs the course on this thread.
    ///
    /// # Errors
    /// When the kernel's epoll fails; what goes wrong with the server is counted.
    pub(crate) fn run(mut self) -> io::Result<Driven> {
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
            events.clear();
            self.wait(&mut events)?;
            for event in &events {
                self.ready(
                    usize::try_from(event.data.u64()).unwrap_or(usize::MAX),
                    event.flags,
                );
            }
            while let Some(index) = self.answered.pop() {
                self.next(index);
            }
            now = self.now();
        }
        Ok(self.driven())
    }

    /// Waits for the kernel's events, or for what is due next.
    fn wait(&self, events: &mut Vec<epoll::Event>) -> io::Result<()> {
        let rest = Timespec::try_from(self.rest(self.now())).map_err(io::Error::other)?;
        let mut limit = rest;
        if self.schedule.is_some() {
            // A plain epoll waits whole milliseconds; `ppoll` on it knows nanoseconds.
            let mut ready = [PollFd::new(&self.epoll, PollFlags::IN)];
            uninterrupted(poll(&mut ready, Some(&rest)))?;
            limit = Timespec::default();
        }
        let buffer = rustix::buffer::spare_capacity(events);
        uninterrupted(epoll::wait(&self.epoll, buffer, Some(&limit)))
    }

    fn now(&self) -> u64 {
        super::arrivals::nanos(self.started.elapsed())
    }

    /// Goes to the next phase where it is time. `false` when all is over.
    fn go_on(&mut self, now: u64) -> bool {
        let before = self.phases.phase;
        let idle = self.busy == 0 && self.due.is_empty();
        let after = self.phases.turn(now, idle, self.budget == 0);
        if before != after {
            self.watch.enter(after);
            if after == Phase::Window {
                self.cpu.0 = cpu();
                self.next_second = now + SECOND;
                self.last_answer = now;
                if let Some(schedule) = &mut self.schedule {
                    schedule.begin_window(now);
                }
            }
            if before == Phase::Window {
                self.cpu.1 = cpu();
                self.wall = now - self.phases.window_began;
            }
        }
        after != Phase::Over && !self.watch.is_cancelled()
    }

    /// How long nothing is to do but wait for the server.
    fn rest(&self, now: u64) -> std::time::Duration {
        let due = self.schedule.as_ref().and_then(Schedule::next);
        let next = due
            .unwrap_or(u64::MAX)
            .min(self.next_tick)
            .min(self.phases.next_turn());
        std::time::Duration::from_nanos(next.saturating_sub(now))
    }

    /// What is looked at now and then.
    fn tick(&mut self, now: u64) {
        self.next_tick = now + TICK;
        if now >= self.next_second && self.phases.phase == Phase::Window {
            self.next_second += SECOND;
            self.series.turn();
        }
        self.watch
            .tell(self.tally.right_answers(), self.tally.errors());
        let limit = super::arrivals::nanos(self.course.timeout);
        for index in 0..self.connections.len() {
            let connection = &self.connections[index];
            match connection.state {
                State::Busy if now > connection.flight.sent.saturating_add(limit) => {
                    let reason = format!("none within {:?}", self.course.timeout);
                    self.fail(index, FailureClass::TimedOut, reason);
                }
                State::Closed
                    if self.schedule.is_none()
                        && now >= connection.retry
                        && self.phases.phase != Phase::Drain =>
                {
                    self.open(index);
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
            if self.connections[index].state == State::Idle {
                self.due.pop_front();
                self.send(index, Some(due));
            }
        }
        self.hold(now);
    }

    /// What is due and has no connection: opens one for each, as many as are allowed.
    fn hold(&mut self, now: u64) {
        let mut unseen = self
            .due
            .iter()
            .rev()
            .take_while(|due| due.seen.is_none())
            .count();
        let from = self.due.len() - unseen;
        for index in from..self.due.len() {
            self.due[index].seen = Some(now);
        }
        let mut place = 0;
        while unseen > 0 && place < self.connections.len() {
            if self.connections[place].state == State::Closed
                && now >= self.connections[place].retry
            {
                self.open(place);
                unseen -= 1;
            }
            place += 1;
        }
        let held = self
            .due
            .iter()
            .rev()
            .take(unseen)
            .filter(|due| due.counts)
            .count();
        self.tally.held += held as u64;
    }

    fn open(&mut self, index: usize) {
        let opened = self.connections[index]
            .open(self.prepared.address)
            .and_then(|()| {
                let flags = epoll::EventFlags::OUT;
                let source = self.connections[index].descriptor()?;
                Ok(epoll::add(
                    &self.epoll,
                    source,
                    epoll::EventData::new_u64(index as u64),
                    flags,
                )?)
            });
        if let Err(error) = opened {
            self.unopened(index, &error);
        }
    }

    fn wants(&self, index: usize, flags: epoll::EventFlags) -> io::Result<()> {
        let source = self.connections[index].descriptor()?;
        let data = epoll::EventData::new_u64(index as u64);
        Ok(epoll::modify(&self.epoll, source, data, flags)?)
    }

    /// No connection could be made: an error of the request that wanted it.
    fn unopened(&mut self, index: usize, error: &io::Error) {
        self.connections[index].close();
        self.connections[index].retry = self.now() + RETRY;
        if self.schedule.is_some() {
            self.give_up(FailureClass::Connect, error.to_string());
        } else if self.phases.phase == Phase::Window && self.take_one() {
            self.wrong(true, FailureClass::Connect, error.to_string());
        }
    }

    /// The first of what is due gets no answer.
    fn give_up(&mut self, class: FailureClass, reason: String) {
        if let Some(due) = self.due.pop_front() {
            self.wrong(due.counts, class, reason);
        }
    }

    /// The kernel says that a connection is ready for something.
    fn ready(&mut self, index: usize, flags: epoll::EventFlags) {
        match self.connections[index].state {
            State::Closed => {}
            State::Connecting => {
                let opened = self.connections[index].opened();
                match opened.and_then(|()| self.wants(index, epoll::EventFlags::IN)) {
                    Ok(()) => self.next(index),
                    Err(error) => self.unopened(index, &error),
                }
            }
            // Nothing is owed: the server has closed it, as it may.
            State::Idle => self.connections[index].close(),
            State::Busy => {
                if flags.contains(epoll::EventFlags::OUT) {
                    self.send_rest(index);
                }
                if flags.intersects(
                    epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR,
                ) {
                    self.receive(index);
                }
            }
        }
    }

    /// A connection is idle: a closed loop sends on it, an open loop may.
    fn next(&mut self, index: usize) {
        if self.schedule.is_none() {
            let phase = self.phases.phase;
            if phase == Phase::WarmUp || (phase == Phase::Window && self.take_one()) {
                self.send(index, None);
            }
        } else if let Some(due) = self.due.pop_front() {
            self.send(index, Some(due));
        } else {
            self.free.push(index);
        }
    }

    /// Takes one request from the budget, where one is left.
    fn take_one(&mut self) -> bool {
        let left = self.budget > 0;
        self.budget = self.budget.saturating_sub(1);
        left
    }

    fn send(&mut self, index: usize, due: Option<Due>) {
        let sent = self.now();
        let request = self.next_request;
        self.next_request = (request + 1) % self.prepared.payloads.len();
        let counts = due.map_or(self.phases.phase == Phase::Window, |due| due.counts);
        if let Some(due) = due.filter(|due| due.counts) {
            self.tally
                .sent_late(due.seen.unwrap_or(sent).saturating_sub(due.at));
        }
        let flight = Flight {
            request,
            due: due.map_or(sent, |due| due.at),
            sent,
            counts,
        };
        let payload = &self.prepared.payloads[request];
        if counts {
            self.tally.bytes_sent += payload.len() as u64;
        }
        self.busy += 1;
        match self.connections[index].send(payload, flight) {
            Ok(true) => {}
            Ok(false) => {
                let both = epoll::EventFlags::IN | epoll::EventFlags::OUT;
                if let Err(error) = self.wants(index, both) {
                    self.fail(index, FailureClass::Broken, error.to_string());
                }
            }
            Err(error) => self.fail(index, FailureClass::Broken, error.to_string()),
        }
    }

    fn send_rest(&mut self, index: usize) {
        let payload = &self.prepared.payloads[self.connections[index].flight.request];
        let sent = self.connections[index].go_on(payload).and_then(|all| {
            if all {
                self.wants(index, epoll::EventFlags::IN)?;
            }
            Ok(())
        });
        if let Err(error) = sent {
            self.fail(index, FailureClass::Broken, error.to_string());
        }
    }

    fn receive(&mut self, index: usize) {
        if self.connections[index].state != State::Busy {
            return;
        }
        match self.connections[index].receive(&mut self.reader) {
            Came::Some => {}
            Came::Answer(whole) => self.answered(index, &whole),
            Came::End(error) => {
                let class = match error.kind() {
                    io::ErrorKind::InvalidData => FailureClass::Malformed,
                    _ => FailureClass::Broken,
                };
                self.fail(index, class, error.to_string());
            }
        }
    }

    fn answered(&mut self, index: usize, whole: &Whole) {
        let now = self.now();
        self.busy -= 1;
        let connection = &mut self.connections[index];
        let flight = connection.flight;
        let body = match &whole.body {
            Body::Here(range) => &connection.input()[range.clone()],
            Body::Gathered(body) => body,
        };
        let answer = Answer {
            status: whole.status,
            body,
        };
        let judged = judge(
            &self.prepared.expect,
            &self.prepared.references[flight.request],
            &answer,
        );
        if whole.keeps_open {
            connection.state = State::Idle;
        } else {
            connection.close();
        }
        let latency = now - flight.due;
        if flight.counts {
            self.last_answer = now;
            self.tally.bytes_received += whole.bytes as u64;
        }
        match judged {
            Err(wrong) => self.wrong(flight.counts, wrong.class, wrong.reason),
            Ok(()) if !flight.counts => self.phases.settle.answer(latency),
            Ok(()) => {
                self.series.count(Some(latency));
                if self.schedule.is_some() {
                    let service = now - flight.sent;
                    self.tally.right_open(Timed { latency, service });
                } else {
                    self.tally.right(latency);
                }
            }
        }
        if whole.keeps_open {
            self.answered.push(index);
        } else if self.schedule.is_none() {
            self.open(index);
        }
    }

    /// A request on its way gets no answer, and its connection is of no more use.
    fn fail(&mut self, index: usize, class: FailureClass, reason: String) {
        self.busy -= 1;
        let counts = self.connections[index].flight.counts;
        if counts {
            self.last_answer = self.now();
        }
        self.wrong(counts, class, reason);
        self.connections[index].close();
    }

    fn wrong(&mut self, counts: bool, class: FailureClass, reason: String) {
        if counts {
            self.series.count(None);
            self.tally.wrong(class, || reason);
        }
    }

    fn driven(self) -> Driven {
        let cancelled = self.watch.is_cancelled();
        self.watch
            .tell(self.tally.right_answers(), self.tally.errors());
        Driven {
            nanos: self.last_answer.saturating_sub(self.phases.window_began),
            cpu: self.cpu.1.saturating_sub(self.cpu.0),
            wall: self.wall,
            steady: self.phases.steady,
            series: self.series.finish(),
            tally: self.tally,
            cancelled,
        }
    }
}

/// A signal is no error.
fn uninterrupted<T>(waited: Result<T, Errno>) -> io::Result<()> {
    match waited {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// CPU time of this thread, ns.
fn cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * SECOND + u64::try_from(time.tv_nsec).unwrap_or(0)
}
