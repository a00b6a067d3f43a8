//! The binary itself: help, usage errors, exit codes. No engine needed.

use std::process::{Command, Output};

fn lab(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(args)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_shows_every_command() {
    let output = lab(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    assert_eq!(lab(&["fly"]).status.code(), Some(2));
}

#[test]
fn an_unknown_stack_is_a_usage_error_that_names_the_known_ones() {
    let output = lab(&["run", "livecycle", "--dry-run"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(text(&output.stderr));
}

#[test]
fn a_name_that_docker_would_refuse_is_a_usage_error() {
    let output = lab(&["up", "My_Cluster"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(text(&output.stderr));
}

#[test]
fn a_dry_run_prints_the_plan_and_touches_nothing() {
    let output = lab(&["run", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0));
    insta::with_settings!({filters => vec![(r"(run|lab)-\d{8}-\d{6}-\d+", "[$1]")]}, {
        insta::assert_snapshot!(text(&output.stdout));
    });
}
