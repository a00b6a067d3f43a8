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

use std::io;

use crate::prepare::{Prepared, Protocol};
use connections::Connections;
use driver::Driver;
use poller::Poller;
use streams::Streams;

/// Runs a course against a target, on this thread.
///
/// # Errors
/// When the kernel's epoll fails; what goes wrong with the server is counted.
pub(crate) fn drive(prepared: &Prepared, course: &Course, watch: &Watch) -> io::Result<Driven> {
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
