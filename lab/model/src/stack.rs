//! Stacks, their components and their locks.
