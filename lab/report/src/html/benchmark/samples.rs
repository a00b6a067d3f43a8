//! Windows for tests.

use lab_model::benchmark::{ArrivalKind, Generator, LatencyMicros, Offered, Point, ServerTimes};

/// A window of an open loop that nothing is wrong with.
pub(super) fn point(rate: f64) -> Point {
    Point {
        offered: Offered::Open {
            arrivals: ArrivalKind::Poisson,
            rate,
        },
        requests: 500,
        errors: 0,
        seconds: 5.0,
        throughput: rate,
        latency: LatencyMicros {
            p50: 1_000.0,
            p90: Some(1_500.0),
            p95: 2_000.0,
            p99: 4_000.0,
            p999: None,
            p9999: None,
            max: 9_000.0,
        },
        open: None,
        steady: true,
        void: Vec::new(),
        generator: Generator {
            count: 1,
            cpu_seconds: 0.01,
            cpu_micros_per_request: 20.0,
            bytes_sent: 1,
            bytes_received: 1,
            stolen: None,
        },
        server: None,
        used: None,
        series: Vec::new(),
        histogram: Vec::new(),
    }
}

/// A server's times, microseconds: queue, input, model, output, all else.
pub(super) fn server(times: [f64; 5]) -> ServerTimes {
    let [queue, compute_input, compute_infer, compute_output, _] = times;
    ServerTimes {
        inferences: 500,
        executions: 250,
        queue,
        compute_input,
        compute_infer,
        compute_output,
        request: times.iter().sum(),
        batches: Vec::new(),
    }
}
