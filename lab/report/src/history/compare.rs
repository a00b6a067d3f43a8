//! Two runs, and what differs between them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;

use super::Brief;
use crate::{
    figures::{bytes, duration, micros, rate},
    lang::{Lang, words},
    report::Report,
    text::one_line,
    words as said,
};

/// The longest name or version, characters.
const NAME_LIMIT: usize = 80;
/// Widths of the table's first columns, characters.
const WIDTHS: [usize; 3] = [34, 18, 18];
/// What stands where a run has nothing to show.
const NOTHING: &str = "–";

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The folder of the first run.
    pub before: String,
    /// The folder of the second run.
    pub after: String,
    /// Times and figures: always told.
    pub figures: Vec<Difference>,
    /// Versions of components that differ.
    pub versions: Vec<Difference>,
    /// Scenarios that ended in another way.
    pub scenarios: Vec<Difference>,
}

/// One thing in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub what: String,
    /// In the first run.
    pub before: String,
    /// In the second run.
    pub after: String,
    /// By how much the second is more, percent, where that means something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<i64>,
}

/// Compares two runs; each is the name of its folder and its report.
pub fn compare(before: (&str, &Report), after: (&str, &Report)) -> Comparison {
    let briefs = [Brief::of(before.0, before.1), Brief::of(after.0, after.1)];
    Comparison {
        before: before.0.to_owned(),
        after: after.0.to_owned(),
        figures: figures(&briefs, [before.1, after.1]),
        versions: changed(&[versions(before.1), versions(after.1)]),
        scenarios: changed(&briefs.map(|brief| scenarios(&brief))),
    }
}

fn figures(briefs: &[Brief; 2], reports: [&Report; 2]) -> Vec<Difference> {
    let verdict = |brief: &Brief| said::verdict(brief.verdict).of(Lang::English).to_owned();
    let mut figures = vec![Difference {
        what: "verdict".to_owned(),
        before: verdict(&briefs[0]),
        after: verdict(&briefs[1]),
        percent: None,
    }];
    let spans = reports.map(|report| {
        let stages = report.stages.iter();
        let lengths = stages.map(|it| (it.stage, it.span.length()));
        lengths.collect::<BTreeMap<_, _>>()
    });
    let total = briefs.each_ref().map(|it| Some(it.total));
    figures.push(measured("whole run", total, seconds, duration));
    let stages: BTreeSet<_> = spans.iter().flat_map(|it| it.keys().copied()).collect();
    for stage in stages {
        let lengths = spans.each_ref().map(|it| it.get(&stage).copied());
        figures.push(measured(stage.as_str(), lengths, seconds, duration));
    }
    let throughput = briefs
        .each_ref()
        .map(|it| it.best.map(|best| best.throughput));
    figures.push(measured("inferences a second", throughput, |it| it, rate));
    let p99 = briefs
        .each_ref()
        .map(|it| it.best.map(|best| best.p99_micros));
    figures.push(measured("p99", p99, |it| it, micros));
    let memory = briefs.each_ref().map(|it| it.memory_peak);
    figures.push(measured("memory at most", memory, whole, bytes));
    figures
}

fn seconds(length: Duration) -> f64 {
    length.as_secs_f64()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share in whole percent needs no more digits"
)]
const fn whole(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a share is kept within what a number of percent can be"
)]
fn measured<T: Copy>(
    what: &str,
    values: [Option<T>; 2],
    size: impl Fn(T) -> f64,
    told: impl Fn(T) -> String,
) -> Difference {
    let percent = match values.map(|it| it.map(&size)) {
        [Some(before), Some(after)] if before > 0.0 => {
            Some(((after / before - 1.0) * 100.0).clamp(-1e6, 1e6).round() as i64)
        }
        _ => None,
    };
    let [before, after] = values.map(|it| it.map_or_else(|| NOTHING.to_owned(), &told));
    Difference {
        what: what.to_owned(),
        before,
        after,
        percent,
    }
}

fn versions(report: &Report) -> BTreeMap<String, String> {
    let version = |it: &crate::report::ComponentReport| {
        let actual = it.actual.as_deref().unwrap_or(it.outcome.word());
        (one_line(&it.name, NAME_LIMIT), one_line(actual, NAME_LIMIT))
    };
    let mut versions: BTreeMap<_, _> = report.components.iter().map(version).collect();
    if let Some(cluster) = &report.run.cluster {
        let version = one_line(&cluster.version, NAME_LIMIT);
        versions.insert("Kubernetes".to_owned(), version);
    }
    if let Some(about) = &report.run.about {
        versions.insert("lab".to_owned(), one_line(&about.lab_version, NAME_LIMIT));
    }
    versions
}

fn scenarios(brief: &Brief) -> BTreeMap<String, String> {
    let name = |file: &str, name: &str| {
        let stem = file.trim_end_matches(".feature");
        one_line(&format!("{stem}: {name}"), NAME_LIMIT)
    };
    brief
        .scenarios
        .iter()
        .map(|((file, scenario), word)| (name(file, scenario), (*word).to_owned()))
        .collect()
}

/// What is not the same in both.
fn changed(sides: &[BTreeMap<String, String>; 2]) -> Vec<Difference> {
    let all: BTreeSet<_> = sides.iter().flat_map(BTreeMap::keys).collect();
    let side = |side: &BTreeMap<String, String>, what: &str| {
        side.get(what).map_or(NOTHING, String::as_str).to_owned()
    };
    all.into_iter()
        .map(|what| Difference {
            what: what.clone(),
            before: side(&sides[0], what),
            after: side(&sides[1], what),
            percent: None,
        })
        .filter(|it| it.before != it.after)
        .collect()
}

impl Comparison {
    /// As a table to read.
    pub fn text(&self, lang: Lang) -> String {
        let head = Difference {
            what: String::new(),
            before: self.before.clone(),
            after: self.after.clone(),
            percent: None,
        };
        let mut lines = vec![row(&head)];
        lines.extend(self.figures.iter().map(row));
        let groups = [
            (words("versions", "버전"), &self.versions),
            (words("scenarios", "시나리오"), &self.scenarios),
        ];
        for (title, rows) in groups {
            lines.push(String::new());
            if rows.is_empty() {
                let same = words("no difference", "차이 없음");
                lines.push(format!("{}: {}", title.of(lang), same.of(lang)));
                continue;
            }
            lines.push(title.of(lang).to_owned());
            lines.extend(rows.iter().map(row));
        }
        lines.join("\n") + "\n"
    }
}

fn row(difference: &Difference) -> String {
    let [what, before, after] = WIDTHS;
    let percent = difference.percent.filter(|it| *it != 0);
    let percent = percent.map_or_else(String::new, |it| format!("{it:+} %"));
    // A long name has a line of its own, so that the columns stand.
    let name = if difference.what.chars().count() > what {
        format!("{}\n{:what$}", difference.what, "")
    } else {
        format!("{:<what$}", difference.what)
    };
    let line = format!(
        "{name} {:<before$} {:<after$} {percent}",
        difference.before, difference.after
    );
    line.trim_end().to_owned()
}
