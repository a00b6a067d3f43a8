//! What the terminal and CI show.

use std::path::Path;

use lab_report::{
    github, junit,
    lang::Lang,
    reporter::Reporter,
    summary::{self, Look},
    terminal::{Settings, Terminal, Verbosity},
};

use crate::{STREAMS, recording, report};

fn told(name: &str, verbosity: Verbosity, color: bool) -> String {
    let mut out = Vec::new();
    let settings = Settings {
        color,
        live: false,
        verbosity,
        ..Settings::default()
    };
    let mut terminal = Terminal::new(&mut out, settings);
    for event in &recording(name).events {
        terminal.event(event).unwrap();
    }
    terminal.finish().unwrap();
    drop(terminal);
    String::from_utf8(out).unwrap()
}

#[test]
fn terminal_lines() {
    for name in STREAMS {
        insta::assert_snapshot!(
            format!("terminal-{name}"),
            told(name, Verbosity::Normal, false)
        );
    }
}

#[test]
fn terminal_lines_in_korean() {
    for name in ["passed", "setup-failed"] {
        let settings = Settings {
            lang: Lang::Korean,
            ..Settings::default()
        };
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out, settings);
        for event in &recording(name).events {
            terminal.event(event).unwrap();
        }
        drop(terminal);
        let text = String::from_utf8(out).unwrap();
        insta::assert_snapshot!(format!("terminal-korean-{name}"), text);
    }
}

#[test]
fn terminal_lines_with_all_details() {
    insta::assert_snapshot!(
        "terminal-verbose",
        told("failed-scenario", Verbosity::Verbose, false)
    );
}

#[test]
fn a_quiet_terminal_tells_failures_only() {
    insta::assert_snapshot!(
        "terminal-quiet",
        told("failed-scenario", Verbosity::Quiet, false)
    );
    assert_eq!(told("passed", Verbosity::Quiet, false), "");
}

#[test]
fn colors_are_used_only_where_allowed() {
    assert!(told("passed", Verbosity::Normal, true).contains("\u{1b}[32m✓\u{1b}[0m"));
    for name in STREAMS {
        assert!(
            !told(name, Verbosity::Verbose, false).contains('\u{1b}'),
            "{name}"
        );
    }
}

#[test]
fn no_text_begins_a_line_of_its_own() {
    for name in STREAMS {
        let text = told(name, Verbosity::Verbose, false);
        let clock = |line: &str| {
            line.trim_start()
                .starts_with(|first: char| first.is_ascii_digit())
        };
        assert!(
            text.lines()
                .all(|line| line.starts_with(' ') && clock(line)),
            "{name}"
        );
    }
}

#[test]
fn bars_do_not_change_what_is_told() {
    let mut out = Vec::new();
    let settings = Settings {
        color: false,
        live: true,
        verbosity: Verbosity::Normal,
        ..Settings::default()
    };
    let mut terminal = Terminal::new(&mut out, settings);
    for event in &recording("passed").events {
        terminal.event(event).unwrap();
    }
    terminal.finish().unwrap();
    drop(terminal);
    let plain = told("passed", Verbosity::Normal, false);
    let told_by_bars = |line: &&str| line.contains("Python packages");
    let lines: Vec<_> = plain.lines().filter(|line| !told_by_bars(line)).collect();
    assert_eq!(
        String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(),
        lines
    );
}

#[test]
fn summaries() {
    for name in STREAMS {
        let page = Path::new("runs/x/report.html");
        insta::assert_snapshot!(
            format!("summary-{name}"),
            summary::render(&report(name), Some(page), Look::default())
        );
    }
}

#[test]
fn junit_files() {
    for name in STREAMS {
        insta::assert_snapshot!(
            format!("junit-{name}"),
            junit::render(&report(name)).unwrap()
        );
    }
}

#[test]
fn github_summaries_and_annotations() {
    for name in STREAMS {
        let report = report(name);
        let summary = github::step_summary(&report, Lang::English);
        let annotations = github::annotations(&report);
        insta::assert_snapshot!(
            format!("github-{name}"),
            format!("{summary}\n{annotations}")
        );
    }
}

#[test]
fn an_annotation_is_on_the_line_of_the_step_that_failed() {
    let annotations = github::annotations(&report("failed-scenario"));
    assert!(
        annotations.starts_with("::error file=features/deploy.feature,line=34,title="),
        "{annotations}"
    );
}
