//! The container engine: the only crate that speaks to Docker.
