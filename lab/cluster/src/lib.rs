//! Clusters: providers that make and remove them, and the lease on what they own.
