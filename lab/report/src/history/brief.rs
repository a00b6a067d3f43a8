//! What of a run stands in a list of runs.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use lab_model::outcome::Outcome;

use crate::report::{BestBenchmark, Counts, Report, Verdict};

/// A run in a few figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// The name of its folder.
    pub folder: String,
    /// When it began.
    pub began: Option<Timestamp>,
    /// Stack and lock, `lifecycle/documented`.
    pub stack: String,
    /// How it ended.
    pub verdict: Verdict,
    /// How its scenarios ended.
    pub counts: Counts,
    /// How long it took.
    pub total: Duration,
    /// The best that it measured.
    pub best: Option<BestBenchmark>,
    /// The largest memory sample, bytes.
    pub memory_peak: Option<u64>,
    /// How each scenario ended: file and name, and the outcome's word.
    pub scenarios: BTreeMap<(String, String), &'static str>,
}

impl Brief {
    /// A run in a few figures; `folder` is where its record lies.
    pub fn of(folder: &str, report: &Report) -> Self {
        let about = report.run.about.as_ref();
        let ended = report.scenarios.iter().map(|it| {
            let at = &it.scenario;
            let word = it.outcome.as_ref().map_or("unfinished", Outcome::word);
            ((at.file.clone(), at.name.clone()), word)
        });
        Self {
            folder: folder.to_owned(),
            began: report.run.began,
            stack: about.map_or_else(String::new, |it| format!("{}/{}", it.stack, it.lock)),
            verdict: report.verdict(),
            counts: report.counts(),
            total: report.run.total,
            best: report.best_benchmark(),
            memory_peak: report.memory_peak(),
            scenarios: ended.collect(),
        }
    }
}

/// Scenarios that do not always end alike: file and name, how often they passed, how often
/// they failed or passed only at a later try. Those that did so most often come first.
pub fn flaky(runs: &[Brief]) -> Vec<(&str, &str, usize, usize)> {
    let mut seen: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for ((file, name), word) in runs.iter().flat_map(|run| &run.scenarios) {
        let (passed, troubled) = seen.entry((file, name)).or_default();
        match *word {
            "passed" => *passed += 1,
            "failed" | "flaky" => *troubled += 1,
            _ => {}
        }
    }
    let mut flaky: Vec<_> = seen
        .into_iter()
        .map(|((file, name), (passed, troubled))| (file, name, passed, troubled))
        .filter(|(.., passed, troubled)| *passed > 0 && *troubled > 0)
        .collect();
    flaky.sort_by_key(|(.., troubled)| std::cmp::Reverse(*troubled));
    flaky
}
