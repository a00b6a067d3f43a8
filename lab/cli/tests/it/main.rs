//! The command line as scripts see it, and the workspace's own rules.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod arrows;
mod bad_input;
mod by_hand;
mod checkout;
mod command_line;
mod existing;
mod reports;
mod secrets;
mod settings;
#[path = "../shell/mod.rs"]
mod shell;
mod tls;
