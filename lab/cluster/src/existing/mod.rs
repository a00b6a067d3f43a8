//! The provider `existing`: a cluster that somebody else made and others use, reached by
//! a context of a kubeconfig. What is ours there lies in namespaces of our own and
//! carries labels; only that is removed, and the cluster itself stays.

mod down;
mod error;
mod examine;
mod images;
mod list;
mod namespace;
mod up;

pub use down::down;
pub use error::ExistingError;
pub use examine::{Wish, examine};
pub use images::require_images;
pub use list::{list, open, pull_from, registry, usage};
pub use namespace::own_namespace;
pub use up::up;
