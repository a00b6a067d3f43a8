//! The smallest difference that a comparison could have seen.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{
    bootstrap::{median, median_in_place, quantile},
    metric::Metric,
    plan::Plan,
    random::{Purpose, stream},
    rank::critical_u,
    rule::worsenings,
    sample::Pair,
};

/// How many comparisons are made up.
const RESAMPLES: usize = 1000;

/// The smallest planted worsening that the rule sees, as a share of the figure of `a`:
/// 0.05 is 5 % less throughput, or 5 % more latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Detectable {
    /// Seen in 80 of 100 comparisons.
    pub power80: f64,
    /// Seen in 95 of 100 comparisons.
    pub power95: f64,
}

impl Plan {
    /// The smallest difference in a figure that comparisons with the noise of these pairs see;
    /// none where so few pairs see none at all.
    ///
    /// Comparisons are made up from the blocks, drawn again with replacement: the run of `a`
    /// as it was, the run of `b` without what all pairs differ by. So what moves whole blocks
    /// stays shared within a block. Each made-up comparison has its own least shift that
    /// fires the rule: the larger of the shift that makes U significant, an order statistic
    /// of the differences between the sides, and of the shift that brings the median ratio
    /// over the threshold. The quantiles of these shifts are the answer; no search is needed.
    /// The level is that of the first step of Holm's correction, as if no other figure moved.
    ///
    /// Source of the idea, power by resampling from what was measured: B. Efron,
    /// R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 25.
    pub fn detectable(&self, metric: Metric, pairs: &[Pair<'_>]) -> Option<Detectable> {
        let runs = pairs.len();
        let needed = runs * runs - critical_u(runs, self.strictest())?;
        let blocks = centred(metric, pairs)?;

        let mut random = stream(self.seed, Purpose::Detectable);
        let mut shifts = Vec::with_capacity(RESAMPLES);
        let mut drawn = blocks.clone();
        for _ in 0..RESAMPLES {
            for block in &mut drawn {
                *block = blocks[random.random_range(0..runs)];
            }
            let mut apart: Vec<f64> = drawn.iter().map(|it| it.noise).collect();
            let by_median = self.margin() - median_in_place(&mut apart)?;
            shifts.push(by_median.max(least_shift(&drawn, needed)));
        }
        shifts.sort_by(f64::total_cmp);
        let share = |power| quantile(&shifts, power).map(|it| metric.worse_share(it));
        Some(Detectable {
            power80: share(0.8)?,
            power95: share(0.95)?,
        })
    }
}

impl Metric {
    /// A worsening, given as a logarithm, as a share of the figure.
    fn worse_share(self, worsening: f64) -> f64 {
        self.turned(self.turned(worsening).exp_m1())
    }
}

/// A block without what all pairs differ by, in logarithms turned so that more is worse.
#[derive(Clone, Copy)]
struct Centred {
    a: f64,
    /// How much worse the run of `b` is.
    noise: f64,
}

/// The pairs without their common difference. The noise is widened by `n / (n - 1)` in its
/// variance, which drawing from so few values would else lose.
fn centred(metric: Metric, pairs: &[Pair<'_>]) -> Option<Vec<Centred>> {
    let differences = worsenings(metric, pairs);
    let middle = median(&differences)?;
    #[expect(clippy::cast_precision_loss, reason = "pairs are counted in tens")]
    let count = differences.len() as f64;
    let wider = (count / (count - 1.0)).sqrt();
    let blocks = pairs.iter().zip(differences).map(|(pair, it)| Centred {
        a: metric.badness(pair.a),
        noise: (it - middle) * wider,
    });
    Some(blocks.collect())
}

/// By how much `b` must be raised for so many of its values, counted over all pairs of
/// values, to lie above those of `a`.
fn least_shift(blocks: &[Centred], needed: usize) -> f64 {
    let mut gaps = Vec::with_capacity(blocks.len() * blocks.len());
    for b in blocks {
        gaps.extend(blocks.iter().map(|of| of.a - b.a - b.noise));
    }
    let (_, gap, _) = gaps.select_nth_unstable_by(needed.saturating_sub(1), f64::total_cmp);
    *gap
}
