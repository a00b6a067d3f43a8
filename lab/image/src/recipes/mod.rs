//! A folder of recipes: which stands on which, and the tag of each.

mod all;
mod soundness;
#[cfg(test)]
mod tests;

pub use all::{BASE, Recipes};
