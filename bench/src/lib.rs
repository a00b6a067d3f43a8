//! Load engine and statistics for inference servers.
//!
//! A [`workload::Workload`] says which load is offered to which model. It makes a
//! [`target::Target`] (what is asked, and which answers are right) and courses
//! ([`load::Course`]: how requests are offered); a [`session::Session`] measures one
//! window, a [`suite::Bench`] all of them; [`generators`] make the load of a window from
//! several places; [`verdict`] compares two servers.
//!
//! Knows no cluster, no stack and no reporter: it is given a [`Server`] and gives back figures.

pub mod duel;
pub mod error;
mod export;
pub mod generators;
mod greeting;
pub mod grpc;
pub mod handshake;
mod host;
pub mod identity;
mod judge;
pub mod load;
pub mod measure;
pub mod null;
mod observe;
mod pem;
mod prepare;
pub mod record;
mod search;
mod series;
mod server;
pub mod session;
pub mod stall;
pub mod suite;
pub mod sweep;
pub mod target;
mod triton;
pub mod trust;
pub mod verdict;
pub mod workload;

pub use observe::{Behind, Used};
pub use server::Server;
