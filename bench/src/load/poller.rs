//! The kernel's epoll, shared by who waits and what is waited for.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
    rc::Rc,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, epoll, poll},
    io::Errno,
};

pub(crate) use rustix::event::epoll::{Event, EventFlags};

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

    /// Waits until there are events, or for so long, to the nanosecond.
    ///
    /// A plain epoll waits whole milliseconds; `ppoll` on it knows nanoseconds.
    pub(crate) fn doze(&self, longest: Duration) -> io::Result<()> {
        let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
        let mut ready = [PollFd::new(&*self.0, PollFlags::IN)];
        uninterrupted(poll(&mut ready, Some(&longest)))
    }

    /// Waits for events, whole milliseconds; fewer than there are may come at once.
    pub(crate) fn wait(&self, events: &mut Vec<Event>, longest: Duration) -> io::Result<()> {
        let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
        events.clear();
        let buffer = rustix::buffer::spare_capacity(events);
        uninterrupted(epoll::wait(&*self.0, buffer, Some(&longest)))
    }
}

/// A signal is no error.
fn uninterrupted(waited: Result<usize, Errno>) -> io::Result<()> {
    match waited {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The number that an event carries.
pub(crate) fn number(event: &Event) -> usize {
    usize::try_from(event.data.u64()).unwrap_or(usize::MAX)
}
