//! What people and programs read.

use super::machine::{Effect, Machine, complete};
use crate::record::FailureClass;
use crate::verdict::{
    BlockState, Comparison, Doubt, End, Failure, FalseAlarms, Metric, Outcome, Plan, Sample, Side,
    Stage, Verdict,
};

const CALIBRATED: FalseAlarms = FalseAlarms {
    gates: 1000,
    alarms: 0,
    pairs: 40,
};

fn verdict(plan: &Plan, seed: u64, effect: Effect) -> Verdict {
    let pairs = Machine::new(seed).pairs(plan.pairs, effect);
    complete(plan, &pairs).verdict(Some(CALIBRATED))
}

fn spread(pairs: &mut [(Sample, Sample)], by: f64) {
    for (index, (_, b)) in pairs.iter_mut().enumerate() {
        let factor = if index % 2 == 0 { 1.0 + by } else { 1.0 - by };
        b.throughput *= factor;
        b.p50_micros /= factor;
    }
}

#[test]
fn slower() {
    let verdict = verdict(&Plan::for_tails(42), 2, Effect::SERVICE_5);
    assert_eq!(verdict.outcome, Outcome::Slower);
    insta::assert_snapshot!(verdict);
}

#[test]
fn slower_and_why() {
    let mut pairs = Machine::new(5).staged(10, Stage::Compute, 0.1);
    for (a, b) in &mut pairs {
        a.cold_start_micros = Some(16_200.0);
        b.cold_start_micros = Some(16_900.0);
    }
    let verdict = complete(&Plan::new(42), &pairs).verdict(Some(CALIBRATED));
    insta::assert_snapshot!(verdict);
}

#[test]
fn slower_though_faster() {
    let mut pairs = Machine::new(5).pairs(10, Effect::SERVICE_10);
    for (_, b) in &mut pairs {
        b.throughput *= 1.2;
    }
    let verdict = complete(&Plan::new(42), &pairs).verdict(None);
    insta::assert_snapshot!(verdict);
}

#[test]
fn faster() {
    insta::assert_snapshot!(verdict(&Plan::new(42), 2, Effect::latency(0.9)));
}

#[test]
fn same() {
    insta::assert_snapshot!(verdict(&Plan::new(42), 3, Effect::NONE));
}

#[test]
fn cannot_tell_for_noise() {
    let mut pairs = Machine::new(3).pairs(10, Effect::NONE);
    spread(&mut pairs, 0.08);
    insta::assert_snapshot!(complete(&Plan::new(42), &pairs).verdict(None));
}

#[test]
fn cannot_tell_about_the_threshold() {
    let plan = Plan {
        metrics: vec![Metric::Throughput, Metric::P50],
        ..Plan::for_tails(42)
    };
    let mut pairs = Machine::new(4).pairs(plan.pairs, Effect::NONE);
    for (index, (a, b)) in pairs.iter_mut().enumerate() {
        let ratio = if index % 2 == 0 { 1.02 } else { 1.039 };
        b.throughput = a.throughput / ratio;
        b.p50_micros = a.p50_micros * ratio;
    }
    let verdict = complete(&plan, &pairs).verdict(None);
    assert_eq!(verdict.findings[1].doubt, Some(Doubt::AboutThreshold));
    insta::assert_snapshot!(verdict);
}

#[test]
fn spare_blocks_spent() {
    let pairs = Machine::new(3).pairs(10, Effect::SERVICE_10);
    let mut comparison: Comparison = complete(&Plan::new(42), &pairs);
    comparison.blocks[1].state = BlockState::Void { moved: -0.3 };
    comparison.blocks[4].state = BlockState::Failed {
        side: None,
        reason: Failure::Told("connection refused".to_owned()),
    };
    comparison.end = End::SpareSpent;
    insta::assert_snapshot!(comparison.verdict(None));
}

#[test]
fn in_korean() {
    let slower = complete(
        &Plan::new(42),
        &Machine::new(5).staged(10, Stage::Compute, 0.1),
    );
    let mut noise = Machine::new(3).pairs(10, Effect::NONE);
    spread(&mut noise, 0.08);
    let mut spent = complete(&Plan::new(42), &noise);
    spent.blocks[1].state = BlockState::Void { moved: -0.3 };
    spent.blocks[4].state = BlockState::Failed {
        side: Some(Side::B),
        reason: Failure::Errors {
            errors: 3,
            class: FailureClass::Status(503),
            example: "overloaded".to_owned(),
        },
    };
    spent.end = End::SpareSpent;
    let verdicts = [
        slower.verdict(Some(CALIBRATED)),
        complete(&Plan::new(42), &noise).verdict(None),
        verdict(&Plan::new(42), 3, Effect::NONE),
        spent.verdict(None),
    ];
    let all = verdicts.map(|it| it.korean().to_string());
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn json_tells_all_and_is_read_back() {
    let pairs = Machine::new(5).staged(10, Stage::Queue, 0.1);
    let comparison = complete(&Plan::new(42), &pairs);
    let verdict = comparison.verdict(Some(CALIBRATED));
    let json = serde_json::to_string(&verdict).unwrap();
    assert_eq!(
        serde_json::from_str::<Verdict>(&json).unwrap().conclusion,
        verdict.conclusion
    );
    insta::assert_json_snapshot!(rounded(serde_json::from_str(&json).unwrap()));
}

#[test]
fn a_comparison_is_kept_as_json() {
    let pairs = Machine::new(5).pairs(10, Effect::NONE);
    let comparison = complete(&Plan::new(42), &pairs);
    let json = serde_json::to_string(&comparison).unwrap();
    let read: Comparison = serde_json::from_str(&json).unwrap();
    assert_eq!(read.verdict(None).outcome, comparison.verdict(None).outcome);
    insta::assert_json_snapshot!(rounded(
        serde_json::to_value(&comparison.blocks[0]).unwrap()
    ));
}

/// Logarithms may differ in the last digits between machines.
fn rounded(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) if number.is_f64() => {
            let shown = format!("{:.6}", number.as_f64().unwrap());
            serde_json::from_str(&shown).unwrap()
        }
        Value::Array(all) => all.into_iter().map(rounded).collect(),
        Value::Object(all) => all
            .into_iter()
            .map(|(key, it)| (key, rounded(it)))
            .collect(),
        other => other,
    }
}
