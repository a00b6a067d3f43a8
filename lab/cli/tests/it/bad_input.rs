//! What a person gets wrong: told at once, all of it, with file, line and key, before
//! anything is made. No engine is needed to be told.

use crate::checkout::{Checkout, Ended};

/// Runs a command that must be refused as wrongly asked for, and gives what it says.
fn refused(checkout: &Checkout, words: &[&str]) -> String {
    let Ended {
        code,
        stdout,
        stderr,
    } = checkout.lab(words);
    assert_eq!(
        (code, stdout.as_str()),
        (Some(2), ""),
        "{words:?}: {stderr}"
    );
    stderr
}

/// What must be the same whichever command reads it.
fn refused_by_all(checkout: &Checkout, commands: &[&[&str]]) -> String {
    let said: Vec<_> = commands.iter().map(|it| refused(checkout, it)).collect();
    for (words, one) in commands.iter().zip(&said) {
        assert_eq!(*one, said[0], "{words:?}");
    }
    said[0].clone()
}

const STACK: &str = "fixtures/stacks/lifecycle/stack.toml";
const LOCK: &str = "fixtures/stacks/lifecycle/documented.toml";
const WORKLOAD: &str = "fixtures/workloads/digits.toml";

#[test]
fn an_unknown_stack_names_the_known_ones() {
    let commands: [&[&str]; 6] = [
        &["run", "moon"],
        &["up", "demo", "--stack", "moon"],
        &["install", "demo", "--stack", "moon"],
        &["test", "demo", "--stack", "moon"],
        &["bench", "demo", "--stack", "moon"],
        &["logs", "demo", "--stack", "moon"],
    ];
    insta::assert_snapshot!(refused_by_all(&Checkout::new(), &commands));
}

#[test]
fn an_unknown_lock_names_the_known_ones() {
    let commands: [&[&str]; 3] = [
        &["run", "--lock", "newest"],
        &["up", "demo", "--stack", "lifecycle", "--lock", "newest"],
        &["install", "demo", "--lock", "newest"],
    ];
    insta::assert_snapshot!(refused_by_all(&Checkout::new(), &commands));
}

#[test]
fn an_unknown_feature_names_the_known_ones() {
    let commands: [&[&str]; 3] = [
        &["run", "--feature", "trian"],
        &[
            "run",
            "--feature",
            "train",
            "--feature",
            "trian",
            "--dry-run",
        ],
        &["test", "demo", "--feature", "trian"],
    ];
    insta::assert_snapshot!(refused_by_all(&Checkout::new(), &commands));
}

#[test]
fn a_tag_expression_that_is_none_is_told() {
    let commands: [&[&str]; 2] = [
        &["run", "--tags", "@train and"],
        &["test", "demo", "--tags", "@train and"],
    ];
    insta::assert_snapshot!(refused_by_all(&Checkout::new(), &commands));
}

#[test]
fn a_filter_that_leaves_nothing_is_told_before_anything_is_made() {
    let commands: [&[&str]; 2] = [
        &["run", "--tags", "@nowhere"],
        &["test", "demo", "--feature", "train", "--tags", "@deploy"],
    ];
    insta::assert_snapshot!(refused_by_all(&Checkout::new(), &commands));
}

#[test]
fn an_unknown_workload_is_told() {
    let commands: [&[&str]; 2] = [
        &["bench", "demo", "--workload", "digit"],
        &[
            "bench",
            "--url",
            "http://127.0.0.1:8000",
            "--workload",
            "digit",
        ],
    ];
    insta::assert_snapshot!(refused_by_all(&Checkout::new(), &commands));
}

#[test]
fn an_address_that_is_none_is_told() {
    let said = refused(
        &Checkout::new(),
        &["bench", "--url", "ftp://127.0.0.1:8000"],
    );
    insta::assert_snapshot!(said);
}

#[test]
fn a_file_without_authorities_is_told() {
    let checkout = Checkout::new().with("empty.pem", "").with(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n",
    );
    let url = "https://127.0.0.1:8000";
    let told: Vec<_> = ["missing.pem", "empty.pem", "broken.pem"]
        .iter()
        .map(|file| {
            let commands: [&[&str]; 3] = [
                &["bench", "--url", url, "--cacert", file],
                &["bench", "compare", url, url, "--cacert", file],
                &["bench", "sweep", url, "--instances", "1", "--cacert", file],
            ];
            refused_by_all(&checkout, &commands)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_clients_certificate_that_cannot_be_shown_is_told() {
    let own = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
    let other = rcgen::KeyPair::generate().unwrap();
    let pem = |what: &str| format!("-----BEGIN {what}-----\nbm9uZQ==\n-----END {what}-----\n");
    let checkout = Checkout::new()
        .with("empty.pem", "")
        .with("own.pem", &own.cert.pem())
        .with("own.key", &own.signing_key.serialize_pem())
        .with("other.key", &other.serialize_pem())
        .with("broken.pem", &pem("CERTIFICATE"))
        .with("broken.key", &pem("PRIVATE KEY"))
        .with("locked.key", &pem("ENCRYPTED PRIVATE KEY"));
    let url = "https://127.0.0.1:8000";
    let told: Vec<_> = [
        ("missing.pem", "own.key"),
        ("empty.pem", "own.key"),
        ("broken.pem", "own.key"),
        ("own.pem", "missing.key"),
        ("own.pem", "own.pem"),
        ("own.pem", "broken.key"),
        ("own.pem", "locked.key"),
        ("own.pem", "other.key"),
    ]
    .iter()
    .map(|(cert, key)| {
        let shown = ["--cert", cert, "--key", key];
        let commands: [&[&str]; 3] = [
            &["bench", "--url", url],
            &["bench", "compare", url, url],
            &["bench", "sweep", url, "--instances", "1"],
        ];
        let commands = commands.map(|words| [words, &shown].concat());
        let said = refused_by_all(&checkout, &commands.each_ref().map(Vec::as_slice));
        format!("$ lab bench … {}\n{said}", shown.join(" "))
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn every_problem_of_a_stack_is_told() {
    let checkout = Checkout::new()
        .changed(STACK, "namespace = ", "name_space = ")
        .changed(STACK, "\"deployment/triton\"", "\"daemonset/triton\"")
        .changed(STACK, "node_port = 30404", "node_port = 3000")
        .changed(STACK, "[\"postgresql\", \"s3\"]", "[\"mysql\", \"s3\"]");
    let commands: [&[&str]; 3] = [
        &["run", "--dry-run"],
        &["up", "demo", "--stack", "lifecycle"],
        &["test", "demo"],
    ];
    insta::assert_snapshot!(refused_by_all(&checkout, &commands));
}

#[test]
fn a_stack_that_is_no_toml_is_told() {
    let checkout = Checkout::new().changed(STACK, "[release]", "[release");
    insta::assert_snapshot!(refused(&checkout, &["run"]));
}

#[test]
fn every_problem_of_a_lock_is_told() {
    let checkout = Checkout::new()
        .changed(LOCK, "[component.triton]", "[component.tritom]")
        .changed(LOCK, "kubernetes = \"1.20\"", "kubernetes = 1.20")
        .changed(LOCK, "version = \"10.3.3\"", "versions = \"10.3.3\"");
    let commands: [&[&str]; 2] = [&["run"], &["install", "demo"]];
    insta::assert_snapshot!(refused_by_all(&checkout, &commands));
}

#[test]
fn every_problem_of_every_recipe_is_told() {
    let checkout = Checkout::new()
        .with(
            "fixtures/images/one/recipe.toml",
            "form = \"debian\"\nkind = \"images\"\n",
        )
        .with("fixtures/images/two/recipe.toml", "from = \"debian\n");
    let commands: [&[&str]; 4] = [
        &["run"],
        &["up", "demo"],
        &["images", "list"],
        &["images", "build", "mlflow"],
    ];
    insta::assert_snapshot!(refused_by_all(&checkout, &commands));
}

#[test]
fn every_problem_of_a_workload_is_told_before_a_run_begins() {
    let checkout = Checkout::new()
        .changed(WORKLOAD, "window_seconds = 3", "window = 3")
        .changed(WORKLOAD, "concurrency = [1, 4, 16]", "concurrency = [1, 0]")
        .changed(WORKLOAD, "datatype = \"INT64\"", "datatype = 64");
    let commands: [&[&str]; 3] = [
        &["run"],
        &["bench", "demo"],
        &["bench", "--url", "http://127.0.0.1:8000"],
    ];
    insta::assert_snapshot!(refused_by_all(&checkout, &commands));
}

#[test]
fn names_and_numbers_that_are_none_are_told() {
    let checkout = Checkout::new();
    let told: Vec<_> = [
        &["status", "My_Cluster"][..],
        &["up", "demo", "--nodes", "10"],
        &["up", "demo", "--ttl", "soon"],
        &["up", "demo", "--while", "999999999"],
        &["run", "--images", "maybe"],
        &["run", "--lang", "fr"],
        &["bench"],
        &["bench", "demo", "--cacert", "ca.pem"],
        &["bench", "demo", "--cert", "a.pem", "--key", "a.key"],
        &["bench", "--url", "https://a", "--cert", "a.pem"],
        &["bench", "--url", "https://a", "--key", "a.key"],
        &["down"],
    ]
    .iter()
    .map(|words| format!("$ lab {}\n{}", words.join(" "), refused(&checkout, words)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}
