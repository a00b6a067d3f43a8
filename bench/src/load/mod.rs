//! The load engine: offers requests, times and judges the answers.

mod alarm;
mod arrivals;
mod backlog;
mod channel;
mod connection;
mod connections;
mod course;
mod driver;
mod http;
mod lead;
mod meter;
mod phase;
mod poller;
mod realtime;
mod schedule;
mod settle;
mod socket;
mod streams;
mod transport;
mod wire;

pub use arrivals::Arrivals;
pub(crate) use arrivals::nanos;
pub use course::{Course, Pace, Phase, Watch};
pub(crate) use meter::Driven;
#[cfg(test)]
pub(crate) use meter::Meter;

use std::{io, panic, thread};

use crate::prepare::{Prepared, Protocol};
use connections::Connections;
use driver::Driver;
use poller::Poller;
use streams::Streams;

/// Runs a course against a target; comes back when it is over.
///
/// Arrivals come from outside and wait for no processor, so the thread of an open loop runs
/// before all others where it may; a closed loop waits for its server anyway, and must not
/// take its processor.
///
/// # Errors
/// When the kernel's epoll fails; what goes wrong with the server is counted.
pub(crate) fn drive(prepared: &Prepared, course: &Course, watch: &Watch) -> io::Result<Driven> {
    match course.pace {
        Pace::Closed { .. } => run(prepared, course, watch),
        Pace::Open { .. } => thread::scope(|scope| {
            let first = || {
                let realtime = realtime::begin();
                let driven = run(prepared, course, watch)?;
                Ok(Driven { realtime, ..driven })
            };
            scope
                .spawn(first)
                .join()
                .unwrap_or_else(|panicked| panic::resume_unwind(panicked))
        }),
    }
}

/// Whether the thread of an open loop runs before all that are not real-time here.
pub fn runs_first() -> bool {
    thread::scope(|scope| scope.spawn(realtime::begin).join()).unwrap_or(false)
}

/// The same, on this thread.
fn run(prepared: &Prepared, course: &Course, watch: &Watch) -> io::Result<Driven> {
    let poller = Poller::new()?;
    let (places, requests) = (course.pace.places(), prepared.payloads.len());
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
