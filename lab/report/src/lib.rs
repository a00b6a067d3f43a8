//! Reports: pure folds of a run's events.
//!
//! Owns what people and CI read about a run: the record (`events.ndjson`), the
//! learning report, `JUnit`, the terminal. Knows only event types: nothing here may
//! ask a cluster, an engine or a clock.

pub mod bench;
mod clues;
mod figures;
pub mod fold;
pub mod github;
pub mod history;
pub mod html;
pub mod json;
pub mod junit;
pub mod lang;
pub mod lessons;
pub mod messages;
mod paint;
pub mod pictures;
pub mod read;
pub mod record;
pub mod report;
pub mod reporter;
pub mod summary;
pub mod sweep;
pub mod terminal;
mod text;
mod words;
