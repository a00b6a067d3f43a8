//! Benchmarks: verdict on top, pictures, figures, what the figures do not say.

mod axis;
mod closed;
mod curve;
mod histogram;
mod knee;
mod lines;
mod picture;
#[cfg(test)]
mod samples;
mod search;
mod series;
mod stages;
mod tables;

use lab_model::{
    benchmark::{BenchmarkSummary, Offered, Point},
    budget::Missed,
};
use maud::{Markup, html};

pub(crate) use self::stages::parts;
use self::{curve::Curve, picture::Picture};
use super::words::{heading, name};
use crate::{
    figures::counted,
    lang::{Lang, told as told_in, words as both},
    report::Report,
    words,
};

/// The most windows that a plot can show apart.
const MOST_POINTS: usize = 24;

/// All benchmarks.
pub(super) fn section(report: &Report) -> Markup {
    let mut points = report.benchmarks.iter().flat_map(|one| &one.points);
    let open = points.any(|point| point.open.is_some());
    html! {
        @if !report.benchmarks.is_empty() {
            section {
                (heading("benchmark", "How fast it answers", "추론 성능"))
                (meaning(open))
                @for benchmark in &report.benchmarks { (one(benchmark, report.cut.contains(&benchmark.workload))) }
            }
        }
    }
}

/// What the words below mean.
fn meaning(open: bool) -> Markup {
    html! {
        p {
            (both(
                "A closed loop keeps a number of connections busy: each sends its next request when the last was answered.",
                "닫힌 루프는 정해진 수의 연결을 계속 쓰며, 연결마다 앞 요청의 응답이 와야 다음 요청을 보냅니다.",
            ))
            " "
            @if open {
                (both(
                    "An open loop sends requests when they are due, whatever was answered; latency counts \
                     from when a request was due, so that a server that stands still is not spared.",
                    "열린 루프는 응답과 상관없이 정해진 때에 요청을 보내고, 응답 시간은 보냈어야 할 때부터 잽니다. \
                     그래서 멈춰 선 서버의 지연이 감춰지지 않습니다.",
                ))
                " "
            }
            (both(
                "p50 is the middle: half of the answers came faster; of p99, 99 of 100 did. Only right answers are timed.",
                "p50은 한가운데로 응답의 절반이 더 빨랐고, p99는 100개 중 99개가 더 빨랐습니다. 맞는 응답만 잽니다.",
            ))
        }
    }
}

/// The pictures of a benchmark, each a name without extension and a whole SVG document.
pub(crate) fn files(benchmark: &BenchmarkSummary, lang: Lang) -> Vec<(&'static str, String)> {
    let told = Told::of(benchmark);
    let of = format!(
        "{} · {}",
        name(&benchmark.workload),
        name(&benchmark.target)
    );
    let mut files: Vec<(&'static str, String)> = Vec::new();
    for picture in told.pictures() {
        // Of the latency of open and of closed loops the first, the open one, is kept.
        if files.iter().all(|(name, _)| *name != picture.file) {
            files.push((picture.file, picture.alone(&of, lang)));
        }
    }
    files
}

/// A benchmark with what its pictures are of.
struct Told<'a> {
    benchmark: &'a BenchmarkSummary,
    /// Windows that say something of the server.
    sound: Vec<&'a Point>,
    closed: Vec<&'a Point>,
    curve: Curve<'a>,
    /// The window that is shown in detail: the one at the knee, else the last.
    shown: Option<&'a Point>,
}

impl<'a> Told<'a> {
    fn of(benchmark: &'a BenchmarkSummary) -> Self {
        let sound: Vec<&Point> = benchmark
            .points
            .iter()
            .filter(|point| point.void.is_empty())
            .take(MOST_POINTS)
            .collect();
        let is_closed = |point: &&&Point| matches!(point.offered, Offered::Closed { .. });
        let curve = Curve::of(&sound);
        Self {
            benchmark,
            closed: sound.iter().filter(is_closed).copied().collect(),
            shown: curve.knee().or(sound.last().copied()),
            sound,
            curve,
        }
    }

    fn pictures(&self) -> Vec<Picture> {
        let mut pictures = Vec::new();
        if !self.curve.is_empty() {
            pictures.push(self.curve.picture());
        }
        if !self.closed.is_empty() {
            pictures.push(closed::throughput(&self.closed));
            pictures.push(closed::latency(&self.closed));
        }
        pictures.extend(self.benchmark.highest.as_ref().and_then(search::picture));
        pictures.extend(stages::picture(&self.sound));
        pictures.extend(self.shown.into_iter().flat_map(of_window));
        pictures
    }

    /// Windows whose own pictures are not shown yet.
    fn others(&self) -> impl Iterator<Item = &'a Point> {
        let shown = |point: &&&Point| self.shown.is_some_and(|it| std::ptr::eq(it, **point));
        self.sound
            .iter()
            .filter(move |point| !shown(point))
            .copied()
    }
}

fn of_window(point: &Point) -> impl Iterator<Item = Picture> {
    [histogram::picture(point), series::picture(point)]
        .into_iter()
        .flatten()
}

/// One benchmark; `cut` where it never came to its end.
fn one(benchmark: &BenchmarkSummary, cut: bool) -> Markup {
    let told = Told::of(benchmark);
    let pictures = told.pictures();
    let left_out = benchmark.points.len() - told.sound.len();
    html! {
        h3 { (name(&benchmark.workload)) " " code { (name(&benchmark.target)) } }
        @if let Some(generators) = benchmark.generators { p { (words::generators(generators)) } }
        @if benchmark.batch_size > 1 { p { (words::batch_size(benchmark.batch_size)) } }
        @if cut {
            p.note {
                (both(
                    "This benchmark never came to its end: only the windows before that are shown.",
                    "끝나지 않은 측정입니다. 그 전의 구간만 보입니다.",
                ))
            }
        }
        (missed(&benchmark.missed))
        @if let Some(highest) = &benchmark.highest {
            p { b { (words::highest(highest)) } }
        }
        @if !pictures.is_empty() {
            div.figures.wide { @for picture in &pictures { (picture.on_page()) } }
        }
        @if left_out > 0 {
            p.note {
                (told_in(
                    format!("Left out of the pictures: {}, void or beyond the first {MOST_POINTS}.", counted(left_out, "window")),
                    format!("그림에서 뺀 구간: {left_out}개, 무효이거나 처음 {MOST_POINTS}개 뒤의 것."),
                ))
            }
        }
        (tables::all(benchmark))
        @if let Some(highest) = &benchmark.highest { (search::table(highest)) }
        @for point in told.others() { (folded(point)) }
    }
}

/// Pictures of a window, to be opened.
fn folded(point: &Point) -> Markup {
    let pictures: Vec<_> = of_window(point).collect();
    html! {
        @if !pictures.is_empty() {
            details.window {
                summary { (words::offered(point.offered)) ": " (both("distribution and seconds", "분포와 추이")) }
                div.figures.wide { @for picture in &pictures { (picture.on_page()) } }
            }
        }
    }
}

/// Budgets that were not kept.
fn missed(missed: &[Missed]) -> Markup {
    html! {
        @if !missed.is_empty() {
            div.missed {
                p { b { (both("Budget missed", "기준 미달")) } }
                ul { @for one in missed { li { (words::missed(one)) } } }
            }
        }
    }
}
