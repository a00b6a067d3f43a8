//! The closed loop against small servers in the same process.

mod closed_loop;
mod server;
