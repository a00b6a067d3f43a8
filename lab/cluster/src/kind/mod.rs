//! The provider `kind`: clusters made by the program of that name, each in a network
//! and with a kubeconfig of its own.
//!
//! The program makes and names the containers; finding, loading, breaking and removing
//! them is the lab's, so that all of it works without the program, too. Knows nothing
//! of the node image.

mod config;
mod down;
mod error;
mod export;
mod kubeconfig;
mod list;
mod logs;
mod maker;
mod names;
mod program;
mod up;

pub use error::KindError;
pub use export::export;

pub(crate) use down::down;
pub(crate) use list::{all, list, open};
pub(crate) use logs::logs;
pub(crate) use names::is_node_of;
pub(crate) use up::up;
