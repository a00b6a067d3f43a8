//! The closed loop against small servers in the same process.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose server cannot start has failed"
)]

mod closed_loop;
mod server;
