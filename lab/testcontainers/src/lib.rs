//! A one-node Kubernetes cluster for those who write their tests with `testcontainers`.
//!
//! ```no_run
//! use mlops_lab_testcontainers::{Node, kubeconfig};
//! use testcontainers::runners::AsyncRunner;
//!
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::find().await?.request().start().await?;
//! let kubeconfig = kubeconfig(&node).await?; // gone with `node`
//! # Ok(())
//! # }
//! ```
//!
//! The image is the one of `lab up`, made by the program `lab` when it is not there yet, and
//! `lab` is the node's first process. What an [`Image`](testcontainers::Image) cannot say,
//! [`Node::request`] says; [`mlops_lab::Lab`] is for clusters with several nodes and stacks.

mod kubeconfig;
mod node;
mod request;

pub use crate::{kubeconfig::kubeconfig, node::Node};
