//! Stacks: definitions, locks, Helm releases.
