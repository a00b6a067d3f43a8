//! The load engine against small servers in the same process.
#![expect(
    clippy::unwrap_used,
    reason = "a test whose server cannot start has failed"
)]

mod authority;
mod client;
mod early;
mod generators;
mod grpc;
mod grpc_server;
mod load;
mod search;
mod server;
mod sweep;
mod tls;
mod tls_server;
