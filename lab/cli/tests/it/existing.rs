//! A cluster that is there: what is refused before anything is asked of it. No engine and
//! no cluster needed.

use std::{
    fs,
    process::{Command, Output},
};

use tempfile::TempDir;

const COMPANY: &str = r"
apiVersion: v1
kind: Config
current-context: company
contexts: [{name: company, context: {cluster: prod}}, {name: study, context: {cluster: prod}}]
clusters: [{name: prod, cluster: {server: 'https://127.0.0.1:1'}}]
";

fn company() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config"), COMPANY).unwrap();
    folder
}

/// Ends as `lab WORDS` would where the company's kubeconfig is the usual one.
fn lab(folder: &TempDir, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(words)
        .env("NO_COLOR", "1")
        .env("KUBECONFIG", folder.path().join("config"))
        .env("XDG_STATE_HOME", folder.path())
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .output()
        .unwrap()
}

fn told(output: &Output, folder: &TempDir) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.replace(&folder.path().display().to_string(), "[folder]")
}

#[test]
fn what_lab_did_not_make_needs_a_yes() {
    let folder = company();

    let up = lab(&folder, &["up", "work", "--provider", "existing"]);
    let run = lab(&folder, &["run", "--provider", "existing"]);

    assert_eq!(up.status.code(), Some(2));
    assert_eq!(run.status.code(), Some(2));
    insta::assert_snapshot!(told(&up, &folder), @r"
    lab::existing::not_ours

      × lab did not make the cluster of context `company` (https://127.0.0.1:1)
      help: with `--yes` it makes namespaces of its own there, and roles that these need, all labelled `lab.cluster=work`; `lab down work` removes these and nothing else
    ");
}

#[test]
fn an_unknown_context_names_those_there_are() {
    let folder = company();
    let words = "up work --provider existing --yes --context prod";

    let up = lab(&folder, &words.split(' ').collect::<Vec<_>>());

    assert_eq!(up.status.code(), Some(2));
    insta::assert_snapshot!(told(&up, &folder), @r"
    lab::context::unknown

      × there is no context `prod` in `[folder]/config`
      help: contexts there: company, study
    ");
}

#[test]
fn a_server_that_does_not_answer_is_told_before_the_engine_is_asked() {
    let folder = company();

    let up = lab(&folder, &["up", "work", "--provider", "existing", "--yes"]);

    assert_eq!(up.status.code(), Some(12));
    let told = told(&up, &folder);
    assert!(told.starts_with("lab::existing::no_answer"), "{told}");
    assert!(!folder.path().join("lab/clusters/work").exists());
}

#[test]
fn options_of_another_provider_are_usage_errors() {
    let folder = company();
    for words in [
        "up work --yes",
        "up work --context company",
        "up work --provider existing --yes --nodes 3",
        "up work --provider existing --yes --gpus all",
        "run --provider kind --gpus 1",
        "up work --provider existing --yes --registry https://registry.example",
    ] {
        let output = lab(&folder, &words.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2), "{words}");
    }
}
