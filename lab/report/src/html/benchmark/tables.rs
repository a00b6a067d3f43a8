//! The figures behind the pictures.

use lab_model::benchmark::{BenchmarkSummary, Generator, LatencyMicros, Point, ServerTimes};
use maud::{Markup, html};

use super::stages::parts;
use crate::{
    bench::{NONE, batch, cores, is_server_known, memory},
    figures::{bytes, count, micros, rate},
    lang::{Words, words},
    words::{offered, void},
};

/// Columns of the table of windows.
const WINDOW_COLUMNS: usize = 10;
const NOT_STEADY: Words = words(
    "the load had not become steady before the window began",
    "구간이 시작될 때 아직 안정되지 않았습니다",
);
/// Columns of the server's own counters.
const COUNTER_COLUMNS: usize = 8;

/// Every table of a benchmark.
pub(super) fn all(benchmark: &BenchmarkSummary) -> Markup {
    let points = &benchmark.points;
    html! {
        (windows(points))
        @if points.iter().any(is_server_known) { (server(points)) }
        (generator(points))
    }
}

/// A table that may be wider than the screen. `columns` are all numbers but the first.
fn table(label: &Words, columns: &[(&'static str, &'static str)], body: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label.in_attribute()) {
            table {
                thead { tr { @for column in columns { th.number scope="col" { (words(column.0, column.1)) } } } }
                tbody { (body) }
            }
        }
    }
}

fn windows(points: &[Point]) -> Markup {
    let columns: [(&str, &str); WINDOW_COLUMNS] = [
        ("Load", "부하"),
        ("Answers", "응답"),
        ("Errors", "오류"),
        ("A second", "초당"),
        ("p50", "p50"),
        ("p90", "p90"),
        ("p99", "p99"),
        ("p99.9", "p99.9"),
        ("Slowest", "가장 느림"),
        ("Window", "구간"),
    ];
    let body = html! { @for point in points { (window(point)) } };
    table(
        &words("figures of the benchmark", "성능 수치"),
        &columns,
        &body,
    )
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
                (offered(point.offered))
                @if !point.steady {
                    " " span.badge title=(NOT_STEADY.in_attribute()) { (words("not steady", "안정 전")) }
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
        @for why in &point.void {
            tr.why { td colspan=(WINDOW_COLUMNS) { span.badge { (words("void", "무효")) } " " (void(why)) } }
        }
    }
}

/// A quantile, where enough was measured to tell.
fn known(quantile: Option<f64>) -> String {
    quantile.map_or_else(|| NONE.to_owned(), micros)
}

fn caption(english: &'static str, korean: &'static str) -> Markup {
    html! { h4 { (words(english, korean)) } }
}

fn server(points: &[Point]) -> Markup {
    let columns = [
        ("Load", "부하"),
        ("Inferences", "추론"),
        ("A batch", "배치당"),
        ("Queue", "대기"),
        ("Input", "입력"),
        ("Model", "모델"),
        ("Output", "출력"),
        ("In the server", "서버 안"),
        ("Outside ≈", "서버 밖 ≈"),
        ("Cores", "코어"),
        ("Memory", "메모리"),
    ];
    let body = html! {
        @for point in points.iter().filter(|point| is_server_known(point)) {
            tr.void[!point.void.is_empty()] {
                th.number scope="row" { (offered(point.offered)) }
                @match &point.server {
                    Some(server) => (counters(point, server)),
                    None => @for _ in 0..COUNTER_COLUMNS { td.number { (NONE) } }
                }
                td.number { (cores(point)) }
                td.number { (memory(point)) }
            }
        }
    };
    html! {
        (caption("What the server did, and what it used", "서버 내부 시간과 자원 사용량"))
        (table(&words("times within the server, and what it used", "서버 안의 시간과 사용량"), &columns, &body))
        p.note {
            (words(
                "Times are means of the server's own counters over the window. Outside is the median \
                 latency less the server's mean: network, connection and client, an approximation. \
                 Cores, on average, and memory, in the end, are those of the server's containers by \
                 their own control groups, from before the warm-up to after the last answer.",
                "시간은 구간 동안 서버 자체 계수기의 평균입니다. 서버 밖은 응답 시간의 중앙값에서 서버 평균을 뺀 \
                 근사값으로, 네트워크와 연결, 클라이언트의 몫입니다. 코어(평균)와 메모리(마지막)는 예열 전부터 \
                 마지막 응답 뒤까지 서버 컨테이너의 제어 그룹에서 읽은 값입니다.",
            ))
        }
    }
}

fn counters(point: &Point, server: &ServerTimes) -> Markup {
    let [queue, input, model, output, _, outside] = parts(point, server);
    html! {
        td.number { (count(server.inferences)) }
        td.number { (batch(server)) }
        @for part in [queue, input, model, output, server.request, outside] {
            td.number { (micros(part)) }
        }
    }
}

fn generator(points: &[Point]) -> Markup {
    let columns = [
        ("Load", "부하"),
        ("CPU a request", "요청당 CPU"),
        ("Of a core", "코어 비율"),
        ("Steal", "steal"),
        ("Late p50", "늦음 p50"),
        ("Late p99", "늦음 p99"),
        ("From sending p50", "전송 기준 p50"),
        ("p99", "p99"),
        ("Held back", "밀린 요청"),
        ("Sent", "보냄"),
        ("Received", "받음"),
    ];
    let body = html! {
        @for point in points {
            @let generator = point.generator;
            tr.void[!point.void.is_empty()] {
                th.number scope="row" { (offered(point.offered)) }
                td.number { (micros(generator.cpu_micros_per_request)) }
                td.number { (share(generator.cpu_seconds, point.seconds * f64::from(generator.count.max(1)))) }
                td.number { (steal(generator)) }
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
        (table(&words("the load generator's own figures", "부하 발생기 자신의 수치"), &columns, &body))
        p.note {
            (words(
                "Late is how long after a request was due it was sent; a closed loop has no such time. \
                 Held back are requests that waited because every connection allowed was taken. \
                 Steal is the share of the machine's CPU time that the host of this virtual machine \
                 gave to others, from before the warm-up to after the last answer.",
                "늦음은 보낼 때가 된 요청을 실제로 보내기까지 걸린 시간이며, 닫힌 루프에는 없습니다. \
                 밀린 요청은 허용된 연결이 모두 쓰여서 기다린 요청입니다. steal은 예열 전부터 마지막 응답 \
                 뒤까지 이 가상 머신의 호스트가 CPU 시간을 다른 곳에 준 비율입니다.",
            ))
        }
    }
}

/// The share of CPU time that the machine's host took, where the kernel tells.
fn steal(generator: Generator) -> String {
    let stolen = generator.stolen;
    stolen.map_or_else(
        || NONE.to_owned(),
        |share| format!("{:.1} %", 100.0 * share),
    )
}

fn share(part: f64, whole: f64) -> String {
    let percent = 100.0 * part / whole;
    if percent.is_finite() {
        format!("{percent:.0} %")
    } else {
        NONE.to_owned()
    }
}
