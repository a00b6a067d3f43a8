//! The provider `node`: a cluster is one container a node, of the locally built node
//! image, with this very program as its first process.

mod agents;
mod binary;
mod down;
mod faults;
mod files;
mod kubeconfig;
mod leftovers;
mod list;
mod load;
mod names;
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
pub use leftovers::{clean, leftovers};
pub use list::{LogWish, known, list, logs, open};
pub use load::{load_images, loaded_images};
pub use security::{lacking as lacking_capabilities, security};
pub use share::{Releases, releases, share};
pub use store::{ImageStore, store};
pub use up::up;
pub use usage::usage;
