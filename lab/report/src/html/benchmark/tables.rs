//! The figures behind the pictures.

use lab_model::benchmark::{BenchmarkSummary, LatencyMicros, Point, ServerTimes};
use maud::{Markup, html};

use super::{super::words::name, stages::parts};
use crate::figures::{bytes, count, micros, rate};

/// Columns of the table of windows.
const WINDOW_COLUMNS: usize = 10;
const NONE: &str = "–";

/// Every table of a benchmark.
pub(super) fn all(benchmark: &BenchmarkSummary) -> Markup {
    let points = &benchmark.points;
    html! {
        (windows(points))
        @if points.iter().any(|point| point.server.is_some()) { (server(points)) }
        (generator(points))
        @if points.iter().any(|point| !point.pods.is_empty()) { (pods(points)) }
    }
}

/// A table that may be wider than the screen. `columns` are all numbers but the first.
fn table(label: &str, columns: &[&str], body: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead { tr { @for column in columns { th.number scope="col" { (column) } } } }
                tbody { (body) }
            }
        }
    }
}

fn windows(points: &[Point]) -> Markup {
    let columns: [&str; WINDOW_COLUMNS] = [
        "Load", "Answers", "Errors", "A second", "p50", "p90", "p99", "p99.9", "Slowest", "Window",
    ];
    let body = html! { @for point in points { (window(point)) } };
    table("figures of the benchmark", &columns, &body)
}

fn window(point: &Point) -> Markup {
    let LatencyMicros {
        p50,
        p90,
        p99,
        p999,
        max,
        ..
    } = point.latency;
    html! {
        tr.void[!point.void.is_empty()] {
            th.number scope="row" {
                (point.offered)
                @if !point.steady {
                    " " span.badge title="the load had not become steady before the window began" { "not steady" }
                }
            }
            td.number { (count(point.requests)) }
            td.number.failed[point.errors > 0] { (count(point.errors)) }
            td.number { (rate(point.throughput)) }
            td.number { (micros(p50)) }
            td.number { (known(p90)) }
            td.number { (micros(p99)) }
            td.number { (known(p999)) }
            td.number { (micros(max)) }
            td.number { (rate(point.seconds)) " s" }
        }
        @for void in &point.void {
            tr.why { td colspan=(WINDOW_COLUMNS) { span.badge { "void" } " " (name(void)) } }
        }
    }
}

/// A quantile, where enough was measured to tell.
fn known(quantile: Option<f64>) -> String {
    quantile.map_or_else(|| NONE.to_owned(), micros)
}

fn caption(english: &str, korean: &str) -> Markup {
    html! { h4 { (english) " " span.ko lang="ko" { (korean) } } }
}

fn server(points: &[Point]) -> Markup {
    let columns = [
        "Load",
        "Inferences",
        "A batch",
        "Queue",
        "Input",
        "Model",
        "Output",
        "In the server",
        "Outside ≈",
    ];
    let told = points
        .iter()
        .filter_map(|point| Some((point, point.server.as_ref()?)));
    let body = html! {
        @for (point, server) in told {
            @let parts = parts(point, server);
            tr.void[!point.void.is_empty()] {
                th.number scope="row" { (point.offered) }
                td.number { (count(server.inferences)) }
                td.number { (batch(server)) }
                @for part in &parts[..4] { td.number { (micros(*part)) } }
                td.number { (micros(server.request)) }
                td.number { (micros(parts[5])) }
            }
        }
    };
    html! {
        (caption("What the server says", "서버 내부 시간"))
        (table("times within the server", &columns, &body))
        p.note {
            "Means of the server's own counters over the window. Outside is the median latency less "
            "the server's mean: network, connection and client, an approximation."
        }
    }
}

/// Inferences executed at once, on average.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn batch(server: &ServerTimes) -> String {
    match server.executions {
        0 => NONE.to_owned(),
        executions => format!("{:.1}", server.inferences as f64 / executions as f64),
    }
}

fn generator(points: &[Point]) -> Markup {
    let columns = [
        "Load",
        "CPU a request",
        "Of a core",
        "Late p50",
        "Late p99",
        "From sending p50",
        "p99",
        "Held back",
        "Sent",
        "Received",
    ];
    let body = html! {
        @for point in points {
            @let generator = point.generator;
            tr.void[!point.void.is_empty()] {
                th.number scope="row" { (point.offered) }
                td.number { (micros(generator.cpu_micros_per_request)) }
                td.number { (share(generator.cpu_seconds, point.seconds * f64::from(generator.count.max(1)))) }
                @match point.open {
                    Some(open) => {
                        td.number { (micros(open.lag.p50)) }
                        td.number { (micros(open.lag.p99)) }
                        td.number { (micros(open.service.p50)) }
                        td.number { (micros(open.service.p99)) }
                        td.number { (count(open.held)) }
                    }
                    None => @for _ in 0..5 { td.number { (NONE) } }
                }
                td.number { (bytes(generator.bytes_sent)) }
                td.number { (bytes(generator.bytes_received)) }
            }
        }
    };
    html! {
        (caption("What the generator itself used and missed", "부하 발생기 자체의 비용과 지연"))
        (table("the load generator's own figures", &columns, &body))
        p.note {
            "Late is how long after a request was due it was sent; a closed loop has no such time. "
            "Held back are requests that waited because every connection allowed was taken."
        }
    }
}

fn share(part: f64, whole: f64) -> String {
    let percent = 100.0 * part / whole;
    if percent.is_finite() {
        format!("{percent:.0} %")
    } else {
        NONE.to_owned()
    }
}

fn pods(points: &[Point]) -> Markup {
    let columns = ["Load", "Pod", "CPU time", "CPUs", "Memory at the end"];
    let body = html! {
        @for point in points {
            @for pod in &point.pods {
                tr.void[!point.void.is_empty()] {
                    th.number scope="row" { (point.offered) }
                    td.number { (name(&pod.pod)) }
                    td.number { (rate(pod.cpu_seconds)) " s" }
                    td.number { (cpus(pod.cpu_seconds, point.seconds)) }
                    td.number { (bytes(pod.memory_bytes)) }
                }
            }
        }
    };
    html! {
        (caption("What the server's pods used", "서버 파드의 자원 사용"))
        (table("CPU and memory of the server's pods", &columns, &body))
    }
}

fn cpus(cpu_seconds: f64, seconds: f64) -> String {
    let cpus = cpu_seconds / seconds;
    if cpus.is_finite() {
        format!("{cpus:.2}")
    } else {
        NONE.to_owned()
    }
}
