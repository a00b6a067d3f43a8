//! One window of load against an address, for comparisons with other tools.
//!
//! `cargo run --release -p lab-bench --example load -- http://127.0.0.1:8000/v2/models/null/infer 8 2`
//! takes an address (`null` starts a server that answers at once; with `https://`, `SSL_CERT_FILE`
//! names the certificate of the server's authority), connections, seconds
//! and, for an open loop of constant arrivals, requests a second. It prints one line:
//! right answers a second, CPU microseconds a request, p50, p99, lag p50 and lag p99 in
//! microseconds, errors, resident memory in MB.
#![expect(clippy::print_stdout, reason = "an example prints what it is for")]

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method};
use lab_bench::{
    load::{Arrivals, Course, Pace},
    null::NullServer,
    session::Session,
    target::{Expect, Request, Target},
    trust::Trust,
};
use tokio_util::sync::CancellationToken;

/// 82 bytes, as the other tools are given.
const BODY: &[u8] =
    br#"{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2]}]}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &'static str| arguments.next().ok_or(what);
    let address = next("an address is missing")?;
    let connections = next("the number of connections is missing")?.parse()?;
    let window = Duration::from_secs_f64(next("the seconds are missing")?.parse()?);
    let rate = next("").ok().map(|rate| rate.parse()).transpose()?;
    let null = NullServer::start(Duration::ZERO)?;
    let url = match address.as_str() {
        "null" => format!("{}/v2/models/null/infer", null.url()),
        _ => address,
    };
    let cancel = CancellationToken::new();
    let session = Session::open(&target(url), Duration::from_secs(5), &cancel).await?;
    let course = Course {
        pace: match rate {
            Some(rate) => Pace::Open {
                arrivals: Arrivals::Constant { rate },
                connections,
            },
            None => Pace::Closed { connections },
        },
        warm_up: Duration::from_millis(300),
        settle: Duration::from_millis(300),
        window,
        timeout: Duration::from_secs(10),
        max_requests: u64::MAX,
        seed: 1,
    };
    let point = session.measure(&course, &Arc::default()).await?.point;
    let (middle, tail) = point
        .open
        .map_or((0.0, 0.0), |open| (open.lag.p50, open.lag.p99));
    println!(
        "{:.0} {:.2} {:.1} {:.1} {middle:.1} {tail:.1} {} {:.1}",
        point.throughput,
        point.generator.cpu_micros_per_request,
        point.latency.p50,
        point.latency.p99,
        point.errors,
        resident()?
    );
    Ok(())
}

fn target(url: String) -> Target {
    Target {
        url,
        trust: Trust::default(),
        method: Method::POST,
        headers: HeaderMap::from_iter([(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        )]),
        requests: vec![Request {
            headers: HeaderMap::new(),
            body: Bytes::from_static(BODY),
            label: None,
        }],
        expect: Expect::Same,
        min_agreement_percent: 0,
    }
}

/// Most memory this process had, MB.
fn resident() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes
        .ok_or("the kernel tells no VmHWM")?
        .parse::<f64>()?
        / 1024.0)
}
