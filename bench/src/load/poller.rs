//! The kernel's epoll, shared by who waits and what is waited for.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
    rc::Rc,
    time::Duration,
};

use rustix::{
    event::{Timespec, epoll},
    io::Errno,
};

pub(crate) use rustix::event::epoll::{Event, EventFlags};

/// The number of an alarm's events, which mean nothing but that time has passed.
pub(crate) const ALARM: usize = usize::MAX;

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

/// The number that an event carries; none where it is an alarm's.
pub(crate) fn number(event: &Event) -> Option<usize> {
    let number = usize::try_from(event.data.u64()).ok();
    number.filter(|number| *number != ALARM)
}
