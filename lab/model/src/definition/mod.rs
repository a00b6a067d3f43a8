//! Files that people write: stacks, locks, recipes, workloads, settings.
//!
//! One way to read them all: TOML, key by key, every problem at once, each with file,
//! line and key. What nobody asks for is an unknown key, and a problem.

mod problem;
mod reader;
#[cfg(test)]
mod tests;

pub use problem::{DefinitionError, Problem};
pub use reader::{Reader, Value, read};
