//! A verdict in words: a table, and what it comes to.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::{
    compare::End,
    judge::{BlockCounts, Doubt, Finding, Verdict},
    metric::Metric,
    rule::Outcome,
    sample::Side,
    stage::StageChange,
};

impl Verdict {
    /// The outcome in one sentence: what changed, by how much, and why, or why it cannot be told.
    pub(super) fn conclude(&self) -> String {
        let with = |outcome| -> Vec<&Finding> {
            self.findings
                .iter()
                .filter(|it| it.outcome == outcome)
                .collect()
        };
        match self.outcome {
            Outcome::Slower | Outcome::Faster => self.moved(&with),
            Outcome::Same => {
                let mut said = format!(
                    "same: {} differ by less than {}",
                    list(with(Outcome::Same).iter().map(|it| it.metric.to_string())),
                    share(self.plan.threshold)
                );
                said.push_str(&self.left_open());
                said
            }
            Outcome::Undecided => self.cannot_tell(),
        }
    }

    fn moved<'v>(&'v self, with: &dyn Fn(Outcome) -> Vec<&'v Finding>) -> String {
        let changes = |outcome| list(with(outcome).iter().map(|it| change(it)));
        let mut said = format!("{}: {}", self.outcome.word(), changes(self.outcome));
        if self.outcome == Outcome::Slower && !with(Outcome::Faster).is_empty() {
            said.push_str(&format!(", though faster in {}", changes(Outcome::Faster)));
        }
        if let Some(attribution) = &self.attribution {
            said.push_str(&match &attribution.explained_by {
                Some(stage) => format!("; {}", explained(stage)),
                None => "; no single stage explains it".to_owned(),
            });
        }
        said.push_str(&self.left_open());
        said
    }

    /// What a verdict leaves open: figures that are undecided, runs that failed.
    fn left_open(&self) -> String {
        let doubts = self.findings.iter().filter_map(|it| {
            let why = doubt(it, self.plan.threshold)?;
            Some(format!("; {}: {why}", it.metric))
        });
        let failed = |side: Side| match self.blocks.failures(Some(side)) {
            0 => None,
            count => Some(format!("; {count} of the runs of {side:?} failed")),
        };
        doubts
            .chain([Side::A, Side::B].into_iter().filter_map(failed))
            .collect()
    }

    fn cannot_tell(&self) -> String {
        let planned = self.plan.pairs;
        let counted = self.blocks.counted;
        match self.blocks.end {
            End::Cancelled => {
                return format!("undecided: cancelled after {counted} of {planned} pairs");
            }
            End::SpareSpent => {
                return format!(
                    "undecided: only {counted} of {planned} pairs count ({})",
                    self.blocks.lost().join(", ")
                );
            }
            End::Complete => {}
        }
        format!("undecided{}", self.left_open()).replacen(';', ":", 1)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let pairs = format!("{} of {} pairs count", self.blocks.counted, self.plan.pairs);
        let lost = self.blocks.lost();
        notes.push(if lost.is_empty() {
            format!("{pairs}, order and load from seed {}", self.plan.seed)
        } else {
            format!(
                "{pairs} ({}), order and load from seed {}",
                lost.join(", "),
                self.plan.seed
            )
        });
        if let Some(first) = self.blocks.failed.first() {
            notes.push(format!("block {} failed: {}", first.block, first.reason));
        }
        notes.push(format!(
            "rule: p, corrected for all figures, below {} and a median ratio beyond {}; same: the \
             interval lies within that",
            self.plan.alpha,
            share(self.plan.threshold)
        ));
        notes.push(
            "could see: the smallest worsening that 80 of 100 comparisons as noisy as this find"
                .to_owned(),
        );
        notes.push(match &self.false_alarms {
            Some(it) => format!(
                "false alarms of this rule on this machine: {} of {} comparisons of equal runs \
                 ({} pairs measured)",
                it.alarms, it.gates, it.pairs
            ),
            None => "false alarms of this rule on this machine: not measured".to_owned(),
        });
        if let Some(cold) = &self.cold_start {
            notes.push(format!(
                "first answer of a run, its connections new, not judged: A {}, B {}",
                micros(cold.a_micros),
                micros(cold.b_micros)
            ));
        }
        notes
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![
            [
                "",
                "A",
                "B",
                "B/A",
                "95 % interval",
                "p",
                "could see",
                "outcome",
            ]
            .map(str::to_owned),
        ];
        rows.extend(self.findings.iter().map(|it| row(it, self.plan.threshold)));
        table(formatter, &rows)?;
        if let Some(attribution) = &self.attribution {
            writeln!(formatter)?;
            for it in &attribution.stages {
                writeln!(
                    formatter,
                    "{:<8} {:>+9.0} µs {:>6} of the change in p50",
                    it.stage.word(),
                    it.change_micros,
                    whole_share(it.share)
                )?;
            }
        }
        writeln!(formatter)?;
        for note in self.notes() {
            writeln!(formatter, "{note}")?;
        }
        write!(formatter, "{}", self.conclusion)
    }
}

/// A row of the table.
pub(super) type Cells = [String; 8];

fn row(finding: &Finding, threshold: f64) -> Cells {
    let outcome = match doubt(finding, threshold) {
        Some(why) => format!("{}: {why}", finding.outcome.word()),
        None => finding.outcome.word().to_owned(),
    };
    figures(finding, finding.metric.to_string(), outcome)
}

/// A figure's row, between its name and what it comes to.
pub(super) fn figures(finding: &Finding, name: String, outcome: String) -> Cells {
    [
        name,
        figure(finding.metric, finding.a),
        figure(finding.metric, finding.b),
        format!("{:.3}", finding.ratio),
        format!(
            "{:.3} to {:.3}",
            finding.interval.low, finding.interval.high
        ),
        finding.p.map_or_else(|| "-".to_owned(), p),
        finding
            .detectable
            .map_or_else(|| "-".to_owned(), |it| tenths(it.power80)),
        outcome,
    ]
}

/// Columns as wide as their widest cell, figures to the right, words to the left.
pub(super) fn table(formatter: &mut fmt::Formatter<'_>, rows: &[Cells]) -> fmt::Result {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.max().unwrap_or(0)
    };
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let blank = " ".repeat(width(column) - cell.width());
            match column {
                0 => line.push_str(&format!("{cell}{blank}")),
                7 => line.push_str(&format!("  {cell}")),
                _ => line.push_str(&format!("  {blank}{cell}")),
            }
        }
        writeln!(formatter, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Why a figure is undecided, in words.
fn doubt(finding: &Finding, threshold: f64) -> Option<String> {
    Some(match finding.doubt? {
        Doubt::PairsNeeded { needed } => format!("needs {needed} pairs"),
        Doubt::Incomplete { counted } => format!("only {counted} pairs count"),
        Doubt::Noise => match finding.detectable {
            Some(it) => format!(
                "cannot tell, the smallest detectable effect is {}",
                tenths(it.power80)
            ),
            None => "cannot tell, so few pairs detect nothing".to_owned(),
        },
        Doubt::AboutThreshold => {
            format!(
                "differs, but not surely by more or less than {}",
                share(threshold)
            )
        }
    })
}

/// By how much, as a ratio says it.
pub(super) fn percent(ratio: f64) -> String {
    format!("{:+.1} %", (ratio - 1.0) * 100.0)
}

fn change(finding: &Finding) -> String {
    format!(
        "{} {} ({} to {})",
        finding.metric,
        percent(finding.ratio),
        percent(finding.interval.low),
        percent(finding.interval.high)
    )
}

fn explained(change: &StageChange) -> String {
    format!(
        "{} accounts for {} of the change in p50 ({:+.0} µs)",
        change.stage.word(),
        whole_share(change.share),
        change.change_micros
    )
}

impl BlockCounts {
    /// Blocks in which a run of this side failed, or the canary.
    pub(super) fn failures(&self, of: Option<Side>) -> usize {
        self.failed.iter().filter(|it| it.side == of).count()
    }

    /// Blocks that do not count, kind by kind.
    fn lost(&self) -> Vec<String> {
        [
            (self.void, "void by the null server"),
            (self.failures(Some(Side::A)), "failed in A"),
            (self.failures(Some(Side::B)), "failed in B"),
            (self.failures(None), "failed at the null server"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }
}

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn figure(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Throughput if value < 100.0 => format!("{value:.1}/s"),
        Metric::Throughput => format!("{value:.0}/s"),
        Metric::P50 | Metric::P95 | Metric::P99 => micros(value),
    }
}

pub(super) fn micros(value: f64) -> String {
    if value < 1000.0 {
        format!("{value:.0} µs")
    } else if value < 1e6 {
        format!("{:.2} ms", value / 1e3)
    } else {
        format!("{:.2} s", value / 1e6)
    }
}

fn p(value: f64) -> String {
    if value < 0.0001 {
        "<0.0001".to_owned()
    } else {
        format!("{value:.4}")
    }
}

/// A share that someone chose.
pub(super) fn share(value: f64) -> String {
    let percent = (value * 1e4).round() / 100.0;
    format!("{percent} %")
}

/// A share that was measured.
pub(super) fn tenths(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

pub(super) fn whole_share(value: f64) -> String {
    format!("{:.0} %", value * 100.0)
}
