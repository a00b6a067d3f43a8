//! NVIDIA's GPUs: what this machine has of them ([`Host`]), and how its engine gives
//! them to the nodes of a cluster ([`Way`]).

mod host;
mod way;

pub use host::{Gpu, Host};
pub(crate) use way::{Given, decide};
pub use way::{Way, allow, check};
