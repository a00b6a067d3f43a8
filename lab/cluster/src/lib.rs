//! Clusters: providers that make and remove them, and the lease on what they own.
//!
//! [`up`], [`open`] and [`down`] find the provider; one module has what is special to
//! each: [`node`] makes a cluster of one container a node, [`kind`] has the program of
//! that name make one, [`existing`] uses one that is there. Knows nothing of stacks,
//! scenarios or reports.

mod claim;
mod cluster;
mod error;
pub mod existing;
mod folder;
pub mod gpu;
pub mod kind;
mod lease;
pub mod node;
mod provider;
mod readiness;
pub mod reaper;

pub use cluster::{Cluster, ClusterSpec, ClusterSummary, Leftover, Usage};
pub use error::ClusterError;
pub use lease::{Injected, Lease, OnExisting};
pub use provider::{down, known, list, logs, open, up, usage};
