//! The learning report: one self-contained page that works without a network and
//! without scripts. It shows, it never judges: every figure is the fold's.
//!
//! All text from outside passes through [`words`]; `maud` escapes whatever is spliced.

mod architecture;
mod benchmark;
mod cause;
mod chapters;
mod chart;
mod contents;
mod evidence;
mod index;
mod lesson;
mod opening;
mod page;
mod pods;
mod resources;
mod scenarios;
mod timeline;
mod versions;
mod words;

pub(crate) use benchmark::{files as benchmark_files, parts as benchmark_parts};
pub use index::render_index;
pub use page::render;
