//! Reads a record back. Skips what it does not know, tolerates what a crash tore.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use lab_model::event::Event;
use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use crate::{fold::Fold, report::Report};

/// Why a record could not be read.
#[derive(Debug, Error, Diagnostic)]
pub enum ReadError {
    /// The file could not be opened.
    #[error("failed to open the record `{}`", path.display())]
    #[diagnostic(
        code(lab::report::record_missing),
        help("`ls runs` shows the runs that have a record; pass one of them to `lab report`")
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading stopped half-way.
    #[error("failed to read line {line} of the record")]
    #[diagnostic(
        code(lab::report::record_unreadable),
        help("check the disk, then run again")
    )]
    Line {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: io::Error,
    },
    /// A line in the middle is not an event at all.
    #[error("line {line} of the record is not an event")]
    #[diagnostic(
        code(lab::report::record_damaged),
        help("the record was changed by hand; remove that line, or run again")
    )]
    Damaged {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// A record, read back.
#[derive(Debug, Default)]
pub struct Recording {
    /// Its events, in the order recorded.
    pub events: Vec<Event>,
    /// What is not among them.
    pub rest: Rest,
}

/// What a record has beside the events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    /// Lines of kinds that this version does not know.
    pub unknown: usize,
    /// Whether the last line was torn, as a crash leaves it.
    pub torn: bool,
}

/// The least that makes a line a fact of some version.
#[derive(Deserialize)]
struct AnyEvent {
    #[expect(dead_code, reason = "only its presence is asked for")]
    seq: u64,
    fact: AnyFact,
}

#[derive(Deserialize)]
struct AnyFact {
    kind: String,
}

/// Reads a record from a file.
///
/// # Errors
/// Fails where the file cannot be read or a line that is not the last is no event.
pub fn read_file(path: &Path) -> Result<Recording, ReadError> {
    read_events(open(path)?)
}

/// Reads a record.
///
/// # Errors
/// Fails where reading fails or a line that is not the last is no event.
pub fn read_events(input: impl BufRead) -> Result<Recording, ReadError> {
    let mut events = Vec::new();
    let rest = each_event(input, |event| events.push(event))?;
    Ok(Recording { events, rest })
}

/// Reads the report of a record from a file, without holding all of its events.
///
/// # Errors
/// Fails where the file cannot be read or a line that is not the last is no event.
pub fn read_report(path: &Path) -> Result<(Report, Rest), ReadError> {
    let mut fold = Fold::default();
    let rest = each_event(open(path)?, |event| fold.take(event))?;
    Ok((fold.finish(), rest))
}

fn open(path: &Path) -> Result<BufReader<File>, ReadError> {
    let file = File::open(path).map_err(|source| ReadError::Open {
        path: path.to_owned(),
        source,
    })?;
    Ok(BufReader::new(file))
}

fn each_event(mut input: impl BufRead, mut take: impl FnMut(Event)) -> Result<Rest, ReadError> {
    let mut rest = Rest::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = input
            .read_until(b'\n', &mut bytes)
            .map_err(|source| ReadError::Line { line, source })?;
        if read == 0 {
            break;
        }
        let whole = bytes.ends_with(b"\n");
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Event>(&bytes) {
            Ok(event) => take(event),
            Err(_) if is_of_another_version(&bytes) => rest.unknown += 1,
            Err(_) if !whole => rest.torn = true,
            Err(source) => return Err(ReadError::Damaged { line, source }),
        }
    }
    Ok(rest)
}

/// Whether a line is a numbered fact whose kind this version does not know.
fn is_of_another_version(line: &[u8]) -> bool {
    serde_json::from_slice::<AnyEvent>(line).is_ok_and(|event| !is_known(&event.fact.kind))
}

/// Whether the kind is one of this version's: serde names an unknown tag in its error.
fn is_known(kind: &str) -> bool {
    let probe = serde_json::json!({ "kind": kind });
    match serde_json::from_value::<lab_model::event::Fact>(probe) {
        Ok(_) => true,
        Err(error) => !error.to_string().starts_with("unknown variant"),
    }
}
