//! `lab report`: a run's reports, made from its events.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use lab_model::exit::Exit;
use lab_report::{
    github, html, junit,
    lang::Lang,
    messages,
    read::read_report,
    report::Report,
    summary::{self, Look},
};
use serde::Serialize;

use super::{CommandError, Context, history};
use crate::{args::ReportArgs, output};

/// Where a run's reports lie.
#[derive(Debug, Serialize)]
struct Written {
    events: PathBuf,
    page: PathBuf,
    junit: PathBuf,
    messages: PathBuf,
}

pub(super) fn report(context: &Context, args: &ReportArgs) -> Result<Exit, CommandError> {
    if args.index {
        return history::index(context);
    }
    if let Some([before, after]) = args.compare.as_deref() {
        return history::compare(context, before, after);
    }
    let folder = find(context, args.run.as_deref())?;
    let (report, rest) = read_report(&folder.join("events.ndjson"))?;
    if rest.torn {
        output::say(
            context.global.lang.lang(),
            "the record's last line is torn: the run was killed while writing it",
            "기록의 마지막 줄이 잘렸습니다. 쓰던 중에 실행이 강제로 끝났습니다",
        );
    }
    write(context, &folder, &report)?;
    Ok(Exit::Ok)
}

/// Writes what is made of the record beside it, and tells the summary.
pub(super) fn write(context: &Context, folder: &Path, report: &Report) -> Result<(), CommandError> {
    let lang = context.global.lang;
    let written = Written {
        events: folder.join("events.ndjson"),
        page: folder.join("report.html"),
        junit: folder.join("junit.xml"),
        messages: folder.join("messages.ndjson"),
    };
    save(&written.page, &html::render(report, lang.of_page()))?;
    let junit = junit::render(report).map_err(output::doing("write JUnit XML"))?;
    save(&written.junit, &junit)?;
    save(&written.messages, &messages::render(report))?;
    tell_github(report, lang.lang())?;
    let look = Look {
        color: output::color(&context.global),
        lang: lang.lang(),
    };
    output::remark(&summary::render(report, Some(&written.page), look));
    if !context.global.json {
        output::text(&written.page.to_string_lossy());
    }
    Ok(())
}

/// In a job of GitHub Actions: a summary of the step, and annotations. Those are commands
/// that GitHub reads from either output; standard output stays for data.
fn tell_github(report: &Report, lang: Lang) -> Result<(), output::FileError> {
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|it| it == "true") {
        let annotations = github::annotations(report);
        if !annotations.is_empty() {
            output::remark(annotations.trim_end());
        }
    }
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|it| !it.is_empty()) else {
        return Ok(());
    };
    let summary = github::step_summary(report, lang);
    let opened = fs::OpenOptions::new().append(true).create(true).open(&file);
    opened
        .and_then(|mut it| it.write_all(summary.as_bytes()))
        .map_err(output::doing("write the step's summary for GitHub"))
}

pub(super) fn save(path: &Path, text: &str) -> Result<(), output::FileError> {
    fs::write(path, text).map_err(output::doing(format!("write `{}`", path.display())))
}

/// The run's folder: by path, by id, or the newest.
pub(super) fn find(context: &Context, run: Option<&Path>) -> Result<PathBuf, CommandError> {
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
