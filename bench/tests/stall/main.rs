//! A stall is told, by an open loop: with few requests, so that a slow machine drains
//! what waited at once, and alone, so that no other test takes the machine meanwhile.
//! `cargo run --release -p lab-bench --example stall` has the load
//! that the README tells of.

use std::time::Duration;

use lab_bench::stall::Stall;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_shows_in_the_quantiles() {
    let stall = Stall {
        rate: 100.0,
        window: Duration::from_secs(4),
        after: Duration::from_secs(1),
        pause: Duration::from_secs(1),
    };
    let (point, compared) = stall.run().await.unwrap();
    assert_eq!(point.errors, 0);
    // Nothing is left out: the schedule says how many there are.
    assert_eq!(point.requests, 400);
    assert_eq!(compared.len(), 2);
    for one in compared {
        assert!(one.error() <= 0.1, "{one:?}");
    }
    // What a tool that does not count from when a request was due would tell.
    let service = point.open.unwrap().service;
    assert!(
        service.p90.unwrap() < 0.05 * point.latency.p90.unwrap(),
        "{service:?}"
    );
}
