//! Load engine and statistics for inference servers.
//!
//! Owns how load is offered and how answers are timed and judged. Knows no cluster,
//! no stack and no reporter: it is given a URL and gives back figures.

pub mod closed_loop;
mod connection;
mod judge;
mod point;
pub mod statistics;
pub mod target;
pub mod verdict;
pub mod workload;
