//! Words of the lab: names, stages, outcomes, events, stacks, exit codes;
//! and the one way to read the files that people write.
//!
//! Pure data. This crate does no I/O, so every other crate may depend on it and
//! it depends on none of them.

pub mod benchmark;
pub mod budget;
pub mod cause;
pub mod definition;
pub mod event;
pub mod exit;
pub mod failure_class;
pub mod fault;
pub mod gpu;
pub mod help;
pub mod hindrance;
pub mod installed;
pub mod name;
pub mod outcome;
pub mod progress;
pub mod provider;
pub mod remark;
pub mod said;
pub mod secrets;
pub mod stack;
pub mod stage;
pub mod version;
pub mod void;

/// What is said in both languages, English first: what each of a list says, for a snapshot.
#[cfg(test)]
fn in_both_languages<T: std::fmt::Display>(all: &[T], korean: impl Fn(&T) -> String) -> String {
    all.iter().fold(String::new(), |said, it| {
        format!("{said}{it}\n  {}\n", korean(it))
    })
}
