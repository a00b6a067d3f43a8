//! The providers `node` and `k3s`: a cluster is one container a node. Both have one
//! contract (`contract.rs`, which also has what differs): of the locally built node image,
//! with this very program as its first process, or of k3s as its project publishes it.

mod agents;
mod ask;
mod binary;
mod contract;
mod down;
mod faults;
mod files;
mod gpus;
mod image;
mod kubeconfig;
mod leftovers;
mod list;
mod load;
pub(crate) mod names;
mod program_image;
mod programs;
mod security;
mod share;
mod store;
mod up;
mod usage;
mod watch;

pub use down::down;
pub use faults::{
    faults, heal, heal_all, heal_dead, heal_own, inject, inject_for, lacking_for_faults,
};
pub use gpus::offer as offer_gpus;
pub use image::{ready_image, recipe};
pub use leftovers::{clean, leftovers};
pub use list::{LogWish, known, list, logs, open};
pub use load::{load_images, loaded_images};
pub use program_image::load_own_program;
pub use programs::{program_log, programs};
pub use security::{lacking as lacking_capabilities, security};
pub use share::{Releases, releases, share};
pub use store::{ImageStore, store};
pub use up::up;
pub use usage::usage;
