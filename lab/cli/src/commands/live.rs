//! Shows a command's events while it works, and records those of a run.

use std::{fs::File, io::BufWriter, path::Path, sync::Arc};

use lab_model::event::{Emitter, Event, Fact};
use lab_report::{
    history::Expected,
    json::JsonLines,
    record::Recorder,
    reporter::Reporter,
    terminal::{Settings, Terminal, Verbosity},
};
use lab_runner::EventLog;
use tokio::{sync::mpsc::UnboundedReceiver, task::JoinSet};

use crate::{args::Global, output};

/// The reporters of one command, fed from its event log.
pub(crate) struct Live {
    log: Arc<EventLog>,
    reporting: JoinSet<Vec<Event>>,
}

impl Live {
    /// Shows events on standard error and, with `--json`, as lines on standard
    /// output; `record` is where a run keeps them.
    pub(crate) fn start(global: &Global, record: Option<File>) -> Self {
        Self::start_expecting(global, record, None)
    }

    /// The same, with what is left of the run, by those that were made before.
    pub(crate) fn start_expecting(
        global: &Global,
        record: Option<File>,
        expected: Option<Expected>,
    ) -> Self {
        let (log, events) = EventLog::new();
        let mut reporters: Vec<Box<dyn Reporter + Send>> = Vec::new();
        if let Some(file) = record {
            reporters.push(Box::new(Recorder::new(BufWriter::new(file))));
        }
        if global.json {
            reporters.push(Box::new(JsonLines::new(std::io::stdout())));
        }
        let terminal = Terminal::new(std::io::stderr(), terminal_settings(global));
        reporters.push(Box::new(terminal.expecting(expected)));
        let mut reporting = JoinSet::new();
        reporting.spawn(drive(events, reporters));
        Self {
            log: Arc::new(log),
            reporting,
        }
    }

    /// The log, for the runner.
    pub(crate) fn log(&self) -> &Arc<EventLog> {
        &self.log
    }

    /// The log, as whoever only emits sees it.
    pub(crate) fn emitter(&self) -> Arc<dyn Emitter> {
        Arc::clone(&self.log) as Arc<dyn Emitter>
    }

    /// Ends the reporters and gives the events back.
    pub(crate) async fn finish(mut self) -> Vec<Event> {
        drop(self.log);
        match self.reporting.join_next().await {
            Some(Ok(events)) => events,
            _ => Vec::new(),
        }
    }
}

async fn drive(
    mut events: UnboundedReceiver<Event>,
    mut reporters: Vec<Box<dyn Reporter + Send>>,
) -> Vec<Event> {
    let mut kept = Vec::new();
    while let Some(event) = events.recv().await {
        for reporter in &mut reporters {
            // A reporter that fails (a closed pipe, say) never fails the run.
            let _ = reporter.event(&event);
        }
        if !matches!(event.fact, Fact::Progressed(_)) {
            kept.push(event);
        }
    }
    for reporter in &mut reporters {
        let _ = reporter.finish();
    }
    kept
}

fn terminal_settings(global: &Global) -> Settings {
    let verbosity = match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, _) => Verbosity::Verbose,
    };
    Settings {
        color: output::color(global),
        live: std::io::IsTerminal::is_terminal(&std::io::stderr()) && !global.json,
        verbosity,
        lang: global.lang.lang(),
    }
}

/// Opens the record of a run, in a folder of its own.
pub(crate) fn record_in(folder: &Path) -> Result<File, output::FileError> {
    std::fs::create_dir_all(folder)
        .and_then(|()| File::create_new(folder.join("events.ndjson")))
        .map_err(output::doing(format!(
            "write the record in `{}`",
            folder.display()
        )))
}
