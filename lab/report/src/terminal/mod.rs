//! What a person sees while a run goes on: lines that stay, and, on a terminal, bars
//! that move below them.

mod bars;
mod measured;
mod progress;
mod teller;

use std::{
    fmt,
    io::{self, Write},
};

use indicatif::ProgressDrawTarget;
use lab_model::event::Event;

use crate::{
    history::Expected,
    lang::Lang,
    reporter::Reporter,
    terminal::{bars::Bars, teller::Teller},
};

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
    /// In which language.
    pub lang: Lang,
}

/// Tells a run's events to a person.
pub struct Terminal<W> {
    out: W,
    teller: Teller,
    bars: Option<Bars>,
}

impl<W> fmt::Debug for Terminal<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("live", &self.bars.is_some())
            .finish_non_exhaustive()
    }
}

impl<W: Write> Terminal<W> {
    /// Writes lines to `out`, usually standard error; draws bars there where `live`.
    pub fn new(out: W, settings: Settings) -> Self {
        let bars = (settings.live && settings.verbosity > Verbosity::Quiet)
            // Ten times a second reads as moving and costs no CPU worth naming.
            .then(|| {
                let target = ProgressDrawTarget::stderr_with_hz(10);
                Bars::new(target, settings.color, settings.lang)
            });
        Self {
            out,
            teller: Teller::new(settings),
            bars,
        }
    }
}

impl<W: Write> Terminal<W> {
    /// Tells what is left of the run, by those that were made before.
    #[must_use]
    pub fn expecting(mut self, expected: Option<Expected>) -> Self {
        if let (Some(bars), Some(expected)) = (&mut self.bars, &expected) {
            bars.expect(expected.clone());
        }
        self.teller.expect(expected);
        self
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let lines = self.teller.tell(event);
        let Some(bars) = &mut self.bars else {
            return write_lines(&mut self.out, &lines);
        };
        bars.take(event);
        if lines.is_empty() {
            return Ok(());
        }
        bars.above(|| write_lines(&mut self.out, &lines))
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(bars) = &mut self.bars {
            bars.clear();
        }
        self.out.flush()
    }
}

fn write_lines(out: &mut impl Write, lines: &[String]) -> io::Result<()> {
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
