//! The recorded streams, for every test that goes through all of them.

use std::path::{Path, PathBuf};

use lab_report::read::{ReadError, Recording, read_file};

/// The streams under `fixtures/runs`, by the end of their names: passed, failed early and
/// late, cut off, measured, hostile.
pub(crate) const STREAMS: [&str; 8] = [
    "passed",
    "failed-scenario",
    "setup-failed",
    "interrupted",
    "not-run-component",
    "hostile",
    "load",
    "load-cut",
];

/// One of them.
pub(crate) fn read(name: &str) -> Result<Recording, ReadError> {
    read_file(&file(name))
}

/// Where it lies.
pub(crate) fn file(name: &str) -> PathBuf {
    let file = format!("../../fixtures/runs/synthetic-{name}.ndjson");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}
