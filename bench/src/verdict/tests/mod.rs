//! The whole of it, over a model of a machine: what the rule finds, misses and says.

mod machine;
mod measuring;
mod properties;
mod simulation;
mod words;
