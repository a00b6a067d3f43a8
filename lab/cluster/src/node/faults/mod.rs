//! Faults in a cluster: leased before they are made, undone on every way out.

mod deeds;
mod disk;
mod leased;
mod scripts;

pub use deeds::lacking as lacking_for_faults;
pub use leased::{faults, heal, heal_all, heal_dead, heal_own, inject, inject_for};
