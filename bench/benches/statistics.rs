//! Costs of what runs beside the load: merging tallies, encoding events.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use lab_bench::record::Tally;
use lab_model::event::{Event, Evidence, Fact};
use lab_model::stage::Stage;

fn tally() -> Tally {
    let mut tally = Tally::new();
    for turn in 0_u64..10_000 {
        tally.right(800_000 + (turn * 7_919_000) % 4_000_000);
    }
    tally
}

fn event() -> Event {
    Event {
        seq: 1,
        time: Timestamp::UNIX_EPOCH,
        elapsed_ms: 1234,
        fact: Fact::EvidenceCollected {
            stage: Stage::Verify,
            evidence: Evidence {
                source: "GET /v2/models/digits/ready".to_owned(),
                text: "200 OK\n".repeat(20),
            },
        },
    }
}

fn statistics(criterion: &mut Criterion) {
    let one = tally();
    criterion.bench_function("merge 16 tallies", |bencher| {
        bencher.iter(|| {
            let mut merged = Tally::new();
            for _ in 0..16 {
                merged.merge(black_box(&one));
            }
            merged.latency()
        });
    });
    let event = event();
    criterion.bench_function("encode an event", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&event)));
    });
}

criterion_group!(benches, statistics);
criterion_main!(benches);
