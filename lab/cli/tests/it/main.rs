//! The command line as scripts see it, and the workspace's own rules.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod arrows;
mod bad_input;
mod checkout;
mod command_line;
mod existing;
mod reports;
mod secrets;
mod settings;
mod tls;
