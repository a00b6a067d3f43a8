//! The binary itself: help, usage errors, exit codes. No engine needed.

use std::process::{Command, Output};

fn lab(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(args)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env("LC_ALL", "C")
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

#[test]
fn without_an_engine_every_command_names_the_address_and_what_to_do() {
    let command = |words: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_lab"))
            .args(words)
            .env("NO_COLOR", "1")
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .output()
            .unwrap()
    };
    let run = command(&["run"]);
    assert_eq!(run.status.code(), Some(12));
    insta::assert_snapshot!(text(&run.stderr), @r"
    lab::engine::unreachable

      × no Docker engine answers at `unix:///nowhere/docker.sock`
      ╰─▶ Socket not found: /nowhere/docker.sock
      help: start Docker, or point DOCKER_HOST at a running engine, then run `lab doctor`
    ");
    for words in [
        &["run", "--nodes", "3", "--feature", "train"][..],
        &["up", "demo"],
        &["up", "demo", "--shared", "--stack", "lifecycle"],
        &["down", "demo"],
        &["down", "--all"],
        &["list"],
        &["status", "demo"],
        &["kubeconfig", "demo"],
        &["logs", "demo"],
        &["logs", "demo", "--component", "triton"],
        &["install", "demo"],
        &["test", "demo"],
        &["bench", "demo"],
        &["images", "list"],
        &["images", "build", "mlflow"],
        &["images", "load", "demo", "mlflow"],
        &["clean"],
        &["clean", "--check"],
        &["doctor"],
    ] {
        let output = command(words);
        assert_eq!(output.status.code(), Some(12), "{words:?}");
        assert_eq!(text(&output.stderr), text(&run.stderr), "{words:?}");
    }
}
