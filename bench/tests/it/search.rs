//! Searches against a null server, with targets that no machine misses or holds.

use std::{path::Path, time::Duration};

use lab_bench::{
    Server,
    null::NullServer,
    suite::Bench,
    trust::Trust,
    workload::{Search, Workload},
};
use lab_model::benchmark::{Found, Highest};
use tokio_util::sync::CancellationToken;

async fn search(p99: Duration) -> Highest {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/search.toml");
    let mut workload = Workload::load(&file).unwrap();
    workload.search = Some(Search {
        p99_micros: 1e6 * p99.as_secs_f64(),
        window: Duration::from_millis(100),
        limit: Duration::from_secs(1),
        connections: 16,
    });
    // So slow that the generator does not tire before it.
    let null = NullServer::start(Duration::from_millis(2)).unwrap();
    let server = Server {
        url: null.url(),
        trust: Trust::default(),
    };
    let bench = Bench {
        workload: &workload,
        server: &server,
        behind: None,
        cancel: &CancellationToken::new(),
    };
    bench.run(|_| {}).await.unwrap().summary.highest.unwrap()
}

#[tokio::test]
async fn what_always_holds_is_raised_until_the_time_is_over() {
    let highest = search(Duration::from_hours(1)).await;
    assert!(highest.tried.iter().all(|one| one.held));
    let rates: Vec<f64> = highest.tried.iter().map(|one| one.rate).collect();
    assert!(rates.is_sorted() && rates.len() > 1, "{rates:?}");
    let rate = rates[rates.len() - 1];
    assert_eq!(highest.found, Found::Unconfirmed { rate });
}

#[tokio::test]
async fn what_never_holds_is_lowered_and_nothing_is_found() {
    let highest = search(Duration::from_micros(10)).await;
    assert!(highest.tried.iter().all(|one| !one.held));
    assert!(highest.tried.len() > 1, "{:?}", highest.tried);
    assert_eq!(highest.found, Found::None);
}
