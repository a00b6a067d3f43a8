//! The whole of it, over a model of a machine: what the rule finds, misses and says.

mod machine;
mod measuring;
mod properties;
mod recorded;
mod simulation;
mod words;
