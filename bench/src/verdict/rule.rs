//! The rule: significant, and by more than what matters.

use serde::{Deserialize, Serialize};

use super::{
    bootstrap::median, holm::holm, metric::Metric, plan::Plan, rank::mann_whitney, sample::Pair,
};

/// What a comparison, or one figure of it, came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// `b` is better by more than the threshold.
    Faster,
    /// `b` is worse by more than the threshold.
    Slower,
    /// If there is a difference, it is smaller than the threshold.
    Same,
    /// The runs do not show which of the others holds.
    Undecided,
}

impl Outcome {
    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Same => "same",
            Self::Undecided => "undecided",
        }
    }
}

/// How the test went for one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The figure.
    pub metric: Metric,
    /// Mann-Whitney's p, two-sided.
    pub p: f64,
    /// The same after Holm's correction over all tested figures.
    pub adjusted: f64,
    /// Median over the pairs of the logarithm of the ratio `b` to `a`, turned so that more
    /// is worse.
    pub worsening: f64,
    /// [`Outcome::Faster`] or [`Outcome::Slower`], where the rule says so.
    pub moved: Option<Outcome>,
}

impl Plan {
    /// The threshold as the logarithm of a ratio: beyond it on either side is a difference
    /// that matters, so that swapping the sides swaps the outcome and nothing else.
    pub(super) fn margin(&self) -> f64 {
        self.threshold.ln_1p()
    }

    /// Tests every figure that so many pairs can tell of.
    ///
    /// The ranks of both sides are compared, the ratio is that of the pairs: what moved both
    /// runs of a block cancels in the ratio, and makes the test only the more careful.
    pub fn test(&self, pairs: &[Pair<'_>]) -> Vec<Tested> {
        let tested: Vec<(Metric, f64)> = self.tested().map(|it| (it, p_of(it, pairs))).collect();
        let each: Vec<f64> = tested.iter().map(|(_, p)| *p).collect();
        tested
            .into_iter()
            .zip(holm(&each))
            .map(|((metric, p), adjusted)| {
                let worsening = median(&worsenings(metric, pairs)).unwrap_or(0.0);
                let beyond = adjusted < self.alpha && worsening.abs() > self.margin();
                let outcome = if worsening > 0.0 {
                    Outcome::Slower
                } else {
                    Outcome::Faster
                };
                Tested {
                    metric,
                    p,
                    adjusted,
                    worsening,
                    moved: beyond.then_some(outcome),
                }
            })
            .collect()
    }
}

/// How much worse `b` is in each pair, as logarithms of ratios.
pub(super) fn worsenings(metric: Metric, pairs: &[Pair<'_>]) -> Vec<f64> {
    pairs.iter().map(|pair| metric.worsening(pair)).collect()
}

fn p_of(metric: Metric, pairs: &[Pair<'_>]) -> f64 {
    let a: Vec<f64> = pairs.iter().map(|pair| metric.of(pair.a)).collect();
    let b: Vec<f64> = pairs.iter().map(|pair| metric.of(pair.b)).collect();
    mann_whitney(&a, &b)
}
