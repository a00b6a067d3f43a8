//! Every output, from recorded streams.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its fixture has failed"
)]

mod any_events;
mod benchmark;
mod history;
mod korean;
mod messages;
mod page;
mod record;
#[path = "../recorded/mod.rs"]
mod recorded;
mod scale;
mod text_outputs;

use lab_report::{fold::fold, read::Recording, report::Report};

use recorded::STREAMS;

fn recording(name: &str) -> Recording {
    recorded::read(name).unwrap()
}

fn report(name: &str) -> Report {
    fold(recording(name).events)
}
