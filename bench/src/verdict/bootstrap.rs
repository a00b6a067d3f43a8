//! Medians, and how far they may lie from the truth.

use rand::{RngExt, rngs::Xoshiro256PlusPlus};
use serde::{Deserialize, Serialize};

/// How often the values are drawn again.
const RESAMPLES: usize = 2000;

/// Medians left out at either end: 2.5 %, so that 95 % remain.
const LEFT_OUT: usize = RESAMPLES / 40;

/// Where a figure lies with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether all of it lies between two bounds, these included.
    pub fn within(&self, low: f64, high: f64) -> bool {
        low <= self.low && self.high <= high
    }

    /// Both ends through a function; where it turns their order, they are put right.
    pub(super) fn map(self, of: impl Fn(f64) -> f64) -> Self {
        let (one, other) = (of(self.low), of(self.high));
        Self {
            low: one.min(other),
            high: one.max(other),
        }
    }
}

/// The median; none of no values.
pub fn median(values: &[f64]) -> Option<f64> {
    median_in_place(&mut values.to_vec())
}

/// The median, for which the values are reordered.
pub(super) fn median_in_place(values: &mut [f64]) -> Option<f64> {
    let upper_at = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(upper_at, f64::total_cmp);
    let upper = *upper;
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, upper))
}

/// The interval of the median by the percentile bootstrap: the values are drawn again with
/// replacement, and the middle 95 % of the medians seen are kept. None of no values.
///
/// Source: B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
/// The percentile form, not the corrected one: its acceleration comes from leaving one value
/// out, which hardly ever moves a median, so that there is nothing to correct by.
pub(super) fn interval(values: &[f64], random: &mut Xoshiro256PlusPlus) -> Option<Interval> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let (lower, upper) = (count.checked_sub(1)? / 2, count / 2);
    let mut drawn = vec![0_usize; count];
    let mut medians = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        drawn.fill(0);
        for _ in 0..count {
            drawn[random.random_range(0..count)] += 1;
        }
        let middle = (
            ranked(&sorted, &drawn, lower)?,
            ranked(&sorted, &drawn, upper)?,
        );
        medians.push(f64::midpoint(middle.0, middle.1));
    }
    medians.sort_by(f64::total_cmp);
    // As many left out on either side, so that the interval of the negated values is the
    // negated interval.
    Some(Interval {
        low: medians[LEFT_OUT],
        high: medians[RESAMPLES - 1 - LEFT_OUT],
    })
}

/// The value at a place, from 0, when each of the sorted values stands as often as it was drawn.
fn ranked(sorted: &[f64], drawn: &[usize], place: usize) -> Option<f64> {
    let mut seen = 0;
    let found = sorted.iter().zip(drawn).find(|(_, times)| {
        seen += **times;
        seen > place
    });
    found.map(|(value, _)| *value)
}

/// The value that a share of the sorted values does not exceed.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a few thousand values"
)]
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1).min(last)).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_distr::{Distribution, Normal};

    use super::*;
    use crate::verdict::random::{Purpose, stream};

    #[test]
    fn medians_are_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn quantiles_are_the_least_values_that_reach_their_share() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(quantile(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile(&sorted, 0.8), Some(4.0));
        assert_eq!(quantile(&sorted, 1.0), Some(5.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn nineteen_of_twenty_intervals_hold_the_truth() {
        let noise = Normal::new(0.0, 0.02).unwrap();
        let mut random = stream(5, Purpose::Interval);
        for pairs in [10, 20] {
            let held = (0..100)
                .filter(|_| {
                    let values: Vec<f64> = (0..pairs).map(|_| noise.sample(&mut random)).collect();
                    let seen = interval(&values, &mut random).unwrap();
                    seen.low <= 0.0 && 0.0 <= seen.high
                })
                .count();
            assert!((90..=99).contains(&held), "{held} of 100 with {pairs}");
        }
    }

    proptest! {
        // Each resamples thousands of times.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn an_interval_lies_in_its_values_and_follows_their_scale(
            values in prop::collection::vec(-9.0..9.0, 1..12),
        ) {
            let seen = interval(&values, &mut stream(1, Purpose::Interval)).unwrap();
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(seen.low <= seen.high);
            prop_assert!(low <= seen.low && seen.high <= high);

            let doubled: Vec<f64> = values.iter().map(|it| it * 2.0).collect();
            let wider = interval(&doubled, &mut stream(1, Purpose::Interval)).unwrap();
            prop_assert_eq!(wider, seen.map(|it| it * 2.0));
        }
    }
}
