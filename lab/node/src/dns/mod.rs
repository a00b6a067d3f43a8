//! DNS of the cluster: answers for `cluster.local` from Services and Endpoints,
//! forwards the rest to the resolvers the container was given.

mod answer;
mod feed;
mod server;
pub mod zone;

use std::net::Ipv4Addr;

pub(crate) use feed::feed;
pub use server::DnsError;
pub(crate) use server::serve;

/// The Service address that pods ask.
pub const DNS_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 43, 0, 10);
/// Where the server listens on the node's address.
pub(crate) const PORT: u16 = 53;

#[cfg(test)]
mod tests;
