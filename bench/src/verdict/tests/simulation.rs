//! False alarms and power over seeded comparisons, each with a machine of its own.
//!
//! Counts are printed: `cargo test -p lab-bench simulation -- --nocapture`.

use super::machine::{Effect, Machine, borrowed, complete};
use crate::verdict::{Metric, Outcome, Plan, Sample, Stage, neighbours};

/// How many of so many comparisons call any figure slower, and how many faster.
fn called(plan: &Plan, gates: u64, effect: Effect) -> (usize, usize) {
    called_after(plan, gates, effect, |_, _| {})
}

/// The same, where something happens to each run; it is given the run's number.
fn called_after(
    plan: &Plan,
    gates: u64,
    effect: Effect,
    happens: impl Fn(usize, &mut Sample),
) -> (usize, usize) {
    let (mut slower, mut faster) = (0, 0);
    let mut number = 0;
    for seed in 0..gates {
        let mut pairs = Machine::new(seed).pairs(plan.pairs, effect);
        for run in pairs.iter_mut().flat_map(|(a, b)| [a, b]) {
            number += 1;
            happens(number, run);
        }
        let tested = plan.test(&borrowed(&pairs));
        let any = |outcome| usize::from(tested.iter().any(|it| it.moved == Some(outcome)));
        slower += any(Outcome::Slower);
        faster += any(Outcome::Faster);
    }
    println!(
        "{} pairs, {effect:?}: slower in {slower}, faster in {faster} of {gates}",
        plan.pairs
    );
    (slower, faster)
}

#[test]
fn figures_in_whole_microseconds_change_nothing() {
    // A median of 100 µs, so that ties are everywhere.
    let whole = |_, run: &mut Sample| {
        for micros in [&mut run.p50_micros, &mut run.p99_micros] {
            *micros = (*micros / 20.0).round();
        }
    };
    let plan = Plan::new(0);
    let (slower, faster) = called_after(&plan, 400, Effect::NONE, whole);
    assert!(slower + faster <= 4);
    let (slower, _) = called_after(&plan, 400, Effect::SERVICE_5, whole);
    assert!(slower >= 380);
}

#[test]
fn a_disturbed_run_in_nineteen_raises_no_alarm_and_hides_nothing() {
    let disturbed = |number: usize, run: &mut Sample| {
        if number.is_multiple_of(19) {
            run.throughput *= 0.7;
            run.p50_micros *= 1.4;
            run.p99_micros *= 3.0;
        }
    };
    let plan = Plan::new(0);
    let (slower, faster) = called_after(&plan, 400, Effect::NONE, disturbed);
    assert!(slower + faster <= 4);
    let (slower, _) = called_after(&plan, 400, Effect::SERVICE_5, disturbed);
    assert!(slower >= 380);
}

#[test]
fn equal_servers_are_called_different_in_one_of_a_hundred_at_most() {
    for plan in [Plan::new(0), Plan::for_tails(0)] {
        let (slower, faster) = called(&plan, 1000, Effect::NONE);
        assert!(slower + faster <= 10, "{} pairs", plan.pairs);
    }
}

#[test]
fn the_test_alone_keeps_its_level() {
    let plan = Plan {
        threshold: 0.0,
        ..Plan::for_tails(0)
    };
    let (slower, faster) = called(&plan, 1000, Effect::NONE);
    assert!(slower + faster <= 10);
}

#[test]
fn five_percent_more_service_time_is_seen_in_nineteen_of_twenty() {
    for plan in [Plan::new(0), Plan::for_tails(0)] {
        let (slower, faster) = called(&plan, 400, Effect::SERVICE_5);
        assert!(slower >= 380, "{} pairs", plan.pairs);
        assert_eq!(faster, 0);
    }
}

#[test]
fn ten_percent_more_service_time_is_always_seen() {
    assert_eq!(called(&Plan::new(0), 400, Effect::SERVICE_10), (400, 0));
}

#[test]
fn a_difference_below_the_threshold_is_seldom_called_one() {
    let (slower, faster) = called(&Plan::new(0), 400, Effect::SERVICE_2);
    assert!(slower <= 40);
    assert_eq!(faster, 0);
}

#[test]
fn same_is_said_of_equals_and_of_hardly_anything_else() {
    let plan = Plan::new(0);
    let same = |effect| {
        let verdicts = (0..25).map(|seed| {
            let pairs = Machine::new(seed).pairs(plan.pairs, effect);
            complete(&plan, &pairs).verdict(None)
        });
        verdicts.filter(|it| it.outcome == Outcome::Same).count()
    };
    let (equal, unlike) = (same(Effect::NONE), same(Effect::latency(1.03)));
    println!("same: {equal} of 25 equal, {unlike} of 25 with 3 % more latency");
    assert!(equal >= 20, "{equal} of 25");
    assert!(unlike <= 1, "{unlike} of 25");
}

#[test]
fn the_smallest_detectable_effect_is_seen_as_often_as_it_says() {
    for (plan, metric) in [
        (Plan::new(0), Metric::P50),
        (Plan::new(0), Metric::Throughput),
        (Plan::for_tails(0), Metric::P99),
    ] {
        let told: Vec<f64> = (0..24)
            .filter_map(|seed| {
                let pairs = Machine::new(seed).pairs(plan.pairs, Effect::NONE);
                Some(plan.detectable(metric, &borrowed(&pairs))?.power80)
            })
            .collect();
        let usual = crate::verdict::median(&told).unwrap();
        let mut effect = Effect::NONE;
        match metric {
            Metric::Throughput => effect.throughput = 1.0 - usual,
            Metric::P99 => effect.p99 = 1.0 + usual,
            _ => effect.p50 = 1.0 + usual,
        }
        let seen = (1000..1400)
            .filter(|seed| {
                let pairs = Machine::new(*seed).pairs(plan.pairs, effect);
                let tested = plan.test(&borrowed(&pairs));
                tested
                    .iter()
                    .any(|it| it.metric == metric && it.moved == Some(Outcome::Slower))
            })
            .count();
        println!("{metric}: {:.1} % is seen in {seen} of 400", usual * 100.0);
        assert!((272..=368).contains(&seen), "{metric}: {seen} of 400");
    }
}

#[test]
fn the_stage_that_changed_is_named() {
    let plan = Plan::new(0);
    for (stage, by) in [
        (Stage::Queue, 0.06),
        (Stage::Compute, 0.06),
        (Stage::Compute, -0.06),
        (Stage::Output, 0.06),
        (Stage::Network, 0.06),
    ] {
        let named = (0..200)
            .filter(|seed| {
                let pairs = Machine::new(*seed).staged(plan.pairs, stage, by);
                let attribution = plan.attribute(&borrowed(&pairs)).unwrap();
                attribution.explained_by.is_some_and(|it| it.stage == stage)
            })
            .count();
        println!("{} {by:+}: named in {named} of 200", stage.word());
        assert!(named >= 190, "{}: {named} of 200", stage.word());
    }
}

#[test]
fn no_stage_is_named_where_none_slowed() {
    let plan = Plan::new(0);
    let named = (0..200)
        .filter(|seed| {
            let pairs = Machine::new(*seed).staged(plan.pairs, Stage::Queue, 0.0);
            let attribution = plan.attribute(&borrowed(&pairs));
            attribution.is_some_and(|it| it.explained_by.is_some())
        })
        .count();
    assert!(named <= 2, "{named} of 200");
}

#[test]
fn a_calibration_counts_false_alarms() {
    let plan = Plan::new(0);
    let pairs = Machine::new(3).pairs(20, Effect::NONE);
    let measured = plan.false_alarms(&borrowed(&pairs), 300).unwrap();
    assert_eq!((measured.gates, measured.pairs), (300, 20));
    assert!(measured.alarms <= 3, "{measured:?}");
}

#[test]
fn a_calibration_can_find_alarms() {
    let plan = Plan {
        alpha: 0.1,
        threshold: 0.0,
        ..Plan::new(0)
    };
    let pairs = Machine::new(3).pairs(20, Effect::NONE);
    let measured = plan.false_alarms(&borrowed(&pairs), 300).unwrap();
    assert!((3..=30).contains(&measured.alarms), "{measured:?}");
}

#[test]
fn a_short_calibration_is_refused() {
    let runs: Vec<_> = Machine::new(3)
        .pairs(18, Effect::NONE)
        .into_iter()
        .map(|(a, _)| a)
        .collect();
    let equal = neighbours(&runs);
    let error = Plan::new(0).false_alarms(&equal, 300).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a calibration of 9 pairs cannot stand for comparisons of 10"
    );
}
