//! `lab report`, and what describes the command line itself. No engine needed.

use std::fs;

use crate::checkout::Checkout;

/// A checkout with recorded runs.
fn with_runs(runs: &[(&str, &str)]) -> Checkout {
    let checkout = Checkout::new();
    for (run, recorded) in runs {
        let folder = checkout.path("runs").join(run);
        fs::create_dir_all(&folder).unwrap();
        let record = checkout.path(&format!("fixtures/runs/synthetic-{recorded}.ndjson"));
        fs::copy(record, folder.join("events.ndjson")).unwrap();
    }
    checkout
}

#[test]
fn a_record_is_enough_for_every_report() {
    let checkout = with_runs(&[("run-1", "failed-scenario")]);

    let ended = checkout.lab(&["report", "--lang", "ko"]);

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("실패한 시나리오 있음"),
        "{}",
        ended.stderr
    );
    for file in ["report.html", "junit.xml", "messages.ndjson"] {
        assert!(checkout.path("runs/run-1").join(file).is_file(), "{file}");
    }
}

#[test]
fn github_is_told_where_it_broke() {
    let checkout = with_runs(&[("run-1", "failed-scenario")]);
    let summary = checkout.path("summary.md");
    fs::write(&summary, "before\n").unwrap();

    let path = summary.to_string_lossy();
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", path.as_ref()),
    ];
    let ended = checkout.lab_with(&["report"], &variables);

    let at = "::error file=features/deploy.feature,line=34,";
    assert!(ended.stderr.contains(at), "{}", ended.stderr);
    let summary = fs::read_to_string(summary).unwrap();
    assert!(
        summary.starts_with("before\n## ✗ Scenarios failed"),
        "{summary}"
    );
}

#[test]
fn two_runs_are_compared() {
    let checkout = with_runs(&[("run-1", "passed"), ("run-2", "failed-scenario")]);

    let ended = checkout.lab(&["report", "--compare", "run-1", "run-2", "--json"]);

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let value: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(value["figures"][0]["after"], "Scenarios failed");
}

#[test]
fn a_damaged_record_does_not_hide_the_others() {
    let checkout = with_runs(&[("run-1", "passed"), ("run-2", "passed")]);
    let checkout = checkout.with("runs/run-2/events.ndjson", "no event\nat all\n");

    let ended = checkout.lab(&["report", "--index"]);

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("run-2 is left out"),
        "{}",
        ended.stderr
    );
    let page = fs::read_to_string(checkout.path("runs/index.html")).unwrap();
    assert!(page.contains("run-1/report.html") && !page.contains("run-2/report.html"));
}

#[test]
fn the_command_line_describes_itself() {
    let checkout = Checkout::new();

    let script = checkout.lab(&["completions", "bash"]).stdout;
    let ended = checkout.lab(&["man", "pages"]);

    assert!(script.contains("--keep-on-failure"), "{script}");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for page in ["lab.1", "lab-report.1", "lab-fault-make.1"] {
        assert!(checkout.path("pages").join(page).is_file(), "{page}");
    }
    assert!(!checkout.path("pages/lab-reap.1").exists());
}
