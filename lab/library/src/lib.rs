//! Real clusters with MLOps stacks for `cargo test`.
//!
//! ```no_run
//! # async fn test() -> Result<(), mlops_lab::LabError> {
//! let lab = mlops_lab::Lab::builder().stack("lifecycle").shared("my-tests").start().await?;
//! let namespace = lab.namespace().await?; // fresh, and gone after the test
//! let triton = lab.endpoint("triton"); // http://127.0.0.1:…
//! # Ok(())
//! # }
//! ```
//!
//! The cluster is brought up by the program `lab`, which is found beside the test, on
//! the `PATH`, or where `LAB_PROGRAM` says. It belongs to the test's process: when that
//! ends, however it ends, the cluster goes. A [`shared`](LabBuilder::shared) one is
//! used by all tests of all processes that name it, and goes some minutes after the
//! last of them; a file under the state folder (the lease) keeps them in step.

mod builder;
mod error;
mod fault;
mod lab;
mod namespace;
mod node_image;
mod program;

pub use crate::{
    builder::LabBuilder, error::LabError, fault::FaultGuard, lab::Lab, namespace::Namespace,
    node_image::NodeImage,
};
pub use lab_k8s::{Kube, k8s_openapi, kube};
pub use lab_model::fault::Fault;
