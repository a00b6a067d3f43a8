//! The learning report.

use lab_model::event::{Evidence, Fact};
use lab_report::{fold::fold, html, lang::Lang};

use crate::{STREAMS, recording, report};

/// The page without its style, so that a change of color does not change a snapshot.
fn without_style(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    // A tag a line reads well in a diff.
    format!("{head}{rest}").replace("><", ">\n<")
}

/// Headings of the page, in order.
fn headings(page: &str) -> Vec<String> {
    page.split("<h2 ")
        .skip(1)
        .filter_map(|part| part.split_once("lang=\"en\">")?.1.split_once("</span>"))
        .map(|(heading, _)| heading.to_owned())
        .collect()
}

#[test]
fn whole_page_of_a_small_run() {
    insta::assert_snapshot!(without_style(&html::render(
        &report("not-run-component"),
        Lang::English
    )));
}

#[test]
fn a_passed_run_has_every_part_in_order() {
    assert_eq!(
        headings(&html::render(&report("passed"), Lang::English)),
        [
            "What did not run, and why",
            "Where it ran",
            "What was installed",
            "Chapters",
            "Time line",
            "What it used",
            "What calls what",
            "Look first",
            "Bring up a cluster",
            "Load images",
            "Install the stack",
            "Run the scenarios",
            "Train",
            "Register",
            "Deploy",
            "Monitor",
            "Measure inference",
            "How fast it answers",
            "Keep evidence",
            "Leave nothing behind",
            "Notes",
        ]
    );
}

#[test]
fn a_failed_run_begins_with_the_first_cause() {
    for name in ["failed-scenario", "setup-failed"] {
        let page = html::render(&report(name), Lang::English);
        assert_eq!(headings(&page)[0], "What failed first", "{name}");
    }
}

#[test]
fn an_interrupted_run_says_so() {
    let page = html::render(&report("interrupted"), Lang::English);
    assert!(page.contains("The record has no end"));
    assert!(page.contains("The run ended before this scenario did."));
}

#[test]
fn the_page_asks_for_nothing_and_runs_nothing() {
    for name in STREAMS {
        let page = html::render(&report(name), Lang::English).to_lowercase();
        for forbidden in [
            "<script",
            "<iframe",
            "<img",
            "<object",
            "<embed",
            "<base",
            "<form",
            "@import",
            "url(",
            "src=\"",
            "href=\"http",
            "<svg onload",
            "onclick=",
        ] {
            assert!(!page.contains(forbidden), "{name} holds {forbidden}");
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let page = html::render(&report("hostile"), Lang::English);
    assert_eq!(page.matches("</style>").count(), 1);
    assert_eq!(
        page.matches("</title>").count(),
        1 + page.matches("<rect").count()
    );
    assert_eq!(page.matches("<body>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("[U+202E]txt.exe"));
    let shown = |char: char| char == '\n' || char == '\t' || !char.is_control();
    assert!(page.chars().all(shown));
}

#[test]
fn a_line_of_a_megabyte_is_shortened_with_a_note() {
    let mut events = recording("failed-scenario").events;
    for event in &mut events {
        if let Fact::StepFinished { evidence, .. } = &mut event.fact {
            *evidence = vec![Evidence {
                source: "log".to_owned(),
                text: "x".repeat(1 << 20),
            }];
        }
    }
    let page = html::render(&fold(events), Lang::English);
    assert!(page.len() < 220_000, "{}", page.len());
    assert!(page.contains("1.0 MiB left out here; events.ndjson has all of it"));
}

#[test]
fn the_page_of_a_normal_run_is_small() {
    let page = html::render(&report("passed"), Lang::English);
    assert!(page.len() < 250_000, "{}", page.len());
}
