//! What a benchmark measured.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{budget::Missed, void::Void};

/// The load that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "loop", rename_all = "snake_case")]
pub enum Offered {
    /// A fixed number of connections, each sending its next request when the last was
    /// answered.
    Closed {
        /// Connections in flight at once.
        concurrency: u32,
    },
    /// Requests that are sent when they are due, whatever was answered.
    Open {
        /// How arrivals are spread.
        arrivals: ArrivalKind,
        /// Requests a second, on average over the window.
        rate: f64,
    },
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { concurrency } => write!(f, "{concurrency} at once"),
            Self::Open { arrivals, rate } => write!(f, "{rate:.0}/s {arrivals}"),
        }
    }
}

impl Offered {
    /// What `Display` says in English, in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::Closed { concurrency } => format!("동시 {concurrency}"),
            Self::Open { arrivals, rate } => format!("{rate:.0}/s {}", arrivals.korean()),
        }
    }
}

/// How an open loop's arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalKind {
    /// Evenly.
    Constant,
    /// At random, independent of one another.
    Poisson,
    /// Evenly, at a rate that changes linearly.
    Ramp,
    /// As recorded.
    Replay,
}

impl fmt::Display for ArrivalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
            Self::Ramp => "ramp",
            Self::Replay => "replay",
        })
    }
}

impl ArrivalKind {
    const fn korean(self) -> &'static str {
        match self {
            Self::Constant => "일정",
            Self::Poisson => "포아송",
            Self::Ramp => "증가",
            Self::Replay => "재생",
        }
    }
}

/// One measured window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The load that was offered.
    pub offered: Offered,
    /// Answers to requests that were due within the window.
    pub requests: u64,
    /// Requests that failed or were answered wrongly.
    pub errors: u64,
    /// From the window's start to its last answer, seconds.
    pub seconds: f64,
    /// Right answers per second over that time, those to requests of before included: a
    /// server that takes long is busy with them when the window begins.
    pub throughput: f64,
    /// From when a request was due to its whole answer, microseconds.
    pub latency: LatencyMicros,
    /// What only an open loop has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenLoop>,
    /// Whether the load had become steady before the window began.
    pub steady: bool,
    /// Why the figures say nothing of the server; empty where they do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub void: Vec<Void>,
    /// What the generator used.
    pub generator: Generator,
    /// What the server says of the same window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerTimes>,
    /// What the server used of its machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<ServerUse>,
    /// What happened in each second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Second>,
    /// How often which latency was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<Bucket>,
}

/// What only an open loop has, where being due and being sent are two things.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OpenLoop {
    /// From when a request was sent to its whole answer, microseconds.
    pub service: LatencyMicros,
    /// How late the generator itself sent, microseconds.
    pub lag: LatencyMicros,
    /// Arrivals that waited because every connection allowed was taken.
    pub held: u64,
    /// Whether the generator's thread ran before all that are not real-time, so that it
    /// waited for no processor.
    #[serde(default)]
    pub realtime: bool,
}

/// Quantiles of a distribution of times, microseconds, read from an HDR histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatencyMicros {
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile, where enough was measured to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p999: Option<f64>,
    /// 99.99th percentile, where enough was measured to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p9999: Option<f64>,
    /// Largest value seen.
    pub max: f64,
}

/// What the load generator used within the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// Generators that made the load together.
    pub count: u32,
    /// CPU time of the threads that made the load, seconds.
    pub cpu_seconds: f64,
    /// CPU time per answer, microseconds.
    pub cpu_micros_per_request: f64,
    /// Request bytes written.
    pub bytes_sent: u64,
    /// Answer bytes read.
    pub bytes_received: u64,
    /// The share of its machine's CPU time that the machine's host took away, from 0 to 1,
    /// from before the warm-up to after the last answer; of several, the largest. `None`
    /// where the kernel does not tell, and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stolen: Option<f64>,
}

/// What the server's containers used, from before the warm-up to after the last answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServerUse {
    /// CPU cores, on average.
    pub cores: f64,
    /// Memory after the last answer, bytes.
    pub memory_bytes: u64,
}

/// Where a server's own counters say the time of a request went, microseconds each.
///
/// From Triton's statistics extension, as the difference over the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerTimes {
    /// Inferences it counted.
    pub inferences: u64,
    /// Executions of the model: fewer than inferences where they were batched.
    pub executions: u64,
    /// Waiting for a free instance or a fuller batch.
    pub queue: f64,
    /// Making the input ready.
    pub compute_input: f64,
    /// The model itself.
    pub compute_infer: f64,
    /// Giving out the output.
    pub compute_output: f64,
    /// The whole of a request within the server.
    pub request: f64,
    /// Executions by batch size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<BatchCount>,
}

/// How often a batch of one size was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCount {
    /// Requests in a batch.
    pub size: u64,
    /// Executions.
    pub count: u64,
}

/// One second of a window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Right answers.
    pub answers: u64,
    /// Errors.
    pub errors: u64,
    /// Median latency, microseconds.
    pub p50: f64,
    /// 99th percentile of latency, microseconds.
    pub p99: f64,
}

/// Latencies within one range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// The range's upper end, microseconds; its lower end is that of the bucket before.
    pub up_to: f64,
    /// Right answers within it.
    pub count: u64,
}

/// The highest rate that held a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Highest {
    /// The target: p99 latency in microseconds that must not be exceeded.
    pub p99_micros: f64,
    /// How it ended.
    pub found: Found,
    /// Every rate that was tried, in turn.
    pub tried: Vec<Tried>,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Found {
    /// The highest rate, requests a second, that held each time it was confirmed.
    Rate {
        /// Requests a second.
        rate: f64,
    },
    /// Even the least rate tried did not hold.
    None,
    /// The time ran out before an answer was confirmed; the best so far.
    Unconfirmed {
        /// Requests a second.
        rate: f64,
    },
}

/// One rate of a search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Requests a second.
    pub rate: f64,
    /// p50 latency seen, microseconds; 0 in older records.
    #[serde(default)]
    pub p50: f64,
    /// p99 latency seen, microseconds.
    pub p99: f64,
    /// Errors seen.
    pub errors: u64,
    /// Whether the target held.
    pub held: bool,
    /// Whether the generator itself was so late or busy that a target that did not hold
    /// says nothing of the server, or nothing was answered.
    #[serde(default, skip_serializing_if = "is_not")]
    pub void: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_not(it: &bool) -> bool {
    !*it
}

/// Generators in the cluster that made the load together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Generators {
    /// How many there were; how many made the load of a window is told with it.
    pub count: u32,
    /// Nodes that they ran on.
    pub nodes: u32,
    /// How far their clocks were apart at most, as lab read them, microseconds.
    pub clocks_apart_micros: f64,
    /// How far off each clock may have been read, microseconds.
    pub clocks_within_micros: f64,
}

impl fmt::Display for Generators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u32| if count == 1 { "" } else { "s" };
        write!(
            f,
            "{} generator{} on {} node{} of the cluster; clocks {:.1} ms apart, read to ±{:.1} ms",
            self.count,
            plural(self.count),
            self.nodes,
            plural(self.nodes),
            self.clocks_apart_micros / 1e3,
            self.clocks_within_micros / 1e3
        )
    }
}

impl Generators {
    /// What `Display` says in English, in Korean.
    pub fn korean(&self) -> String {
        format!(
            "클러스터 노드 {}개 위의 발생기 {}개; 시계 차이 {:.1} ms, 읽기 오차 ±{:.1} ms",
            self.nodes,
            self.count,
            self.clocks_apart_micros / 1e3,
            self.clocks_within_micros / 1e3
        )
    }
}

/// A finished benchmark of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkSummary {
    /// Name of the workload.
    pub workload: String,
    /// What was asked, for example `POST /v2/models/digits/infer`.
    pub target: String,
    /// Inferences that each request asked for.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub batch_size: u32,
    /// The measured windows, in the order measured.
    pub points: Vec<Point>,
    /// Who made the load, where that was generators in the cluster and not `lab` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generators: Option<Generators>,
    /// The answer of a search for the highest rate, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<Highest>,
    /// Budgets that were missed; empty where all were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Missed>,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_one(count: &u32) -> bool {
    *count == 1
}
