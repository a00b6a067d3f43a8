//! The learning report: one self-contained page that works without a network and
//! without scripts. It shows, it never judges: every figure is the fold's.
//!
//! All text from outside passes through [`words`]; `maud` escapes whatever is spliced.

mod benchmark;
mod chapters;
mod chart;
mod evidence;
mod opening;
mod page;
mod resources;
mod timeline;
mod versions;
mod words;

pub(crate) use benchmark::{files as benchmark_files, parts as benchmark_parts};
pub use page::render;
