//! For GitHub Actions: a summary of the step in Markdown, and annotations that GitHub
//! shows on the line of the feature.

use std::fmt::Write;

use crate::{
    clues::clues,
    figures::{bytes, duration, micros, moment, rate},
    lang::{Lang, Words, told, words as both},
    report::{Failure, Place, Report, ScenarioReport},
    text::one_line,
    words,
};

/// The longest text of a cell, characters.
const CELL_LIMIT: usize = 300;
/// The most rows of a table; GitHub cuts a summary off at 1 MiB.
const MOST_ROWS: usize = 100;
/// GitHub shows ten annotations of a kind in a step, and drops the rest.
const MOST_ANNOTATIONS: usize = 10;
/// The most clues told; the report has all of them.
const MOST_CLUES: usize = 8;

/// Renders the summary of a step: for the end of the file that `GITHUB_STEP_SUMMARY` names.
pub fn step_summary(report: &Report, lang: Lang) -> String {
    let mut text = String::new();
    let verdict = report.verdict();
    let word = words::verdict(verdict);
    let _ = writeln!(text, "## {} {}\n", words::sign(verdict), word.of(lang));
    if let Some(about) = &report.run.about {
        let _ = writeln!(
            text,
            "{}/{} · {} · {}\n",
            cell(&about.stack),
            cell(&about.lock),
            cell(words::counts(report.counts()).of(lang)),
            duration(report.run.total)
        );
    }
    if let Some(first) = report.first_cause() {
        cause(&mut text, report, first, lang);
    }
    not_run(&mut text, report, lang);
    components(&mut text, report, lang);
    scenarios(&mut text, report, lang);
    benchmark(&mut text, report, lang);
    if let Some(peak) = report.memory_peak() {
        let peak = bytes(peak);
        let most = told(
            format!("Memory at most {peak}."),
            format!("메모리 최대 {peak}."),
        );
        let _ = writeln!(text, "{}", most.of(lang));
    }
    text
}

fn cause(text: &mut String, report: &Report, first: &Failure, lang: Lang) {
    let place = words::place(&first.place);
    let _ = writeln!(
        text,
        "### {}\n\n**{}**\n\n> {}\n",
        both("First cause", "첫 원인").of(lang),
        cell(place.of(lang)),
        cell(words::cause(&first.reason).of(lang))
    );
    let clues = clues(report);
    if clues.is_empty() {
        return;
    }
    text.push_str(&head(
        &[
            both("At", "때"),
            both("Where", "어디"),
            both("What", "무엇"),
        ],
        lang,
    ));
    for clue in clues.iter().take(MOST_CLUES) {
        let at = clue.at.map_or("–".to_owned(), moment);
        let _ = writeln!(
            text,
            "| {at} | {} | {} |",
            cell(clue.source.of(lang)),
            cell(clue.text.of(lang))
        );
    }
    text.push('\n');
}

fn not_run(text: &mut String, report: &Report, lang: Lang) {
    let not_run = report.not_run();
    if not_run.is_empty() {
        return;
    }
    let _ = writeln!(text, "### {}\n", both("Not run", "실행 안 됨").of(lang));
    for one in not_run.iter().take(MOST_ROWS) {
        let kind = words::kind(one.kind);
        let _ = writeln!(
            text,
            "- {} {}: {}",
            kind.of(lang),
            cell(one.name),
            cell(words::hindrance(one.reason).of(lang))
        );
    }
    text.push('\n');
}

fn components(text: &mut String, report: &Report, lang: Lang) {
    if report.components.is_empty() {
        return;
    }
    text.push_str(&head(
        &[
            both("Component", "구성 요소"),
            both("Documented", "문서의 버전"),
            both("Here", "여기서"),
        ],
        lang,
    ));
    for component in report.components.iter().take(MOST_ROWS) {
        let here = component.actual.as_deref();
        let ended = words::spoken(Some(&component.outcome));
        let here = here.unwrap_or_else(|| ended.of(lang));
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            cell(&component.name),
            cell(&component.documented),
            cell(here)
        );
    }
    text.push('\n');
}

/// Only what needs a look: a summary is read at one glance.
fn scenarios(text: &mut String, report: &Report, lang: Lang) {
    let is_worth_it = |it: &&ScenarioReport| {
        let word = it.outcome.as_ref().map(lab_model::outcome::Outcome::word);
        !matches!(word, Some("passed" | "not-run"))
    };
    let mut worth_it = report.scenarios.iter().filter(is_worth_it).peekable();
    if worth_it.peek().is_none() {
        return;
    }
    text.push_str(&head(
        &[
            both("Scenario", "시나리오"),
            both("Outcome", "결과"),
            both("Took", "걸린 시간"),
        ],
        lang,
    ));
    for scenario in worth_it.take(MOST_ROWS) {
        let at = &scenario.scenario;
        let word = words::spoken(scenario.outcome.as_ref());
        let _ = writeln!(
            text,
            "| {} (features/{}:{}) | {} | {} |",
            cell(&at.name),
            cell(&at.file),
            at.line,
            word.of(lang),
            duration(scenario.span.length())
        );
    }
    text.push('\n');
}

fn benchmark(text: &mut String, report: &Report, lang: Lang) {
    if let Some(best) = report.best_benchmark() {
        let (rate, p99) = (rate(best.throughput), micros(best.p99_micros));
        let best = told(
            format!("Inference: {rate}/s at best, p99 {p99}."),
            format!("추론: 최고 {rate}/s, p99 {p99}."),
        );
        let _ = writeln!(text, "{}\n", best.of(lang));
    }
}

/// The head of a table.
fn head(columns: &[Words], lang: Lang) -> String {
    let names: Vec<_> = columns.iter().map(|it| it.of(lang)).collect();
    let line = "|---".repeat(names.len());
    format!("| {} |\n{line}|\n", names.join(" | "))
}

/// Renders annotations, one a line, for GitHub to read from the output of the step.
pub fn annotations(report: &Report) -> String {
    let mut lines = Vec::new();
    for failure in report.failures.iter().take(MOST_ANNOTATIONS) {
        let at = match &failure.place {
            Place::Scenario { scenario, .. } => {
                let line = failed_line(report, failure).unwrap_or(scenario.line);
                format!(
                    "file={},line={line},",
                    property(&format!("features/{}", scenario.file))
                )
            }
            Place::Stage(_) | Place::Component(_) => String::new(),
        };
        let place = words::place(&failure.place);
        lines.push(format!(
            "::error {at}title={}::{}\n",
            property(place.of(Lang::English)),
            message(&failure.reason.to_string())
        ));
    }
    lines.concat()
}

/// The line of the step that failed.
fn failed_line(report: &Report, failure: &Failure) -> Option<u32> {
    let Place::Scenario { scenario, .. } = &failure.place else {
        return None;
    };
    let mut of_report = report.scenarios.iter();
    let scenario = of_report.find(|it| it.scenario == *scenario)?;
    let step = scenario.steps.iter().rfind(|it| it.outcome.is_failed())?;
    (step.line > 0).then_some(step.line)
}

/// Text that stays text in Markdown, also within a cell: what means something there is
/// written by its number, as HTML has it.
fn cell(text: &str) -> String {
    let mut clean = String::new();
    for char in one_line(text, CELL_LIMIT).chars() {
        if "<>&|`*_[]()#\\~!@".contains(char) {
            let _ = write!(clean, "&#{};", u32::from(char));
        } else {
            clean.push(char);
        }
    }
    clean
}

/// The message of a workflow command, as GitHub escapes it.
fn message(text: &str) -> String {
    one_line(text, CELL_LIMIT).replace('%', "%25")
}

/// A property of a workflow command, as GitHub escapes it.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_in_markdown() {
        assert_eq!(
            cell("a|<b> [x](y)\nc"),
            "a&#124;&#60;b&#62; &#91;x&#93;&#40;y&#41; c"
        );
    }

    #[test]
    fn text_cannot_end_a_workflow_command() {
        assert_eq!(
            property("a:b,c%0A\n::error::d"),
            "a%3Ab%2Cc%250A %3A%3Aerror%3A%3Ad"
        );
        assert_eq!(message("50 %\n::error::x"), "50 %25 ::error::x");
    }
}
