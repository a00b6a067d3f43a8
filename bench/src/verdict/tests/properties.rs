//! What holds for all runs.

use proptest::prelude::*;

use super::machine::complete;
use crate::verdict::{Outcome, Plan, Sample, mann_whitney};

fn values() -> impl Strategy<Value = Vec<f64>> {
    // Few different values, so that ties are common.
    prop::collection::vec((1_u32..40).prop_map(f64::from), 1..14)
}

fn sample() -> impl Strategy<Value = Sample> {
    (900.0..1100.0, 90.0..110.0, 1.0..1.5, 1.5..3.0).prop_map(|(throughput, p50, p95, p99)| {
        Sample {
            throughput,
            p50_micros: p50,
            p95_micros: p50 * p95,
            p99_micros: p50 * p99,
            server: None,
            client_micros: None,
            cold_start_micros: None,
        }
    })
}

/// Ten pairs whose sides lie so far apart that every outcome comes about.
fn pairs() -> impl Strategy<Value = Vec<(Sample, Sample)>> {
    let ten = prop::collection::vec((sample(), sample()), 10);
    (ten, 0.8..1.25).prop_map(|(mut pairs, ratio)| {
        for (_, b) in &mut pairs {
            *b = scaled(b, ratio, 1.0 / ratio);
        }
        pairs
    })
}

fn scaled(sample: &Sample, latency: f64, throughput: f64) -> Sample {
    Sample {
        throughput: sample.throughput * throughput,
        p50_micros: sample.p50_micros * latency,
        p95_micros: sample.p95_micros * latency,
        p99_micros: sample.p99_micros * latency,
        ..*sample
    }
}

fn turned(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Faster => Outcome::Slower,
        Outcome::Slower => Outcome::Faster,
        other => other,
    }
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

proptest! {
    #[test]
    fn p_is_a_share_and_knows_no_side(a in values(), b in values()) {
        let p = mann_whitney(&a, &b);
        prop_assert!(p > 0.0 && p <= 1.0);
        prop_assert!(near(p, mann_whitney(&b, &a)));
    }

    #[test]
    fn p_knows_no_unit(a in values(), b in values()) {
        let scaled = |values: &[f64]| values.iter().map(|it| it * 8.0 + 3.0).collect::<Vec<_>>();
        prop_assert!(near(mann_whitney(&a, &b), mann_whitney(&scaled(&a), &scaled(&b))));
    }

    #[test]
    fn p_knows_no_order(a in values(), b in values()) {
        let backwards: Vec<f64> = a.iter().rev().copied().collect();
        prop_assert!(near(mann_whitney(&a, &b), mann_whitney(&backwards, &b)));
    }
}

proptest! {
    // A verdict resamples thousands of times.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn swapped_sides_swap_what_is_found(pairs in pairs()) {
        let plan = Plan::new(7);
        let swapped: Vec<_> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
        let one = complete(&plan, &pairs).verdict(None);
        let other = complete(&plan, &swapped).verdict(None);
        for (one, other) in one.findings.iter().zip(&other.findings) {
            prop_assert_eq!(one.outcome, turned(other.outcome));
            prop_assert!(near(one.ratio, 1.0 / other.ratio));
            prop_assert!(near(one.interval.low, 1.0 / other.interval.high));
            prop_assert!(near(one.interval.high, 1.0 / other.interval.low));
        }
    }

    #[test]
    fn another_unit_changes_nothing(pairs in pairs()) {
        let plan = Plan::new(7);
        let scale = |it: &Sample| scaled(it, 1024.0, 0.25);
        let other: Vec<_> = pairs.iter().map(|(a, b)| (scale(a), scale(b))).collect();
        let one = complete(&plan, &pairs).verdict(None);
        let other = complete(&plan, &other).verdict(None);
        prop_assert_eq!(one.outcome, other.outcome);
        for (one, other) in one.findings.iter().zip(&other.findings) {
            prop_assert_eq!(one.outcome, other.outcome);
            prop_assert!(near(one.ratio, other.ratio));
        }
    }

    #[test]
    fn every_finding_keeps_to_its_bounds(pairs in pairs()) {
        let plan = Plan::new(7);
        for it in complete(&plan, &pairs).verdict(None).findings {
            prop_assert!(it.interval.low <= it.ratio && it.ratio <= it.interval.high);
            prop_assert!(it.p.is_none_or(|p| p > 0.0 && p <= 1.0));
            prop_assert_eq!(it.outcome == Outcome::Undecided, it.doubt.is_some());
            prop_assert_eq!(it.p.is_some(), it.detectable.is_some());
            if let Some(seen) = it.detectable {
                prop_assert!(0.0 < seen.power80 && seen.power80 <= seen.power95);
            }
            match it.outcome {
                Outcome::Same => {
                    prop_assert!(1.0 / 1.031 <= it.interval.low && it.interval.high <= 1.031);
                }
                Outcome::Slower | Outcome::Faster => {
                    prop_assert!(it.ratio > 1.03 || it.ratio < 1.0 / 1.03);
                    prop_assert!(it.p.unwrap() < plan.alpha);
                }
                Outcome::Undecided => {}
            }
        }
    }

    #[test]
    fn the_same_runs_give_the_same_verdict(pairs in pairs(), seed: u64) {
        let plan = Plan::new(seed);
        let comparison = complete(&plan, &pairs);
        prop_assert_eq!(comparison.verdict(None), comparison.verdict(None));
    }
}
