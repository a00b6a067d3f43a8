//! `lab report`: a run's reports, made from its events.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lab_model::{event::Event, exit::Exit};
use lab_report::{
    fold::fold,
    html, junit,
    read::read_file,
    summary::{self, Look},
};
use serde::Serialize;

use super::{CommandError, Context};
use crate::{args::ReportArgs, output};

/// Where a run's reports lie.
#[derive(Debug, Serialize)]
struct Written {
    events: PathBuf,
    page: PathBuf,
    junit: PathBuf,
}

pub(super) fn report(context: &Context, args: &ReportArgs) -> Result<Exit, CommandError> {
    let folder = find(context, args.run.as_deref())?;
    let recording = read_file(&folder.join("events.ndjson"))?;
    if recording.torn {
        output::remark("the record's last line is torn: the run was killed while writing it");
    }
    write(context, &folder, &recording.events)?;
    Ok(Exit::Ok)
}

/// Writes the page and the JUnit file beside the record, and tells the summary.
pub(super) fn write(
    context: &Context,
    folder: &Path,
    events: &[Event],
) -> Result<(), CommandError> {
    let lang = context.global.lang;
    let report = fold(events);
    let written = Written {
        events: folder.join("events.ndjson"),
        page: folder.join("report.html"),
        junit: folder.join("junit.xml"),
    };
    save(&written.page, &html::render(&report, lang.of_page()))?;
    let junit = junit::render(&report).map_err(output::doing("write JUnit XML"))?;
    save(&written.junit, &junit)?;
    let look = Look {
        color: output::color(&context.global),
        lang: lang.lang(),
    };
    output::remark(&summary::render(&report, Some(&written.page), look));
    if !context.global.json {
        output::text(&written.page.to_string_lossy());
    }
    Ok(())
}

fn save(path: &Path, text: &str) -> Result<(), output::FileError> {
    fs::write(path, text).map_err(output::doing(format!("write `{}`", path.display())))
}

/// The run's folder: by path, by id, or the newest.
fn find(context: &Context, run: Option<&Path>) -> Result<PathBuf, CommandError> {
    let runs = context.runs();
    let recorded = |folder: &Path| folder.join("events.ndjson").is_file();
    let found = match run {
        Some(run) => [run.to_owned(), runs.join(run)]
            .into_iter()
            .find(|it| recorded(it)),
        None => newest(&runs).filter(|it| recorded(it)),
    };
    found.ok_or_else(|| CommandError::NoRun {
        name: run.map_or_else(|| "newest".to_owned(), |it| it.display().to_string()),
        folder: runs.display().to_string(),
    })
}

/// Runs sort by name as by time.
fn newest(runs: &Path) -> Option<PathBuf> {
    fs::read_dir(runs)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .max()
}
