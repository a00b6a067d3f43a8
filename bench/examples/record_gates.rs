//! Records the runs that the verdict's own errors are computed from.
//!
//! `cargo run --release -p lab-bench --example record_gates > bench/baselines/gates.json`
//! measures five null servers in turns, in an order drawn anew each round: one that works
//! 300 us on a request, the same again, and 2, 5 and 10 % more. Takes some seven minutes on
//! a machine that does nothing else.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints what it is for"
)]

use std::{error::Error, sync::Arc, time::Duration};

use lab_bench::{
    load::{Course, Pace},
    null::NullServer,
    session::Session,
    stall,
};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 60;
const WORK: Duration = Duration::from_micros(300);
/// Names, and percent of more work.
const VARIANTS: [(&str, u32); 5] = [("A", 0), ("A2", 0), ("+2%", 2), ("+5%", 5), ("+10%", 10)];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut servers = Vec::new();
    let mut sessions = Vec::new();
    for (_, percent) in VARIANTS {
        let server = NullServer::start(WORK * (100 + percent) / 100)?;
        let target = stall::target(&server);
        let cancel = CancellationToken::new();
        sessions.push(Session::open(&target, Duration::from_secs(5), &cancel).await?);
        servers.push(server);
    }
    let course = Course {
        pace: Pace::Closed { connections: 4 },
        warm_up: Duration::from_millis(250),
        settle: Duration::from_millis(250),
        window: Duration::from_secs(1),
        timeout: Duration::from_secs(10),
        max_requests: u64::MAX,
        seed: 1,
    };
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_125);
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let mut order = [0, 1, 2, 3, 4];
        order.shuffle(&mut chance);
        let mut figures = Map::new();
        for variant in order {
            let point = sessions[variant]
                .measure(&course, &Arc::default())
                .await?
                .point;
            if point.errors > 0 {
                return Err(format!("{} errors in round {round}", point.errors).into());
            }
            let sample = json!({
                "throughput": point.throughput,
                "p50_micros": point.latency.p50,
                "p95_micros": point.latency.p95,
                "p99_micros": point.latency.p99,
            });
            figures.insert(VARIANTS[variant].0.to_owned(), sample);
        }
        eprintln!("round {round} of {ROUNDS}");
        rounds.push(Value::Object(figures));
    }
    let about = "null servers that work 300 us (A, A2), and 2, 5 and 10 % more, on a request; \
                 closed loop of 4, runs of 1 s, in an order drawn anew each round";
    println!(
        "{}",
        serde_json::to_string_pretty(&json!({"about": about, "rounds": rounds}))?
    );
    Ok(())
}
