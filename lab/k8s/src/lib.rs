//! The Kubernetes API as the lab needs it: a client from a kubeconfig, waits that
//! follow progress, evidence for failures.
//!
//! The only crate that depends on `kube`; others reach it through the re-exports.
//! Knows nothing of Docker, stacks or scenarios.

pub mod access;
mod client;
pub mod context;
pub mod evidence;
pub mod forward;
pub mod job;
pub mod logs;
pub mod nodes;
pub mod readiness;
pub mod removal;
pub mod replicas;
pub mod standing;
mod tunnel;
pub mod usage;

pub use client::{Kube, KubeError};
pub use k8s_openapi;
pub use kube;
