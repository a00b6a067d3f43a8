//! A benchmark with everything a benchmark can have: closed and open loops, a void
//! window, a search, missed budgets. Its figures are those of a queue with one server
//! (M/M/1), where time in the system is exponential with rate capacity less load.

use lab_model::{
    benchmark::{
        ArrivalKind, BatchCount, BenchmarkSummary, Bucket, Found, Generator, Highest,
        LatencyMicros, Offered, OpenLoop, Point, Second, ServerTimes, ServerUse, Tried,
    },
    budget::{Bound, Check, Load, Missed},
    event::{Fact, WindowMeasured},
    progress::{Doing, Task},
    stage::Stage,
    void::Void,
};

use crate::stream::{Stream, failed};

const WORKLOAD: &str = "digits-load";
const TARGET: &str = "POST /v2/models/digits/infer";
/// Answers a second that the server can give at most.
const CAPACITY: f64 = 1_400.0;
/// Seconds of a window.
const SECONDS: u32 = 6;
/// Ranges of a histogram.
const RANGES: i32 = 30;

pub(crate) fn benchmark(stream: &mut Stream) {
    let since = stream.start(Stage::Benchmark);
    let mut points: Vec<_> = [(1, 640.0), (4, 1_190.0), (16, 1_380.0)]
        .map(|(concurrency, throughput)| closed(concurrency, throughput))
        .into();
    points.extend([200.0, 500.0, 800.0, 1_000.0, 1_200.0, 1_300.0, 1_375.0].map(open));
    points.push(void());
    // What the first is known by is less than all of it.
    points[0].used = None;
    points[1].server = None;
    let of = Some(points.len());
    for (number, point) in (1..).zip(&points) {
        window(stream, number, of, point);
    }
    let tried = [
        (966.0, true),
        (1_173.0, true),
        (1_276.0, true),
        (1_328.0, false),
    ];
    let tried: Vec<_> = tried.map(|(rate, held)| tried_at(rate, held)).into();
    for (number, one) in (1..).zip(&tried) {
        window(stream, number, None, &open(one.rate));
    }
    let missed = Missed::Check(Check {
        load: Load::Rate(1_375.0),
        bound: Bound::MaxP99Micros,
        budget: 50_000.0,
        figure: Some(184_206.8),
        passed: false,
    });
    stream.fact(Fact::BenchmarkFinished(BenchmarkSummary {
        workload: WORKLOAD.to_owned(),
        target: TARGET.to_owned(),
        batch_size: 1,
        points,
        generators: None,
        highest: Some(Highest {
            p99_micros: 50_000.0,
            found: Found::Rate { rate: 1_276.0 },
            tried,
        }),
        missed: vec![missed],
    }));
    stream.end(Stage::Benchmark, since, failed("1 budget was missed"));
}

/// The benchmark of a run that was killed within it: no more than its first windows.
pub(crate) fn cut(stream: &mut Stream) {
    stream.start(Stage::Benchmark);
    window(stream, 1, Some(3), &closed(1, 640.0));
    window(stream, 2, Some(3), &open(500.0));
}

/// What tries to break out of whatever shows it, in every text a benchmark has.
pub(crate) fn hostile(stream: &mut Stream, text: &str) {
    let mut point = open(200.0);
    point.histogram.clear();
    point.series.clear();
    point.server = None;
    let mut void = point.clone();
    void.void.push(Void::Told(text.to_owned()));
    stream.fact(Fact::BenchmarkFinished(BenchmarkSummary {
        workload: text.to_owned(),
        target: text.to_owned(),
        batch_size: 1,
        points: vec![point, void],
        generators: None,
        highest: None,
        missed: vec![Missed::Told(text.to_owned())],
    }));
}

/// A window, told as it begins, while it runs, and when it has ended.
fn window(stream: &mut Stream, number: usize, of: Option<usize>, point: &Point) {
    let task = Task::Window { number, of };
    let offered = point.offered;
    stream.progress(task.clone(), Doing::WarmsUp { offered }, [0, 6, 8]);
    stream.wait(5_000);
    let now = Doing::Measures {
        offered,
        seconds: 3,
        of_seconds: 6.0,
        answers: 1_480,
        errors: 0,
    };
    stream.progress(task, now, [3, 6, 3]);
    stream.wait(3_000);
    stream.fact(Fact::WindowMeasured(WindowMeasured {
        workload: WORKLOAD.to_owned(),
        target: TARGET.to_owned(),
        number,
        of,
        point: Box::new(point.clone()),
    }));
}

fn tried_at(rate: f64, held: bool) -> Tried {
    Tried {
        rate,
        p50: quantiles(mean(rate)).p50,
        p99: quantiles(mean(rate)).p99,
        errors: 0,
        held,
        void: false,
    }
}

/// Mean time in the system at a load, microseconds.
fn mean(rate: f64) -> f64 {
    1e6 / (CAPACITY - rate)
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Quantiles of an exponential distribution.
fn quantiles(mean: f64) -> LatencyMicros {
    let at = |left: f64| rounded(-mean * left.ln());
    LatencyMicros {
        p50: at(0.5),
        p90: Some(at(0.1)),
        p95: at(0.05),
        p99: at(0.01),
        p999: Some(at(0.001)),
        p9999: None,
        max: at(0.0002),
    }
}

/// Answers of an exponential distribution in ranges, each 1.26 times as wide as the last.
fn histogram(mean: f64, answers: f64) -> Vec<Bucket> {
    let end = |range: i32| mean / 50.0 * 1.26_f64.powi(range);
    (1..=RANGES)
        .map(|range| {
            let within = (-end(range - 1) / mean).exp() - (-end(range) / mean).exp();
            Bucket {
                up_to: rounded(end(range)),
                count: whole(answers * within),
            }
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made up, small and positive"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

fn series(rate: f64, latency: LatencyMicros) -> Vec<Second> {
    [1.0, 0.97, 1.02, 0.91, 1.06, 1.01]
        .map(|wave| Second {
            answers: whole(rate * wave),
            errors: 0,
            p50: rounded(latency.p50 / wave),
            p99: rounded(latency.p99 * (2.0 - wave)),
        })
        .into()
}

fn point(offered: Offered, throughput: f64, mean: f64) -> Point {
    let latency = quantiles(mean);
    let answers = throughput * f64::from(SECONDS);
    let requests = whole(answers);
    Point {
        offered,
        requests,
        errors: 0,
        seconds: f64::from(SECONDS),
        throughput,
        latency,
        open: None,
        steady: true,
        void: Vec::new(),
        generator: Generator {
            count: 1,
            cpu_seconds: rounded(answers * 8e-6 * 1e3) / 1e3,
            cpu_micros_per_request: 8.0,
            bytes_sent: requests * 412,
            bytes_received: requests * 318,
            stolen: Some(0.004),
        },
        server: Some(server(requests, mean)),
        used: Some(ServerUse {
            cores: rounded(1.5 * throughput / CAPACITY),
            memory_bytes: 241_172_480,
        }),
        series: series(throughput, latency),
        histogram: histogram(mean, answers),
    }
}

fn server(inferences: u64, mean: f64) -> ServerTimes {
    let work = 1e6 / CAPACITY;
    let queue = rounded((0.65 * mean - work).max(4.0));
    ServerTimes {
        inferences,
        executions: inferences * 3 / 4,
        queue,
        compute_input: 38.0,
        compute_infer: rounded(0.6 * work),
        compute_output: 21.0,
        request: rounded(queue + 0.6 * work + 38.0 + 21.0 + 17.0),
        batches: vec![
            BatchCount {
                size: 1,
                count: inferences / 2,
            },
            BatchCount {
                size: 2,
                count: inferences / 4,
            },
        ],
    }
}

fn closed(concurrency: u32, throughput: f64) -> Point {
    // Little's law: the time of a request is those in flight by those answered.
    let mean = 1e6 * f64::from(concurrency) / throughput;
    point(Offered::Closed { concurrency }, throughput, mean)
}

fn open(rate: f64) -> Point {
    let offered = Offered::Open {
        arrivals: ArrivalKind::Poisson,
        rate,
    };
    let mut point = point(offered, rate, mean(rate));
    point.steady = rate < 1_350.0;
    point.open = Some(OpenLoop {
        service: quantiles(0.97 * mean(rate)),
        lag: LatencyMicros {
            p9999: None,
            ..quantiles(3.0)
        },
        held: 0,
        realtime: true,
    });
    point
}

/// A window in which the generator itself was the bottle-neck.
fn void() -> Point {
    let mut point = open(1_390.0);
    point.offered = Offered::Open {
        arrivals: ArrivalKind::Constant,
        rate: 4_000.0,
    };
    point.errors = 612;
    point.generator.cpu_seconds = 3.4;
    point.void = vec![Void::Busy {
        used: 0.57,
        most: 0.5,
    }];
    if let Some(second) = point.series.get_mut(3) {
        second.errors = 612;
    }
    point
}
