//! `lab.toml`: below flags and environment, above what is built in.

use crate::checkout::Checkout;

/// The line of the plan that begins with this word.
fn planned(checkout: &Checkout, word: &str, words: &[&str], variables: &[(&str, &str)]) -> String {
    let words = [&["run", "--dry-run"], words].concat();
    let ended = checkout.lab_with(&words, variables);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let line = ended
        .stdout
        .lines()
        .find(|it| it.starts_with(word))
        .unwrap();
    line.split_once(", ")
        .map_or(line, |(_, nodes)| nodes)
        .to_owned()
}

#[test]
fn flags_count_more_than_variables_and_those_more_than_the_file() {
    let built_in = Checkout::new();
    let checkout = Checkout::new().with("lab.toml", "nodes = 2\n");
    let nodes = |checkout, words, variables| planned(checkout, "cluster", words, variables);

    assert_eq!(nodes(&built_in, &[], &[]), "1 node)");
    assert_eq!(nodes(&checkout, &[], &[]), "2 nodes)");
    assert_eq!(nodes(&checkout, &[], &[("LAB_NODES", "3")]), "3 nodes)");
    assert_eq!(
        nodes(&checkout, &["--nodes", "4"], &[("LAB_NODES", "3")]),
        "4 nodes)"
    );
}

#[test]
fn the_nearest_file_above_counts_wherever_the_checkout_is() {
    let checkout = Checkout::new();
    let elsewhere = Checkout::new().with("lab.toml", "stack = \"moon\"\n");
    let root = checkout.path("");

    let ended = elsewhere.lab_with(&["run"], &[("LAB_ROOT", &root.to_string_lossy())]);

    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("there is no stack `moon`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn help_shows_what_counts_here() {
    let checkout = Checkout::new().with("lab.toml", "lang = \"ko\"\nimages = \"build\"\n");

    let help = checkout.lab(&["run", "--help"]).stdout;

    assert!(help.contains("[default: ko]"), "{help}");
    assert!(help.contains("[default: build]"), "{help}");
}

#[test]
fn every_problem_is_told_with_file_line_and_key() {
    let checkout = Checkout::new().with(
        "lab.toml",
        "stack = 1\nnodes = 12\nimages = \"maybe\"\nlang = \"fr\"\nprovider = \"minikube\"\ncolour = true\ngpus = 0\n\n\
         [mirrors]\npython = \"\"\nconda = \"x\"\n",
    );

    let ended = checkout.lab(&["list"]);

    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.stderr);
}

#[test]
fn help_and_version_need_no_sound_file() {
    let checkout = Checkout::new().with("lab.toml", "nodes = ");

    assert_eq!(checkout.lab(&["--help"]).code, Some(0));
    assert_eq!(checkout.lab(&["--version"]).code, Some(0));
}
