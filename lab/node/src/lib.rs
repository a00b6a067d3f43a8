//! The node container's first program: prepares the container, makes
//! certificates, starts and supervises the Kubernetes components, answers DNS for
//! the cluster and provisions its volumes.
//!
//! Honours the contract of `rancher/k3s` (`server`, `K3S_TOKEN`, the kubeconfig's
//! path). Knows nothing of Docker, stacks or the machine the container runs on.

mod addons;
mod args;
mod components;
mod dns;
mod files;
mod host;
mod image_store;
mod layout;
mod once;
mod pki;
mod probe;
mod processes;
mod server;
mod storage;
mod supervisor;

pub use args::{NodeArgs, Role};
pub use dns::{DNS_ADDRESS, DnsError, zone};
pub use host::HostError;
pub use layout::{KUBECONFIG, LOGS, READY_LINE};
pub use pki::PkiError;
pub use server::{NodeError, run, serve};
