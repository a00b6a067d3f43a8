//! Waits for an arrival to the microsecond.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
    time::Duration,
};

use rustix::{
    event::Timespec,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create,
        timerfd_settime,
    },
};

use super::{
    lead::Lead,
    poller::{ALARM, Event, EventFlags, Poller},
};

/// What an open loop waits for, ns of the load's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    /// When the next arrival is due.
    pub(crate) due: u64,
    /// When there is something else to do, which may be late.
    pub(crate) other: u64,
}

/// Ends an epoll's wait at a time, to the nanosecond; its own limit is whole milliseconds.
///
/// A kernel runs a thread that slept some time after its timer rang. An arrival is
/// therefore slept for until a [`Lead`] before it is due, and looked out for from then on.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: OwnedFd,
    /// What it is set to.
    at: u64,
    lead: Lead,
    /// The arrival that was looked out for last.
    looked_out: u64,
}

impl Alarm {
    /// An alarm that is not set.
    pub(crate) fn new(poller: &Poller) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // By edges: an alarm that has rung need not be read, which is a system call less.
        poller.add(timer.as_fd(), ALARM, EventFlags::IN | EventFlags::ET)?;
        Ok(Self {
            timer,
            at: 0,
            lead: Lead::default(),
            looked_out: 0,
        })
    }

    /// Waits for events, until it is nearly time: whoever comes back too early waits again.
    /// `clock` tells the load's clock.
    pub(crate) fn wait(
        &mut self,
        poller: &Poller,
        events: &mut Vec<Event>,
        until: Until,
        clock: impl Fn() -> u64,
    ) -> io::Result<()> {
        let now = clock();
        let early = until.due.saturating_sub(self.lead.nanos());
        let rings = early.min(until.other);
        if now < rings {
            self.set(rings, now)?;
            poller.wait(events, None)?;
            let woke = clock();
            if woke >= rings && rings == early {
                self.lead.woke(woke - rings, woke);
            }
            return Ok(());
        }
        if now < until.due && self.looked_out != until.due {
            self.looked_out = until.due;
            self.lead.spend(until.due - now, now);
        }
        poller.wait(events, Some(Duration::ZERO))
    }

    /// Sets it to a time that is still to come.
    fn set(&mut self, at: u64, now: u64) -> io::Result<()> {
        if at == self.at {
            return Ok(());
        }
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec::try_from(Duration::from_nanos(at - now))
                .map_err(io::Error::other)?,
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.at = at;
        Ok(())
    }
}
