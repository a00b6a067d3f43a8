//! The page as a whole: head, order of its parts, foot.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    architecture, cause, chapters, contents, opening, resources, timeline, versions, words,
};
use crate::{
    figures,
    lang::{Lang, words as said},
    report::Report,
    words::{counts, remark, verdict},
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

/// Renders the page. It holds both languages; `lang` is the one it opens in.
pub fn render(report: &Report, lang: Lang) -> String {
    let verdict = verdict(report.verdict());
    let verdict = verdict.of(lang);
    let title = match &report.run.about {
        Some(about) => format!("{verdict}: {}/{}, {}", about.stack, about.lock, about.run),
        None => verdict.to_owned(),
    };
    let body = html! {
        (switches(lang))
        (opening::header(report))
        main {
            (cause::section(report))
            (opening::not_run(report))
            (opening::facts(report))
            (versions::components(report))
            (contents::section(report))
            (timeline::section(report))
            (resources::section(report))
            (architecture::section(report))
            (chapters::all(report))
            (chapters::left_over(report))
            (notes(report))
        }
        (foot(report))
    };
    document(&title, lang, &body)
}

/// A page of the lab's, with its style.
pub(super) fn document(title: &str, lang: Lang, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                link rel="icon" href=(ICON);
                title { (words::name(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// Language and theme. The style alone obeys them: no script runs.
pub(super) fn switches(lang: Lang) -> Markup {
    html! {
        section.switches aria-label=(said("display", "표시").in_attribute()) {
            fieldset {
                legend { "언어 · Language" }
                input #lang-ko type="radio" name="lang" checked[lang == Lang::Korean];
                label for="lang-ko" lang="ko" { "한국어" }
                input #lang-en type="radio" name="lang" checked[lang == Lang::English];
                label for="lang-en" lang="en" { "English" }
            }
            fieldset {
                legend { (said("Theme", "화면")) }
                input #theme-auto type="radio" name="theme" checked;
                label for="theme-auto" { (said("System", "시스템")) }
                input #theme-light type="radio" name="theme";
                label for="theme-light" { (said("Light", "밝게")) }
                input #theme-dark type="radio" name="theme";
                label for="theme-dark" { (said("Dark", "어둡게")) }
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
                        li { span.at { (figures::moment(note.at)) } " " (remark(&note.remark).map(words::name)) }
                    }
                }
            }
        }
    }
}

fn foot(report: &Report) -> Markup {
    html! {
        footer {
            p { (counts(report.counts())) " · " (figures::duration(report.run.total)) }
            @if let Some(about) = &report.run.about {
                p {
                    (said("Made from", "원본:")) " " code { "runs/" (about.run) "/events.ndjson" }
                    " · lab " (words::name(&about.lab_version)) " · "
                    (said("again:", "다시 만들기:")) " " code { "lab report " (about.run) }
                }
            }
            @match report.run.exit_code {
                Some(code) => p { (said("Exit code", "종료 코드")) " " (code) },
                None => p {
                    (said(
                        "The record has no end: the run was killed, or is still going on.",
                        "기록에 끝이 없습니다. 실행이 강제로 끝났거나 아직 진행 중입니다.",
                    ))
                },
            }
        }
    }
}
