//! Mann-Whitney's U test: do two samples lie apart, whatever their distributions?
//!
//! Source: H. B. Mann, D. R. Whitney, "On a Test of Whether one of Two Random Variables is
//! Stochastically Larger than the Other", Annals of Mathematical Statistics 18 (1947).

use std::cmp::Ordering;

use statrs::stats_tests::{
    Alternative,
    mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu},
};

/// The most runs on both sides together that are tested exactly: up to here every count
/// of arrangements is a whole number that `f64` holds exactly, `C(56, 28) < 2^53`.
const EXACT_UP_TO: usize = 56;

/// The two-sided p of the hypothesis that neither sample tends to be larger.
///
/// Exact for up to 56 values, ties or not; with more, the normal approximation with
/// corrections for ties and continuity. It is 1 where a sample is empty or holds what is
/// no number.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> f64 {
    if a.is_empty() || b.is_empty() || a.iter().chain(b).any(|it| it.is_nan()) {
        return 1.0;
    }
    if a.len() + b.len() > EXACT_UP_TO {
        let method = MannWhitneyUMethod::AsymptoticInclContinuityCorrection;
        return mannwhitneyu(a, b, method, Alternative::TwoSided).map_or(1.0, |(_, p)| p);
    }
    let ranked = Ranked::of(a, b);
    if ranked.tied {
        two_sided(&arrangements(&ranked.doubled, a.len()), ranked.sum_of_a)
    } else {
        // The rank sum is U and what the smallest ranks add up to.
        let u = (ranked.sum_of_a - a.len() * (a.len() + 1)) / 2;
        two_sided(&untied(a.len(), b.len()), u)
    }
}

/// The least p that so many runs a side can reach: all of one side beyond all of the other.
pub fn least_p(runs: usize) -> f64 {
    // 2 / C(2n, n), factor by factor.
    (1..=runs).fold(2.0, |p, k| p * count(k) / count(runs + k))
}

/// The largest U that is significant with so many runs a side, two-sided and without ties;
/// none where no U is.
pub(super) fn critical_u(runs: usize, alpha: f64) -> Option<usize> {
    let counts = untied(runs, runs);
    let total: f64 = counts.iter().sum();
    let mut below = 0.0;
    let reachable = counts.iter().take_while(|arrangements| {
        below += **arrangements;
        2.0 * below / total < alpha
    });
    reachable.count().checked_sub(1)
}

/// Ranks of two samples together. They are doubled, so that the mean ranks of ties are
/// whole numbers.
struct Ranked {
    doubled: Vec<usize>,
    sum_of_a: usize,
    tied: bool,
}

impl Ranked {
    fn of(a: &[f64], b: &[f64]) -> Self {
        let mut pooled: Vec<(f64, bool)> = a.iter().map(|value| (*value, true)).collect();
        pooled.extend(b.iter().map(|value| (*value, false)));
        pooled.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut ranked = Self {
            doubled: Vec::with_capacity(pooled.len()),
            sum_of_a: 0,
            tied: false,
        };
        for equals in
            pooled.chunk_by(|one, other| one.0.partial_cmp(&other.0) == Some(Ordering::Equal))
        {
            let before = ranked.doubled.len();
            let rank = 2 * before + equals.len() + 1;
            ranked.tied |= equals.len() > 1;
            ranked.sum_of_a += rank * equals.iter().filter(|(_, of_a)| *of_a).count();
            ranked.doubled.resize(before + equals.len(), rank);
        }
        ranked
    }
}

/// In how many ways each U comes about without ties, by U: the coefficients of the Gaussian
/// binomial, the product over `i` of `(1 - q^(n2 + i)) / (1 - q^i)`.
fn untied(n1: usize, n2: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n1 * n2 + 1];
    counts[0] = 1.0;
    for i in 1..=n1 {
        for u in (n2 + i..counts.len()).rev() {
            counts[u] -= counts[u - n2 - i];
        }
        for u in i..counts.len() {
            counts[u] += counts[u - i];
        }
    }
    counts
}

/// In how many ways each sum of ranks comes about when `chosen` of the ranks are drawn.
///
/// Source: B. Streitberg, J. Röhmel, "Exact Distributions for Permutation and Rank Tests:
/// An Introduction to Some Recently Published Algorithms", Statistical Software Newsletter
/// 12 (1986): the shift algorithm, which ties do not trouble.
fn arrangements(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let sums: usize = ranks.iter().rev().take(chosen).sum::<usize>() + 1;
    // Row k holds the sums of k ranks.
    let mut counts = vec![0.0; (chosen + 1) * sums];
    counts[0] = 1.0;
    for (seen, rank) in ranks.iter().enumerate() {
        for k in (1..=chosen.min(seen + 1)).rev() {
            let (fewer, these) = counts.split_at_mut(k * sums);
            let fewer = &fewer[(k - 1) * sums..];
            for (count, shifted) in these[*rank..sums].iter_mut().zip(fewer) {
                *count += shifted;
            }
        }
    }
    counts.split_off(chosen * sums)
}

/// Twice the smaller tail, both with the observed value.
fn two_sided(counts: &[f64], observed: usize) -> f64 {
    let total: f64 = counts.iter().sum();
    let low: f64 = counts[..=observed].iter().sum();
    let high: f64 = counts[observed..].iter().sum();
    (2.0 * low.min(high) / total).min(1.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "runs are counted in tens, never near 2^52"
)]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values are those of scipy 1.17.1, `mannwhitneyu` with `method="exact"` or
    // `"asymptotic"`, for ties `permutation_test` over all arrangements.

    fn near(p: f64, expected: f64) {
        assert!((p / expected - 1.0).abs() < 1e-6, "{p} is not {expected}");
    }

    #[test]
    fn ten_against_ten_is_what_scipy_says() {
        let a = [
            100.0, 100.6, 99.45, 98.22, 99.09, 98.02, 100.12, 102.68, 99.02, 98.76,
        ];
        let b = [
            103.48, 103.21, 102.71, 100.64, 102.44, 103.89, 99.81, 101.58, 98.7, 99.92,
        ];
        near(mann_whitney(&a, &b), 0.018_543_376_128_515_45);
    }

    #[test]
    fn twenty_against_twenty_is_what_scipy_says() {
        let a = [
            96.317, 99.53, 97.465, 100.543, 100.314, 99.626, 94.966, 98.923, 99.903, 100.227,
            96.94, 99.044, 98.043, 98.382, 102.122, 98.385, 99.935, 101.769, 98.833, 99.777,
        ];
        let b = [
            102.221, 102.128, 99.55, 102.152, 104.718, 98.906, 103.719, 102.239, 100.717, 106.001,
            103.525, 99.601, 102.149, 103.153, 101.622, 103.366, 101.867, 103.334, 104.877,
            100.649,
        ];
        near(mann_whitney(&a, &b), 1.654_448_624_511_98e-6);
    }

    #[test]
    fn samples_of_unlike_size_are_what_scipy_says() {
        near(
            mann_whitney(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0]),
            0.057_142_857_142_857_14,
        );
        near(
            mann_whitney(&[4.0, 5.0, 6.0, 7.0], &[1.0, 2.0, 3.0]),
            0.057_142_857_142_857_14,
        );
        near(
            mann_whitney(&[1.0, 4.0, 6.0], &[2.0, 3.0, 5.0, 7.0, 8.0]),
            0.571_428_571_428_571_4,
        );
    }

    #[test]
    fn ties_are_exact_too() {
        let a = [118.0, 118.0, 119.0, 120.0, 121.0, 118.0, 117.0];
        let b = [119.0, 121.0, 122.0, 121.0, 123.0, 120.0, 121.0, 124.0];
        near(mann_whitney(&a, &b), 0.008_391_608_391_608_392);
    }

    #[test]
    fn many_runs_are_the_normal_approximation() {
        let a: Vec<f64> = (1..=30).map(f64::from).collect();
        let b: Vec<f64> = a.iter().map(|it| it * 1.01 + 4.3).collect();
        near(mann_whitney(&a, &b), 0.065_671_257_689_126_59);
        let a: Vec<f64> = (0..30).map(|it| f64::from(it % 13)).collect();
        let b: Vec<f64> = (0..34).map(|it| f64::from(it % 17)).collect();
        near(mann_whitney(&a, &b), 0.036_065_192_258_275_404);
    }

    #[test]
    fn nothing_to_compare_is_no_difference() {
        near(mann_whitney(&[], &[1.0]), 1.0);
        near(mann_whitney(&[f64::NAN; 9], &[1.0; 9]), 1.0);
        near(mann_whitney(&[5.0; 10], &[5.0; 10]), 1.0);
    }

    #[test]
    fn both_exact_ways_agree_without_ties() {
        let a = [1.0, 4.0, 5.0, 9.0, 10.0, 11.0];
        let b = [2.0, 3.0, 6.0, 7.0, 8.0];
        let ranked = Ranked::of(&a, &b);
        let shifted = two_sided(&arrangements(&ranked.doubled, a.len()), ranked.sum_of_a);
        near(mann_whitney(&a, &b), shifted);
    }

    #[test]
    fn the_least_p_is_that_of_samples_wholly_apart() {
        for runs in [2_u32, 5, 6, 10, 20] {
            let a: Vec<f64> = (0..runs).map(f64::from).collect();
            let b: Vec<f64> = (100..100 + runs).map(f64::from).collect();
            near(least_p(a.len()), mann_whitney(&a, &b));
        }
    }

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // Two-sided, from the table in Mann and Whitney's paper as it is printed everywhere.
        assert_eq!(critical_u(10, 0.05), Some(23));
        assert_eq!(critical_u(10, 0.01), Some(16));
        assert_eq!(critical_u(20, 0.01), Some(105));
        assert_eq!(critical_u(4, 0.01), None);
    }

    #[test]
    fn critical_values_of_many_runs_near_the_normal_ones() {
        // n²/2 - 2.5758 sqrt(n² (2n + 1) / 12) - 1/2.
        assert!(critical_u(100, 0.01).unwrap().abs_diff(3945) <= 5);
        assert!(critical_u(200, 0.01).unwrap().abs_diff(17_021) <= 10);
    }
}
