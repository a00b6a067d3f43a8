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

/// So slow that the generator does not tire before it.
const SERVICE: Duration = Duration::from_millis(2);
const LIMIT: Duration = Duration::from_secs(1);

async fn search(p99: Duration, service: Duration, limit: Duration) -> Highest {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/search.toml");
    let mut workload = Workload::load(&file).unwrap();
    workload.search = Some(Search {
        p99_micros: 1e6 * p99.as_secs_f64(),
        window: Duration::from_millis(100),
        limit,
        connections: 16,
    });
    let null = NullServer::start(service).unwrap();
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
    let highest = search(Duration::from_hours(1), SERVICE, LIMIT).await;
    assert!(highest.tried.iter().all(|one| one.held));
    let rates: Vec<f64> = highest.tried.iter().map(|one| one.rate).collect();
    assert!(rates.is_sorted() && rates.len() > 1, "{rates:?}");
    let rate = rates[rates.len() - 1];
    assert_eq!(highest.found, Found::Unconfirmed { rate });
}

#[tokio::test]
async fn what_never_holds_is_lowered_and_nothing_is_found() {
    let highest = search(Duration::from_micros(10), SERVICE, LIMIT).await;
    assert!(highest.tried.iter().all(|one| !one.held), "{highest:?}");
    assert!(highest.tried.len() > 1, "{:?}", highest.tried);
    assert_eq!(highest.found, Found::None);
}

/// At such a rate hardly a request is due in a window as short as these.
#[tokio::test]
async fn a_window_without_an_answer_holds_nothing() {
    let (slow, limit) = (Duration::from_millis(50), Duration::from_secs(4));
    let highest = search(Duration::from_micros(10), slow, limit).await;
    assert!(highest.tried.iter().all(|one| !one.held), "{highest:?}");
    assert_eq!(highest.found, Found::None);
}
