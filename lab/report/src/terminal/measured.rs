//! A window of a benchmark as lines.

use lab_model::{benchmark::Point, outcome::Outcome};
use unicode_width::UnicodeWidthStr;

use crate::{
    figures::{counted, micros, rate},
    lang::{Lang, told, words},
    paint::{Paint, Painter},
    words as said,
};

/// Columns that a load takes.
const OFFERED: usize = 11;

/// Its figures, and why they do not count where they do not.
pub(super) fn measured(painter: Painter, lang: Lang, offered: &str, point: &Point) -> Vec<String> {
    let reason = String::new();
    let outcome = match point.errors {
        _ if !point.void.is_empty() => Outcome::NotRun {
            reason: reason.into(),
        },
        0 => Outcome::Passed,
        _ => Outcome::Failed {
            reason: reason.into(),
        },
    };
    let errors = usize::try_from(point.errors).unwrap_or(usize::MAX);
    let errors = told(counted(errors, "error"), format!("오류 {errors}건"));
    // Letters of Korean are two columns wide.
    let blank = " ".repeat(OFFERED.saturating_sub(offered.width()));
    let mut lines = vec![format!(
        "  {} {blank}{offered}: {}/s, p50 {}, p95 {}, p99 {}, {}",
        painter.mark(Some(&outcome)),
        rate(point.throughput),
        micros(point.latency.p50),
        micros(point.latency.p95),
        micros(point.latency.p99),
        errors.of(lang),
    )];
    lines.extend(point.void.iter().map(|void| {
        let word = words("void", "무효");
        let void = format!("{}: {}", word.of(lang), said::void(void).of(lang));
        format!("      {}", painter.paint(Paint::Doubtful, &void))
    }));
    lines
}
