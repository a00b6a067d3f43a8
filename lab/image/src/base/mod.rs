//! The base root file system: Debian 12 with nothing but what `apt` needs.
//!
//! Made with a Docker engine and a Debian mirror, without root and without any program
//! of the host: the release file's signature is checked against Debian's archive keys,
//! the package index against the release file, every package against the index. The
//! packages are unpacked here and configured by their own `dpkg` in a plain container.

mod bootstrap;
mod deb;
mod error;
mod index;
mod release;
mod resolve;
mod root;

pub(crate) use self::bootstrap::{Bootstrap, bootstrap};
pub use self::error::BaseError;

/// The release every image stands on.
pub(crate) const SUITE: &str = "bookworm";
/// Part of the base image's tag: raise it when what the bootstrap makes changes.
pub(crate) const REVISION: &str = "debian-bookworm-minbase-1";
