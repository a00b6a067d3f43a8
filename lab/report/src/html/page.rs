//! The page as a whole: head, order of its parts, foot.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{benchmark, chapters, evidence, opening, resources, timeline, versions, words};
use crate::{
    figures,
    report::Report,
    words::{counts, verdict},
};

const STYLE: &str = concat!(
    include_str!("palette.css"),
    include_str!("style.css"),
    include_str!("plot.css")
);
/// The page asks for nothing; a browser is told to hold it to that.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// A dot as the page's icon, so that no browser asks a server for one.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' r='4' fill='%232457c5'/%3E%3C/svg%3E";

/// Renders the page.
pub fn render(report: &Report) -> String {
    let title = match &report.run.about {
        Some(about) => format!(
            "{}: {}/{}, run {}",
            verdict(report.verdict()),
            about.stack,
            about.lock,
            about.run
        ),
        None => verdict(report.verdict()).to_owned(),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                link rel="icon" href=(ICON);
                title { (words::name(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (opening::header(report))
                main {
                    (opening::first_cause(report))
                    (opening::facts(report))
                    (opening::not_run(report))
                    (versions::components(report))
                    (timeline::section(report))
                    (chapters::section(report))
                    (benchmark::section(report))
                    (resources::section(report))
                    (versions::images(report))
                    (collected(report))
                    (notes(report))
                }
                (foot(report))
            }
        }
    };
    page.into_string()
}

fn collected(report: &Report) -> Markup {
    html! {
        @if !report.evidence.is_empty() {
            section {
                (words::heading("evidence", "Evidence kept", "남긴 증거"))
                p { "Gathered before anything was removed, in time order." }
                @for one in &report.evidence {
                    div.collected {
                        span.at { (figures::moment(one.at)) " " (one.stage) }
                        (evidence::all(std::slice::from_ref(&one.evidence), evidence::Shown::Folded))
                    }
                }
            }
        }
    }
}

fn notes(report: &Report) -> Markup {
    html! {
        @if !report.notes.is_empty() {
            section {
                (words::heading("notes", "Notes", "메모"))
                ul.notes {
                    @for note in &report.notes {
                        li { span.at { (figures::moment(note.at)) } " " (words::name(&note.text)) }
                    }
                }
            }
        }
    }
}

fn foot(report: &Report) -> Markup {
    html! {
        footer {
            p { (counts(report.counts())) ", in " (figures::duration(report.run.total)) "." }
            @if let Some(about) = &report.run.about {
                p {
                    "Made from " code { "runs/" (about.run) "/events.ndjson" } " by lab "
                    (words::name(&about.lab_version)) "; "
                    code { "lab report " (about.run) } " makes it again."
                }
            }
            @match report.run.exit_code {
                Some(code) => p { "Exit code " (code) "." },
                None => p { "The record has no end: the run was killed, or is still going on." },
            }
        }
    }
}
