//! The load engine: offers requests, times and judges the answers.

mod arrivals;
mod backlog;
mod channel;
mod connection;
mod connections;
mod course;
mod driver;
mod http;
mod meter;
mod phase;
mod poller;
mod schedule;
mod settle;
mod socket;
mod streams;
mod wire;

pub use arrivals::Arrivals;
pub(crate) use arrivals::nanos;
pub use course::{Course, Pace, Phase, Watch};
pub(crate) use driver::drive;
pub(crate) use meter::Driven;
