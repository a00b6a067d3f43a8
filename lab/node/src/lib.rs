//! The node container's first program: prepares the container, makes
//! certificates, starts and supervises the Kubernetes components, answers DNS for
//! the cluster and provisions its volumes.
//!
//! Honours the contract of `rancher/k3s` (`server` and `agent`, `K3S_URL`,
//! `K3S_TOKEN`, the paths of kubeconfig, token and state). Knows nothing of Docker, stacks
//! or the machine the container runs on.

mod addons;
mod agent;
mod args;
mod components;
mod dns;
mod error;
mod files;
mod gpu;
mod group;
mod host;
mod image_store;
mod join;
mod layout;
mod nodes;
mod once;
mod pki;
mod probe;
mod processes;
mod routes;
mod run;
mod server;
mod storage;
mod supervisor;
mod waits;
mod worker;

pub use args::{AgentArgs, NodeArgs, ServerArgs};
pub use dns::{DNS_ADDRESS, DnsError, zone};
pub use error::NodeError;
pub use host::HostError;
pub use join::JoinError;
pub use layout::{KUBECONFIG, LOGS, NODE_TOKEN, READY_LINE};
pub use pki::PkiError;
pub use run::{run, serve};
