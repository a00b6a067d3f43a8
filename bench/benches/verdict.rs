//! What a verdict costs once the runs are measured.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lab_bench::verdict::{
    Block, BlockState, Comparison, End, Plan, Sample, ServerMicros, mann_whitney, neighbours,
};

/// A run whose figures wander by some percent, without two alike.
fn run(turn: u32) -> Sample {
    let wander = |step: u32| 1.0 + f64::from((turn * step) % 1009) / 25_000.0;
    Sample {
        throughput: 1980.0 / wander(7919),
        p50_micros: 2000.0 * wander(7907),
        p95_micros: 2300.0 * wander(7901),
        p99_micros: 2900.0 * wander(7883),
        server: Some(ServerMicros {
            queue: 750.0 * wander(7879),
            input: 230.0 * wander(7877),
            infer: 570.0 * wander(7873),
            output: 400.0 * wander(7867),
        }),
        client_micros: Some(5.0),
        cold_start_micros: None,
    }
}

fn comparison(plan: Plan) -> Comparison {
    let schedule = plan.schedule();
    let blocks = (1_u32..).zip(schedule.turns()).take(plan.pairs);
    let blocks = blocks
        .map(|(number, turn)| Block {
            number: number as usize,
            order: turn.order,
            seed: turn.seed,
            a: Some(run(2 * number)),
            b: Some(run(2 * number + 1)),
            canary: Some(250_000.0),
            state: BlockState::Counted,
        })
        .collect();
    Comparison {
        plan,
        blocks,
        end: End::Complete,
    }
}

fn verdict(criterion: &mut Criterion) {
    let values =
        |from: u32| -> Vec<f64> { (from..from + 20).map(|it| run(it).p50_micros).collect() };
    let (a, b) = (values(1), values(21));
    criterion.bench_function("Mann-Whitney's test, 20 against 20", |bencher| {
        bencher.iter(|| mann_whitney(black_box(&a), black_box(&b)));
    });
    let whole = |values: &[f64]| {
        values
            .iter()
            .map(|it| (it / 10.0).round())
            .collect::<Vec<_>>()
    };
    let (tied_a, tied_b) = (whole(&a), whole(&b));
    criterion.bench_function("Mann-Whitney's test, 20 against 20, ties", |bencher| {
        bencher.iter(|| mann_whitney(black_box(&tied_a), black_box(&tied_b)));
    });
    for plan in [Plan::new(1), Plan::for_tails(1)] {
        let name = format!("verdict of {} pairs", plan.pairs);
        let comparison = comparison(plan);
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| black_box(&comparison).verdict(None));
        });
    }
    let runs: Vec<Sample> = (1..81).map(run).collect();
    let equal = neighbours(&runs);
    criterion.bench_function("a calibration's 1000 comparisons of 20 pairs", |bencher| {
        bencher.iter(|| Plan::for_tails(1).false_alarms(black_box(&equal), 1000));
    });
}

criterion_group!(benches, verdict);
criterion_main!(benches);
