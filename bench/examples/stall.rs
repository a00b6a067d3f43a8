//! Is a stall told? A server stands still for 1 s inside 8 s at 2,000 requests a second;
//! p90, p99 and p99.9 must be what arithmetic says, within 5 %.
//!
//! `cargo run --release -p lab-bench --example stall -- 20`
#![expect(clippy::print_stdout, reason = "an example prints what it is for")]

use std::{error::Error, process::ExitCode, time::Duration};

use lab_bench::stall::Stall;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let times: u32 = match std::env::args().nth(1) {
        Some(times) => times.parse()?,
        None => 20,
    };
    let stall = Stall {
        rate: 2000.0,
        window: Duration::from_secs(8),
        after: Duration::from_secs(3),
        pause: Duration::from_secs(1),
    };
    let mut right = 0;
    for turn in 1..=times {
        let (point, compared) = stall.run().await?;
        let is_right = compared.len() == 3 && compared.iter().all(|one| one.error() <= 0.05);
        right += u32::from(is_right);
        let words: Vec<String> = compared
            .iter()
            .map(|one| {
                let percent = 100.0 * one.error();
                format!(
                    "p{} {:.1} ms ({percent:.2} % off)",
                    100.0 * one.quantile,
                    one.measured / 1e3
                )
            })
            .collect();
        let lag = point.open.map_or(0.0, |open| open.lag.p99);
        println!(
            "{turn:>3}  {}  lag p99 {lag:.0} us  errors {}",
            words.join("  "),
            point.errors
        );
    }
    println!("{right} of {times} within 5 %");
    Ok(if right == times {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
