//! What a comparison measures, and by which rule it is judged.

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{metric::Metric, rank::least_p, schedule::Schedule};

/// The most pairs of one comparison: more are hours of load.
const MOST_PAIRS: usize = 200;

/// The plan of a comparison, made before anything is measured and not changed after.
///
/// The rule is the one that measured best beside ten others: `b` is faster or slower where
/// Mann-Whitney's p, after Holm's correction, lies below `alpha`, and the median ratio of the
/// pairs lies beyond `threshold`. Either alone is not enough: a test alone finds differences
/// that matter to nobody, a threshold alone takes noise for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Where all chance comes from: order, load, resampling.
    pub seed: u64,
    /// Pairs of runs that are to count.
    pub pairs: usize,
    /// Blocks that may stand in for void or failed ones.
    pub spare: usize,
    /// The figures compared.
    pub metrics: Vec<Metric>,
    /// Share of comparisons of equal things that may be called different.
    pub alpha: f64,
    /// The least difference that matters, as a share: 0.03 is a ratio beyond 1.03 or 1/1.03.
    pub threshold: f64,
    /// How far a block's canary may lie from the median of all canaries, as a share.
    pub canary_limit: f64,
}

/// Why a plan cannot come to a verdict.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
pub enum PlanError {
    /// No outcome of so few runs would be significant.
    #[error(
        "{pairs} pairs cannot tell anything: their least p is {least:.4}, and the rule asks for \
         less than {level:.4}"
    )]
    #[diagnostic(
        code(lab::bench::cannot_fire),
        help("measure at least {needed} pairs; 10 see a difference of 5 %")
    )]
    CannotFire {
        /// Pairs planned.
        pairs: usize,
        /// The least p that they can reach.
        least: f64,
        /// What it must lie below, after correction for the number of figures.
        level: f64,
        /// The fewest pairs that could.
        needed: usize,
    },
    /// Every figure asked for needs more pairs.
    #[error("{pairs} pairs tell nothing of the figures asked for")]
    #[diagnostic(
        code(lab::bench::figures_need_more),
        help("measure at least {needed} pairs, or compare `throughput` and `p50`")
    )]
    NothingTold {
        /// Pairs planned.
        pairs: usize,
        /// The fewest that would tell something.
        needed: usize,
    },
    /// A number of the plan is out of its bounds.
    #[error("`{name}` is {value}; it must be {bounds}")]
    #[diagnostic(
        code(lab::bench::plan_out_of_bounds),
        help("leave `{name}` out to have the value that was measured to work")
    )]
    OutOfBounds {
        /// The number.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it must be.
        bounds: &'static str,
    },
    /// No figure is compared, or one twice.
    #[error("each figure must be named once, and at least one")]
    #[diagnostic(
        code(lab::bench::plan_figures),
        help("figures are `throughput`, `p50`, `p95` and `p99`")
    )]
    Figures,
}

impl Plan {
    /// Ten pairs, with throughput and the median to be told: enough for a difference of 5 %.
    /// The 99th percentile is shown, and needs [`Plan::for_tails`].
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            pairs: 10,
            spare: 5,
            metrics: vec![Metric::Throughput, Metric::P50, Metric::P99],
            alpha: 0.01,
            threshold: 0.03,
            canary_limit: 0.1,
        }
    }

    /// Twenty pairs, which can tell of the 99th percentile too.
    pub fn for_tails(seed: u64) -> Self {
        Self {
            pairs: Metric::P99.pairs_needed(),
            spare: 10,
            ..Self::new(seed)
        }
    }

    /// The order of its blocks.
    pub fn schedule(&self) -> Schedule {
        Schedule::new(self.seed, self.pairs, self.spare)
    }

    /// The figures that so many pairs can tell of. The others are shown and not tested:
    /// they would only cost the tested ones their power.
    pub fn tested(&self) -> impl Iterator<Item = Metric> + Clone {
        let pairs = self.pairs;
        self.metrics
            .iter()
            .copied()
            .filter(move |it| it.pairs_needed() <= pairs)
    }

    /// Says whether this plan can come to a verdict at all.
    ///
    /// # Errors
    /// Fails with what stands against it, and how many pairs would do.
    pub fn check(&self) -> Result<(), PlanError> {
        self.check_bounds()?;
        let twice =
            (1..self.metrics.len()).any(|at| self.metrics[..at].contains(&self.metrics[at]));
        let Some(needed) = self.metrics.iter().map(|it| it.pairs_needed()).min() else {
            return Err(PlanError::Figures);
        };
        if twice {
            return Err(PlanError::Figures);
        }
        if self.pairs < needed {
            return Err(PlanError::NothingTold {
                pairs: self.pairs,
                needed,
            });
        }
        let level = self.strictest();
        if least_p(self.pairs) < level {
            return Ok(());
        }
        Err(PlanError::CannotFire {
            pairs: self.pairs,
            least: least_p(self.pairs),
            level,
            needed: (self.pairs..=MOST_PAIRS)
                .find(|pairs| least_p(*pairs) < level)
                .unwrap_or(MOST_PAIRS),
        })
    }

    /// The level that the smallest p of all tested figures must lie below: Holm's correction
    /// at its strictest.
    pub(super) fn strictest(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "there are four figures")]
        let figures = self.tested().count().max(1) as f64;
        self.alpha / figures
    }

    fn check_bounds(&self) -> Result<(), PlanError> {
        let out = |name, value, bounds| {
            Err(PlanError::OutOfBounds {
                name,
                value,
                bounds,
            })
        };
        #[expect(clippy::cast_precision_loss, reason = "told to a person")]
        let pairs = self.pairs as f64;
        if !(1..=MOST_PAIRS).contains(&self.pairs) {
            return out("pairs", pairs, "from 1 to 200");
        }
        if !(self.alpha > 0.0 && self.alpha <= 0.1) {
            return out("alpha", self.alpha, "above 0 and at most 0.1");
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return out("threshold", self.threshold, "from 0 to 1");
        }
        if !(self.canary_limit > 0.0 && self.canary_limit <= 1.0) {
            return out("canary_limit", self.canary_limit, "above 0 and at most 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_that_come_with_it_can_fire() {
        assert_eq!(Plan::new(1).check(), Ok(()));
        assert_eq!(Plan::for_tails(1).check(), Ok(()));
    }

    #[test]
    fn ten_pairs_test_no_tail() {
        let ten: Vec<_> = Plan::new(1).tested().collect();
        assert_eq!(ten, [Metric::Throughput, Metric::P50]);
        assert_eq!(Plan::for_tails(1).tested().count(), 3);
    }

    #[test]
    fn a_plan_that_could_never_fire_is_refused() {
        let plan = Plan {
            pairs: 5,
            ..Plan::new(1)
        };
        let error = plan.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "5 pairs cannot tell anything: their least p is 0.0079, and the rule asks for \
             less than 0.0050"
        );
        assert!(matches!(error, PlanError::CannotFire { needed: 6, .. }));
    }

    #[test]
    fn a_tail_alone_needs_its_pairs() {
        let plan = Plan {
            metrics: vec![Metric::P99],
            ..Plan::new(1)
        };
        let expected = PlanError::NothingTold {
            pairs: 10,
            needed: 20,
        };
        assert_eq!(plan.check(), Err(expected));
    }

    #[test]
    fn absurd_numbers_are_named() {
        let plan = |change: fn(&mut Plan)| {
            let mut plan = Plan::new(1);
            change(&mut plan);
            plan.check().map_err(|error| error.to_string())
        };
        let said = [
            plan(|it| it.pairs = 0),
            plan(|it| it.alpha = f64::NAN),
            plan(|it| it.threshold = -0.1),
            plan(|it| it.canary_limit = 0.0),
            plan(|it| it.metrics.clear()),
            plan(|it| it.metrics.push(Metric::P50)),
        ];
        let said: Vec<String> = said.into_iter().map(Result::unwrap_err).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
