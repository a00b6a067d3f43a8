//! Several runs side by side.

use std::time::Duration;

use lab_report::{
    history::{Brief, Expected, compare, flaky},
    html::render_index,
    lang::Lang,
};

use crate::{STREAMS, report};

fn briefs() -> Vec<Brief> {
    STREAMS.map(|name| Brief::of(name, &report(name))).to_vec()
}

#[test]
fn what_differs_between_two_runs() {
    let (before, after) = (report("passed"), report("failed-scenario"));
    let comparison = compare(("run-1", &before), ("run-2", &after));
    insta::assert_snapshot!(comparison.text(Lang::English));
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let run = report("passed");
    let comparison = compare(("a", &run), ("b", &run));
    assert_eq!(
        (comparison.versions, comparison.scenarios),
        (vec![], vec![])
    );
    assert!(comparison.figures.iter().all(|it| it.before == it.after));
}

#[test]
fn a_scenario_that_failed_once_and_passed_once_is_flaky() {
    let briefs = briefs();
    let flaky = flaky(&briefs);
    let names: Vec<_> = flaky.iter().map(|it| it.1).collect();
    assert_eq!(names, ["No request fails while a version is rolled out"]);
}

#[test]
fn how_long_a_run_takes_is_told_by_those_that_passed() {
    let failed = ["failed-scenario", "setup-failed", "interrupted"].map(report);
    assert_eq!(Expected::of(&failed), None);

    let expected = Expected::of(&[report("passed"), report("setup-failed")]).unwrap();

    let passed = report("passed");
    let stages = passed.stages.iter().map(|it| it.span.length());
    let first = passed.stages[0].stage;
    assert_eq!(expected.left(first, Duration::ZERO), stages.sum());
}

#[test]
fn the_list_has_every_run_and_asks_for_nothing() {
    let page = render_index(&briefs(), Lang::English);
    for name in STREAMS {
        assert!(
            page.contains(&format!("href=\"{name}/report.html\"")),
            "{name}"
        );
    }
    assert!(!page.to_lowercase().contains("<script"));
    assert!(!page.contains("href=\"http"));
}

#[test]
fn a_folder_with_a_strange_name_is_no_link() {
    let mut brief = briefs().remove(0);
    "../\"><script>".clone_into(&mut brief.folder);
    let page = render_index(&[brief], Lang::English);
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("href=\"../"), "{page}");
}
