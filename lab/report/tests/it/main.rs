//! Every output, from recorded streams.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its fixture has failed"
)]

mod any_events;
mod benchmark;
mod history;
mod messages;
mod page;
mod record;
mod scale;
mod text_outputs;

use std::path::PathBuf;

use lab_report::{
    fold::fold,
    read::{Recording, read_file},
    report::Report,
};

/// The streams under `fixtures/runs`, by the end of their names.
const STREAMS: [&str; 8] = [
    "passed",
    "failed-scenario",
    "setup-failed",
    "interrupted",
    "not-run-component",
    "hostile",
    "load",
    "load-cut",
];

fn recording(name: &str) -> Recording {
    let file = format!("../../fixtures/runs/synthetic-{name}.ndjson");
    read_file(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn report(name: &str) -> Report {
    fold(&recording(name).events)
}
