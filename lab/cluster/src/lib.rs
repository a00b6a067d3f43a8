//! Clusters: providers that make and remove them, and the lease on what they own.
//!
//! One module a provider; [`node`] makes a cluster of one container from the
//! locally built node image. Knows nothing of stacks, scenarios or reports.

mod cluster;
mod error;
mod folder;
mod lease;
pub mod node;
pub mod reaper;

pub use cluster::{Cluster, ClusterSpec, ClusterSummary, Leftover, Usage};
pub use error::ClusterError;
pub use lease::{Injected, Lease};
