//! From what was measured to a verdict.

use serde::{Deserialize, Serialize};

use super::{
    block::{Block, BlockState},
    bootstrap::{Interval, interval, median},
    calibration::FalseAlarms,
    compare::{Comparison, End},
    detectable::Detectable,
    failure::Failure,
    metric::Metric,
    plan::Plan,
    random::{Purpose, stream},
    rule::{Outcome, Tested, worsenings},
    sample::{Pair, Side},
    stage::Attribution,
};

/// What a comparison says, with all that is needed to believe it or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Slower where any figure is, else faster where any is, else the same where all tested
    /// figures are.
    pub outcome: Outcome,
    /// The outcome in one sentence.
    pub conclusion: String,
    /// One for each figure of the plan.
    pub findings: Vec<Finding>,
    /// Where a difference of the median latency comes from, if there is one and the server
    /// tells its stages.
    pub attribution: Option<Attribution>,
    /// First answers of the runs, on new connections, judged by nobody.
    pub cold_start: Option<ColdStart>,
    /// What became of the blocks.
    pub blocks: BlockCounts,
    /// How often the rule cried wolf on this machine; none without a calibration.
    pub false_alarms: Option<FalseAlarms>,
    /// The plan, and so the rule and the seed.
    pub plan: Plan,
}

/// What the pairs say of one figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The figure.
    pub metric: Metric,
    /// Median of the runs of `a`: 1/s or microseconds.
    pub a: f64,
    /// Median of the runs of `b`.
    pub b: f64,
    /// Median over the pairs of the ratio `b` to `a`.
    pub ratio: f64,
    /// Where the ratio lies with a confidence of 95 %.
    pub interval: Interval,
    /// Mann-Whitney's p after Holm's correction; none where it was not tested.
    pub p: Option<f64>,
    /// The smallest worsening that these pairs could have shown; none where they show none,
    /// or the figure was not tested.
    pub detectable: Option<Detectable>,
    /// What it comes to.
    pub outcome: Outcome,
    /// Why it is undecided, where it is.
    pub doubt: Option<Doubt>,
}

/// Why a figure is undecided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Doubt {
    /// The figure needs more pairs than the plan has.
    PairsNeeded {
        /// The fewest that tell of it.
        needed: usize,
    },
    /// Fewer pairs count than the plan has, so that its rule does not hold.
    Incomplete {
        /// Pairs that count.
        counted: usize,
    },
    /// The runs vary more than what is to be seen.
    Noise,
    /// The runs differ, but by more or by less than the threshold they do not say.
    AboutThreshold,
}

/// Medians of the runs' first answers, connecting included, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ColdStart {
    /// Of side `a`.
    pub a_micros: f64,
    /// Of side `b`.
    pub b_micros: f64,
}

/// What became of the blocks of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockCounts {
    /// Pairs that count.
    pub counted: usize,
    /// Blocks whose canary moved.
    pub void: usize,
    /// Blocks in which something failed.
    pub failed: Vec<FailedBlock>,
    /// Why no more was measured.
    pub end: End,
}

/// A block in which something failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedBlock {
    /// Its number, from 1.
    pub block: usize,
    /// Whose run failed; none where it was the canary.
    pub side: Option<Side>,
    /// Why.
    pub reason: Failure,
}

impl Comparison {
    /// Judges what was measured. The same runs give the same verdict, bit for bit.
    ///
    /// A comparison that was cancelled or ran out of blocks shows its figures and is
    /// undecided: its plan said how many pairs there would be.
    pub fn verdict(&self, false_alarms: Option<FalseAlarms>) -> Verdict {
        let pairs = self.pairs();
        let tested = self.plan.test(&pairs);
        let findings: Vec<Finding> = self
            .plan
            .metrics
            .iter()
            .filter_map(|metric| {
                let tested = tested.iter().find(|it| it.metric == *metric);
                self.finding(*metric, &pairs, tested)
            })
            .collect();
        let outcome = overall(&self.plan, &findings);
        let moved = findings.iter().any(|it| {
            it.metric == Metric::P50 && matches!(it.outcome, Outcome::Faster | Outcome::Slower)
        });
        let mut verdict = Verdict {
            outcome,
            conclusion: String::new(),
            attribution: moved.then(|| self.plan.attribute(&pairs)).flatten(),
            cold_start: cold_start(&pairs),
            blocks: self.counts(),
            findings,
            false_alarms,
            plan: self.plan.clone(),
        };
        verdict.conclusion = verdict.conclude();
        verdict
    }

    fn finding(
        &self,
        metric: Metric,
        pairs: &[Pair<'_>],
        tested: Option<&Tested>,
    ) -> Option<Finding> {
        let differences = worsenings(metric, pairs);
        let worsening = median(&differences)?;
        let mut random = stream(self.plan.seed, Purpose::Interval);
        let around = interval(&differences, &mut random)?;
        let (outcome, doubt) = self.decide(metric, tested, around);
        let ratio = |worsening| metric.turned(worsening).exp();
        Some(Finding {
            metric,
            a: median(&pairs.iter().map(|it| metric.of(it.a)).collect::<Vec<_>>())?,
            b: median(&pairs.iter().map(|it| metric.of(it.b)).collect::<Vec<_>>())?,
            ratio: ratio(worsening),
            interval: around.map(ratio),
            p: tested.map(|it| it.adjusted),
            detectable: tested.and_then(|_| self.plan.detectable(metric, pairs)),
            outcome,
            doubt,
        })
    }

    /// The rule for one figure; `around` is the interval of the worsening.
    fn decide(
        &self,
        metric: Metric,
        tested: Option<&Tested>,
        around: Interval,
    ) -> (Outcome, Option<Doubt>) {
        let undecided = |doubt| (Outcome::Undecided, Some(doubt));
        let Some(tested) = tested else {
            return undecided(Doubt::PairsNeeded {
                needed: metric.pairs_needed(),
            });
        };
        if self.end != End::Complete {
            return undecided(Doubt::Incomplete {
                counted: self.pairs().len(),
            });
        }
        if let Some(outcome) = tested.moved {
            return (outcome, None);
        }
        let margin = self.plan.margin();
        if around.within(-margin, margin) {
            return (Outcome::Same, None);
        }
        undecided(if tested.adjusted < self.plan.alpha {
            Doubt::AboutThreshold
        } else {
            Doubt::Noise
        })
    }

    fn counts(&self) -> BlockCounts {
        let failed = |block: &Block| match &block.state {
            BlockState::Failed { side, reason } => Some(FailedBlock {
                block: block.number,
                side: *side,
                reason: reason.clone(),
            }),
            _ => None,
        };
        let void = |block: &&Block| matches!(block.state, BlockState::Void { .. });
        BlockCounts {
            counted: self.pairs().len(),
            void: self.blocks.iter().filter(void).count(),
            failed: self.blocks.iter().filter_map(failed).collect(),
            end: self.end,
        }
    }
}

/// The outcome of all figures together. A figure that became slower is not made up for by
/// another that became faster. Figures that the plan cannot tell of do not speak.
fn overall(plan: &Plan, findings: &[Finding]) -> Outcome {
    let mut spoken = plan
        .tested()
        .map(|metric| findings.iter().find(|it| it.metric == metric))
        .map(|found| found.map_or(Outcome::Undecided, |it| it.outcome));
    let any = |outcome| spoken.clone().any(|it| it == outcome);
    if any(Outcome::Slower) {
        Outcome::Slower
    } else if any(Outcome::Faster) {
        Outcome::Faster
    } else if spoken.all(|it| it == Outcome::Same) {
        Outcome::Same
    } else {
        Outcome::Undecided
    }
}

fn cold_start(pairs: &[Pair<'_>]) -> Option<ColdStart> {
    let starts = |side: fn(&Pair<'_>) -> Option<f64>| {
        median(&pairs.iter().filter_map(side).collect::<Vec<_>>())
    };
    Some(ColdStart {
        a_micros: starts(|pair| pair.a.cold_start_micros)?,
        b_micros: starts(|pair| pair.b.cold_start_micros)?,
    })
}
