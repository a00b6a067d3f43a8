//! Benchmarks: on the page, as pictures, as the text of `lab bench`.

use lab_model::{budget::Missed, event::Fact};
use lab_report::{bench, fold::fold, html, lang::Lang, pictures, sweep};
use unicode_width::UnicodeWidthStr;

use crate::{recording, report};

/// The section of the benchmark, from its heading to the next one.
fn section(name: &str) -> String {
    let page = html::render(&report(name), Lang::English);
    let (_, section) = page.split_once("<h2 id=\"benchmark\">").unwrap();
    section.split_once("</section>").unwrap().0.to_owned()
}

/// An SVG document without its style, a tag a line.
fn without_style(svg: &str) -> String {
    let (head, rest) = svg.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    format!("{head}{rest}").replace("><", ">\n<")
}

#[test]
fn what_lab_bench_prints() {
    let benchmark = &report("load").benchmarks[0];
    insta::assert_snapshot!(bench::table(benchmark, Lang::English));
}

#[test]
fn what_lab_bench_prints_in_korean() {
    let benchmark = &report("load").benchmarks[0];
    insta::assert_snapshot!(bench::table(benchmark, Lang::Korean));
}

#[test]
fn what_a_sweep_prints() {
    let one = report("load").benchmarks[0].clone();
    let mut two = one.clone();
    two.missed = vec![Missed::Told(
        "16 at once: p99 9.1 ms is above 5 ms".to_owned(),
    )];
    // A way that was cut off has fewer windows.
    two.points.truncate(2);
    let swept = [
        ("instances=1 batching=off".to_owned(), one),
        ("instances=2 batching=500us".to_owned(), two),
    ];
    for lang in [Lang::English, Lang::Korean] {
        let text = sweep::table(&swept, lang);
        assert!(text.lines().all(|line| line.width() <= 100));
        insta::assert_snapshot!(text);
    }
}

#[test]
fn its_figures_fit_in_100_columns() {
    let names = ["load", "passed", "hostile"].into_iter();
    for (name, lang) in names.flat_map(|it| [(it, Lang::English), (it, Lang::Korean)]) {
        let text = bench::table(&report(name).benchmarks[0], lang);
        let figures = text
            .lines()
            .take_while(|line| !line.starts_with(['!', '~']));
        for line in figures.filter(|line| line.contains("  ")) {
            assert!(line.width() <= 100, "{line}");
        }
    }
}

#[test]
fn pictures_are_documents_of_their_own() {
    let pictures = pictures::of(&report("load").benchmarks[0], Lang::English);
    let names: Vec<_> = pictures.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(
        names,
        [
            "latency.svg",
            "throughput.svg",
            "search.svg",
            "stages.svg",
            "histogram.svg",
            "series.svg"
        ]
    );
    for picture in &pictures {
        let svg = &picture.svg;
        assert!(svg.starts_with("<svg class=\"alone\" xmlns=\"http://www.w3.org/2000/svg\""));
        for forbidden in ["<script", "url(", "@import", "href", "NaN", "inf"] {
            // `infer` is the class of a part.
            let svg = svg.replace("infer", "");
            assert!(!svg.contains(forbidden), "{}: {forbidden}", picture.file);
        }
    }
    for name in ["latency.svg", "histogram.svg"] {
        let picture = pictures.iter().find(|one| one.file == name).unwrap();
        insta::assert_snapshot!(name, without_style(&picture.svg));
    }
}

#[test]
fn words_of_a_picture_are_there_in_both_languages() {
    let benchmark = &report("load").benchmarks[0];
    let all = [Lang::English, Lang::Korean].map(|lang| pictures::of(benchmark, lang));
    for (english, korean) in all[0].iter().zip(&all[1]) {
        assert!(english.svg.contains(".ko { display: none; }"));
        assert!(korean.svg.contains(".en { display: none; }"));
        let count =
            |svg: &str, class: &str| svg.matches(&format!("<tspan class=\"{class}\"")).count();
        let file = &english.file;
        assert!(count(&english.svg, "en") > 0, "{file} has words");
        for svg in [&english.svg, &korean.svg] {
            assert_eq!(count(svg, "en"), count(svg, "ko"), "{file}");
        }
    }
}

#[test]
fn a_closed_loop_alone_has_its_latency_over_connections() {
    let pictures = pictures::of(&report("passed").benchmarks[0], Lang::English);
    let names: Vec<_> = pictures.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(names, ["throughput.svg", "latency.svg"]);
    assert!(pictures[1].svg.contains("connections at once"));
}

#[test]
fn missed_budgets_stand_before_all_figures() {
    let section = section("load");
    let missed = section.find("1375/s offered: p99 184206.8 µs").unwrap();
    assert!(missed < section.find("<figure>").unwrap());
    assert!(missed < section.find("<table>").unwrap());
}

#[test]
fn what_the_server_used_is_told_and_what_is_not_known_is_not() {
    let section = section("load");
    let (_, table) = section
        .split_once("<th class=\"number\" scope=\"col\"><span class=\"en\" lang=\"en\">Cores")
        .unwrap();
    let (table, _) = table.split_once("</table>").unwrap();
    let rows: Vec<_> = table
        .split("<th class=\"number\" scope=\"row\">")
        .skip(1)
        .collect();
    let cells = |row: &str| -> Vec<String> {
        let cells = row.split("<td class=\"number\">").skip(1);
        cells
            .map(|cell| cell.split('<').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(rows.len(), report("load").benchmarks[0].points.len());
    assert_eq!(cells(rows[0])[8..], ["–", "–"]);
    assert_eq!(cells(rows[1])[..8], ["–"; 8]);
    assert_eq!(cells(rows[1])[8..], ["1.30", "230 MiB"]);
}

#[test]
fn a_void_window_is_in_no_picture_and_says_why() {
    let section = section("load");
    let row = "<tr class=\"void\"><th class=\"number\" scope=\"row\"><span class=\"en\" lang=\"en\">4000/s";
    assert!(section.contains(row));
    assert!(section.contains("the generator used 57 % of its thread"));
    let pictures: Vec<_> = section.split("<figure>").skip(1).collect();
    assert!(!pictures.is_empty());
    for picture in pictures {
        let picture = picture.split_once("</figure>").unwrap().0;
        assert!(!picture.contains("4000"), "{picture}");
    }
}

#[test]
fn a_benchmark_that_was_cut_off_keeps_its_windows() {
    let report = report("load-cut");
    assert_eq!(report.benchmarks.len(), 1);
    assert_eq!(report.benchmarks[0].points.len(), 2);
    assert_eq!(report.cut, [report.benchmarks[0].workload.clone()]);
    let section = section("load-cut");
    assert!(section.contains("never came to its end"), "{section}");
    assert!(section.contains("끝나지 않은 측정입니다"), "{section}");
}

#[test]
fn the_end_of_a_benchmark_replaces_its_windows() {
    let events = recording("load").events;
    let whole = fold(events.clone());
    assert_eq!(whole.benchmarks.len(), 1);
    let finished = events
        .iter()
        .position(|event| matches!(event.fact, Fact::BenchmarkFinished(_)))
        .unwrap();
    // Cut just before: the same windows, from what was told one by one.
    let cut = fold(events.into_iter().take(finished));
    assert_eq!(cut.benchmarks[0].points, whole.benchmarks[0].points);
}
