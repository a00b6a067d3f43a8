//! Writes the record of a run: one JSON object a line, flushed line by line, so that
//! a killed run leaves everything but at most its last line.

use std::io::{self, Write};

use lab_model::event::Event;

use crate::reporter::Reporter;

/// Appends events to a writer, one a line.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Recorder<W> {
    /// Records into `out`, for example a file opened for appending.
    pub const fn new(out: W) -> Self {
        Self {
            out,
            line: Vec::new(),
        }
    }

    /// Appends one event and flushes.
    ///
    /// # Errors
    /// Fails where the writer does.
    pub fn record(&mut self, event: &Event) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, event)?;
        self.line.push(b'\n');
        // One write a line: a line is torn only when the machine is.
        self.out.write_all(&self.line)?;
        self.out.flush()
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Reporter for Recorder<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.record(event)
    }
}
