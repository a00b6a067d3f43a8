//! The load engine: offers requests, times and judges the answers.

mod arrivals;
mod connection;
mod course;
mod driver;
mod http;
mod phase;
mod schedule;
mod settle;

pub use arrivals::Arrivals;
pub use course::{Course, Pace, Phase, Watch};
pub(crate) use driver::{Driven, Driver};
