//! The last words of a run on the terminal: how it ended, what failed first, what
//! did not run, where the report lies.

use std::path::Path;

use lab_model::benchmark::BenchmarkSummary;
use unicode_width::UnicodeWidthStr;

use crate::{
    figures::{bytes, duration, micros, rate},
    lang::{Lang, Words, alike, told, words as both},
    paint::{Paint, Painter},
    report::{Failure, Place, Report, Verdict},
    text::one_line,
    words,
};

/// How the summary is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether colors may be used.
    pub color: bool,
    /// The language.
    pub lang: Lang,
}

/// The longest line of a reason, characters.
const REASON_LIMIT: usize = 400;

/// Renders the summary; `page` is where the learning report lies.
pub fn render(report: &Report, page: Option<&Path>, look: Look) -> String {
    let Look { color, lang } = look;
    let painter = Painter { color };
    let mut lines = vec![headline(report, painter, lang)];
    if let Some((stage, scenario)) = report.stopped_at() {
        let scenario = scenario.map_or(String::new(), |scenario| {
            format!(", \"{}\"", one_line(&scenario.name, REASON_LIMIT))
        });
        let at = told(
            format!("stage {stage}{scenario}"),
            format!("단계 {stage}{scenario}"),
        );
        lines.push(String::new());
        lines.push(row(&both("stopped in", "멈춘 곳"), lang, at.of(lang)));
    }
    if let Some(failure) = report.first_cause() {
        lines.push(String::new());
        lines.extend(first_failure(failure, painter, lang));
        let others = report.failures.len() - 1;
        if others > 0 {
            let more = told(
                format!("{others} more after it; the report has them in order"),
                format!("그 뒤로 {others}건 더; 보고서에 순서대로 있습니다"),
            );
            lines.push(row(&NOTHING, lang, more.of(lang)));
        }
    }
    let not_run = report.not_run();
    if !not_run.is_empty() {
        lines.push(String::new());
    }
    for (index, one) in not_run.iter().enumerate() {
        let label = if index == 0 {
            both("not run", "실행 안 됨")
        } else {
            NOTHING
        };
        let name = one_line(one.name, REASON_LIMIT);
        let reason = words::hindrance(one.reason);
        let reason = one_line(reason.of(lang), REASON_LIMIT);
        let kind = words::kind(one.kind);
        let text = format!("{} {name}: {reason}", kind.of(lang));
        lines.push(row(&label, lang, &text));
    }
    lines.push(String::new());
    for benchmark in &report.benchmarks {
        lines.push(row(
            &both("benchmark", "성능"),
            lang,
            &figures(benchmark, lang),
        ));
        let none = both("", "");
        let highest = benchmark.highest.as_ref().map(words::highest);
        lines.extend(highest.map(|highest| row(&none, lang, highest.of(lang))));
        for missed in &benchmark.missed {
            let missed = words::missed_line(missed);
            lines.push(row(
                &none,
                lang,
                &painter.paint(Paint::Bad, missed.of(lang)),
            ));
        }
    }
    if let Some(peak) = report.memory_peak() {
        let most = told(
            format!("{} at most", bytes(peak)),
            format!("최대 {}", bytes(peak)),
        );
        lines.push(row(&both("memory", "메모리"), lang, most.of(lang)));
    }
    if let Some(page) = page {
        lines.push(row(
            &both("report", "보고서"),
            lang,
            &page.display().to_string(),
        ));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

/// Width of the labels, columns of a terminal.
const LABEL_WIDTH: usize = 14;

/// A row without a label of its own.
const NOTHING: Words = both("", "");

fn row(label: &Words, lang: Lang, text: &str) -> String {
    let label = label.of(lang);
    let padding = " ".repeat(LABEL_WIDTH.saturating_sub(label.width()));
    format!("  {label}{padding}{text}")
}

fn headline(report: &Report, painter: Painter, lang: Lang) -> String {
    let verdict = report.verdict();
    let paint = match verdict {
        Verdict::Passed => Paint::Good,
        Verdict::Interrupted | Verdict::NothingVerified => Paint::Doubtful,
        _ => Paint::Bad,
    };
    let stack = report.run.about.as_ref().map_or_else(
        || "run".to_owned(),
        |about| one_line(&format!("{}/{}", about.stack, about.lock), REASON_LIMIT),
    );
    let word = words::verdict(verdict);
    let verdict = format!("{} {}", words::sign(verdict), word.of(lang));
    format!(
        "{} · {stack} · {} · {}",
        painter.paint(paint, &verdict),
        words::counts(report.counts()).of(lang),
        duration(report.run.total)
    )
}

fn first_failure(failure: &Failure, painter: Painter, lang: Lang) -> Vec<String> {
    let place = words::place(&failure.place);
    let mut lines = vec![row(
        &both("failed first", "첫 실패"),
        lang,
        &painter.paint(Paint::Strong, place.of(lang)),
    )];
    if let Place::Scenario {
        step: Some(step), ..
    } = &failure.place
    {
        lines.push(row(&NOTHING, lang, &one_line(step, REASON_LIMIT)));
    }
    let reason = words::cause(&failure.reason);
    let reason = one_line(reason.of(lang), REASON_LIMIT);
    lines.push(row(&NOTHING, lang, &painter.paint(Paint::Bad, &reason)));
    lines
}

fn figures(benchmark: &BenchmarkSummary, lang: Lang) -> String {
    let points: Vec<_> = benchmark
        .points
        .iter()
        .map(|point| {
            let errors = match point.errors {
                0 => alike(""),
                errors => told(format!(", {errors} errors"), format!(", 오류 {errors}건")),
            };
            let void = match point.void.as_slice() {
                [] => alike(""),
                _ => both(" void", " 무효"),
            };
            format!(
                "{} {}/s p99 {}{}{}",
                words::offered(point.offered).of(lang),
                rate(point.throughput),
                micros(point.latency.p99),
                errors.of(lang),
                void.of(lang),
            )
        })
        .collect();
    format!(
        "{}: {}",
        one_line(&benchmark.workload, REASON_LIMIT),
        points.join(" · ")
    )
}
