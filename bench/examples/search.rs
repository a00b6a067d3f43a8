//! Is the highest rate found? A server that works on each request for a time that is known
//! holds a p99 up to a rate that queueing theory knows; the search must come within 10 %.
//!
//! `cargo run --release -p lab-bench --example search -- 5 20` searches five times for the
//! rate that holds a p99 of 20 ms.
#![expect(clippy::print_stdout, reason = "an example prints what it is for")]

use std::{
    error::Error,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use lab_bench::{
    Server,
    null::NullServer,
    suite::{Bench, Progress},
    trust::Trust,
    workload::Workload,
};
use lab_model::benchmark::{Found, Highest, Offered};
use rand::SeedableRng as _;
use rand_distr::Distribution as _;
use tokio_util::sync::CancellationToken;

/// What the server works on a request, microseconds.
const WORK: u64 = 300;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let times: u32 = arguments.next().map_or(Ok(5), |it| it.parse())?;
    let p99_millis: f64 = arguments.next().map_or(Ok(20.0), |it| it.parse())?;
    let workload = workload(p99_millis)?;
    let server = NullServer::start(Duration::from_micros(WORK))?;
    let server = Server {
        url: server.url(),
        trust: Trust::default(),
    };
    let mut right = 0;
    for turn in 1..=times {
        let began = Instant::now();
        let (ceiling, highest) = search(&workload, &server).await?;
        let truth = ceiling * share(p99_millis * 1e-3 * ceiling);
        let rate = match highest.found {
            Found::Rate { rate } => rate,
            Found::Unconfirmed { .. } | Found::None => 0.0,
        };
        let error = (rate - truth) / truth;
        right += u32::from(error.abs() <= 0.10);
        println!(
            "{turn:>3}  {rate:.0}/s, {:+.1} % from {truth:.0}/s, {:.1} s, {} windows, closed loop {ceiling:.0}/s",
            100.0 * error,
            began.elapsed().as_secs_f64(),
            highest.tried.len()
        );
        for one in highest.tried.iter().filter(|_| rate == 0.0) {
            println!("     {one:?}");
        }
    }
    println!("{right} of {times} within 10 %");
    Ok(if right == times {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What a closed loop brought, right answers a second, and what was found.
async fn search(workload: &Workload, server: &Server) -> Result<(f64, Highest), Box<dyn Error>> {
    let bench = Bench {
        workload,
        server,
        behind: None,
        cancel: &CancellationToken::new(),
    };
    let mut ceiling = 0.0;
    let measured = bench
        .run(|progress| {
            if let Progress::Ended { point } = progress
                && let Offered::Closed { .. } = point.offered
            {
                ceiling = point.throughput;
            }
        })
        .await?;
    let highest = measured.summary.highest.ok_or("nothing was searched")?;
    Ok((ceiling, highest))
}

/// The share of its capacity at which a server with one worker and equal requests, M/D/1,
/// answers 99 of 100 within so many service times: by Lindley's recursion, The theory of
/// queues with a single server, 1952.
fn share(service_times: f64) -> f64 {
    let (mut holds, mut fails) = (0.0, 1.0);
    while fails - holds > 1e-3 {
        let share = f64::midpoint(holds, fails);
        if p99(share) <= service_times {
            holds = share;
        } else {
            fails = share;
        }
    }
    holds
}

/// In service times.
fn p99(share: f64) -> f64 {
    const REQUESTS: usize = 1_000_000;
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    let gaps = rand_distr::Exp::new(share).expect("a share is above 0");
    let mut waits = Vec::with_capacity(REQUESTS);
    let mut wait = 0.0_f64;
    for _ in 0..REQUESTS {
        waits.push(wait);
        wait = (wait + 1.0 - gaps.sample(&mut random)).max(0.0);
    }
    let (_, p99, _) = waits.select_nth_unstable_by(REQUESTS / 100 * 99, f64::total_cmp);
    *p99 + 1.0
}

fn workload(p99_millis: f64) -> Result<Workload, Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/search.toml");
    let mut workload = Workload::load(&file)?;
    let search = workload.search.as_mut().ok_or("nothing to search")?;
    search.p99_micros = 1e3 * p99_millis;
    Ok(workload)
}
