//! The Kubernetes API: the only crate that speaks to it.
