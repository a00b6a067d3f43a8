//! The last words of a run on the terminal: how it ended, what failed first, what
//! did not run, where the report lies.

use std::path::Path;

use lab_model::benchmark::BenchmarkSummary;

use crate::{
    figures::{bytes, duration, micros, rate},
    paint::{Paint, Painter},
    report::{Failure, Place, Report, Verdict},
    text::one_line,
    words,
};

/// The longest line of a reason, characters.
const REASON_LIMIT: usize = 400;

/// Renders the summary; `page` is where the learning report lies.
pub fn render(report: &Report, page: Option<&Path>, color: bool) -> String {
    let painter = Painter { color };
    let mut lines = vec![headline(report, painter)];
    if let Some((stage, scenario)) = report.stopped_at() {
        let scenario = scenario.map_or(String::new(), |scenario| {
            format!(", scenario \"{}\"", one_line(&scenario.name, REASON_LIMIT))
        });
        lines.push(String::new());
        lines.push(row("stopped in", &format!("stage {stage}{scenario}")));
    }
    if let Some(failure) = report.first_cause() {
        lines.push(String::new());
        lines.extend(first_failure(failure, painter));
        let others = report.failures.len() - 1;
        if others > 0 {
            lines.push(row(
                "",
                &format!("{others} more after it; the report has them in order"),
            ));
        }
    }
    let not_run = report.not_run();
    if !not_run.is_empty() {
        lines.push(String::new());
    }
    for (index, one) in not_run.iter().enumerate() {
        let label = if index == 0 { "not run" } else { "" };
        let name = one_line(one.name, REASON_LIMIT);
        let reason = one_line(one.reason, REASON_LIMIT);
        lines.push(row(
            label,
            &format!("{} {name}: {reason}", words::kind(one.kind)),
        ));
    }
    lines.push(String::new());
    for benchmark in &report.benchmarks {
        lines.push(row("benchmark", &figures(benchmark)));
        let highest = benchmark.highest.as_ref();
        lines.extend(highest.map(|highest| row("", &words::highest(highest))));
        for missed in &benchmark.missed {
            let missed = format!("budget missed: {}", one_line(missed, REASON_LIMIT));
            lines.push(row("", &painter.paint(Paint::Bad, &missed)));
        }
    }
    if let Some(peak) = report.memory_peak() {
        lines.push(row("memory", &format!("{} at most", bytes(peak))));
    }
    if let Some(page) = page {
        lines.push(row("report", &page.display().to_string()));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

fn row(label: &str, text: &str) -> String {
    format!("  {label:<14}{text}")
}

fn headline(report: &Report, painter: Painter) -> String {
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
    let verdict = format!("{} {}", words::sign(verdict), words::verdict(verdict));
    format!(
        "{} · {stack} · {} · {}",
        painter.paint(paint, &verdict),
        words::counts(report.counts()),
        duration(report.run.total)
    )
}

fn first_failure(failure: &Failure, painter: Painter) -> Vec<String> {
    let mut lines = vec![row(
        "failed first",
        &painter.paint(Paint::Strong, &words::place(&failure.place)),
    )];
    if let Place::Scenario {
        step: Some(step), ..
    } = &failure.place
    {
        lines.push(row("", &format!("at: {}", one_line(step, REASON_LIMIT))));
    }
    let reason = one_line(&failure.reason, REASON_LIMIT);
    lines.push(row("", &painter.paint(Paint::Bad, &reason)));
    lines
}

fn figures(benchmark: &BenchmarkSummary) -> String {
    let points: Vec<_> = benchmark
        .points
        .iter()
        .map(|point| {
            let errors = match point.errors {
                0 => String::new(),
                errors => format!(", {errors} errors"),
            };
            let void = if point.void.is_empty() { "" } else { " void" };
            format!(
                "{} {}/s p99 {}{errors}{void}",
                point.offered,
                rate(point.throughput),
                micros(point.latency.p99)
            )
        })
        .collect();
    format!(
        "{}: {}",
        one_line(&benchmark.workload, REASON_LIMIT),
        points.join(" · ")
    )
}
