//! Stacks: finding their definitions, installing them with Helm, waiting until
//! every component is ready.
//!
//! Knows a cluster only by its kubeconfig, and an image only by its reference.

pub mod catalogue;
pub mod helm;
pub mod install;
mod version;

pub use catalogue::{Catalogue, CatalogueError};
pub use helm::{Helm, HelmError};
pub use install::{InstallError, Target, hide_secrets, install};
