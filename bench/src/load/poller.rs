//! The kernel's epoll, shared by who waits and what is waited for.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    rc::Rc,
    time::Duration,
};

use rustix::{
    event::{Timespec, epoll},
    io::Errno,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create,
        timerfd_settime,
    },
};

pub(crate) use rustix::event::epoll::{Event, EventFlags};

/// The number of an alarm's events.
const ALARM: usize = usize::MAX;

/// One epoll; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Poller(Rc<OwnedFd>);

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self(Rc::new(epoll)))
    }

    /// Watches a socket until it is closed. Events carry the number.
    pub(crate) fn add(
        &self,
        socket: BorrowedFd<'_>,
        number: usize,
        flags: EventFlags,
    ) -> io::Result<()> {
        let data = epoll::EventData::new_u64(number as u64);
        Ok(epoll::add(&*self.0, socket, data, flags)?)
    }

    /// Watches a socket for something else.
    pub(crate) fn change(
        &self,
        socket: BorrowedFd<'_>,
        number: usize,
        flags: EventFlags,
    ) -> io::Result<()> {
        let data = epoll::EventData::new_u64(number as u64);
        Ok(epoll::modify(&*self.0, socket, data, flags)?)
    }

    /// Waits for events, whole milliseconds at most; without an end where none is given.
    /// Fewer events than there are may come at once.
    pub(crate) fn wait(
        &self,
        events: &mut Vec<Event>,
        longest: Option<Duration>,
    ) -> io::Result<()> {
        let longest = longest.map(Timespec::try_from).transpose();
        let longest = longest.map_err(io::Error::other)?;
        events.clear();
        let buffer = rustix::buffer::spare_capacity(events);
        match epoll::wait(&*self.0, buffer, longest.as_ref()) {
            // A signal is no error.
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Ends an epoll's wait at a time, to the nanosecond; its own limit is whole milliseconds.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: OwnedFd,
    /// What it is set to, ns of the load's clock.
    at: u64,
}

impl Alarm {
    /// An alarm that is not set. Its events mean nothing but that time has passed.
    pub(crate) fn new(poller: &Poller) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // By edges: an alarm that has rung need not be read, which is a system call less.
        poller.add(timer.as_fd(), ALARM, EventFlags::IN | EventFlags::ET)?;
        Ok(Self { timer, at: 0 })
    }

    /// Sets it to a time that is still to come.
    pub(crate) fn set(&mut self, at: u64, now: u64) -> io::Result<()> {
        if at == self.at {
            return Ok(());
        }
        let rest = Duration::from_nanos(at.saturating_sub(now).max(1));
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec::try_from(rest).map_err(io::Error::other)?,
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.at = at;
        Ok(())
    }
}

/// The number that an event carries; none where it is an alarm's.
pub(crate) fn number(event: &Event) -> Option<usize> {
    let number = usize::try_from(event.data.u64()).ok();
    number.filter(|number| *number != ALARM)
}
