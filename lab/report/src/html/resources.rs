//! Memory and CPU of the cluster over the run.

use std::time::Duration;

use maud::{Markup, html};

use super::{
    chart::{Frame, HEIGHT, Scale, figure, px, x_mark, y_axis},
    pods,
    words::heading,
};
use crate::{
    figures::{bytes, moment},
    lang::{told, words},
    report::{Report, ResourceSample},
};

/// The most points drawn; more than the plot has places would not be seen.
const MOST_POINTS: usize = 400;
const FRAME: Frame = Frame {
    left: 62.0,
    right: 12.0,
    top: 22.0,
    bottom: 44.0,
};
const GIB: f64 = 1_073_741_824.0;

/// Memory and CPU, where they were sampled more than once.
pub(super) fn section(report: &Report) -> Markup {
    let samples = samples(report);
    html! {
        @if samples.len() > 1 {
            section {
                (heading("resources", "What it used", "자원 사용량"))
                @if let Some(peak) = report.memory_peak() {
                    p {
                        (told(
                            format!("The cluster with everything in it held at most {} of memory.", bytes(peak)),
                            format!("클러스터와 그 안의 모든 것이 쓴 메모리는 최대 {}입니다.", bytes(peak)),
                        ))
                    }
                }
                div.figures {
                    (memory(&samples, report.run.total))
                    (cpu(&samples, report.run.total))
                }
                (pods::table(report))
            }
        }
    }
}

/// Samples in time order, thinned so that the largest of each group stays.
fn samples(report: &Report) -> Vec<ResourceSample> {
    let mut samples = report.resources.clone();
    samples.sort_by_key(|sample| sample.at);
    let group = samples.len().div_ceil(MOST_POINTS).max(1);
    samples
        .chunks(group)
        .filter_map(|chunk| {
            chunk
                .iter()
                .max_by_key(|sample| sample.memory_bytes)
                .copied()
        })
        .collect()
}

fn memory(samples: &[ResourceSample], total: Duration) -> Markup {
    let values: Vec<(Duration, f64)> = samples
        .iter()
        .map(|sample| (sample.at, gib(sample.memory_bytes)))
        .collect();
    let most = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let spoken = told(
        format!("memory over time, at most {most:.1} GiB"),
        format!("시간에 따른 메모리, 최대 {most:.1} GiB"),
    );
    let drawing = area(&values, total, "memory", |value| {
        format!("{} GiB", short(value))
    });
    figure(&words("Memory", "메모리"), &spoken, &drawing)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a place on a plot has three digits"
)]
const fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB
}

fn cpu(samples: &[ResourceSample], total: Duration) -> Markup {
    let values: Vec<(Duration, f64)> = samples
        .windows(2)
        .filter_map(|pair| {
            let seconds = pair[1].at.saturating_sub(pair[0].at).as_secs_f64();
            let used = pair[1].cpu_seconds - pair[0].cpu_seconds;
            (seconds > 0.0 && used.is_finite()).then(|| (pair[1].at, (used / seconds).max(0.0)))
        })
        .collect();
    let most = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let spoken = told(
        format!("CPUs in use over time, at most {most:.1}"),
        format!("시간에 따른 사용 중인 CPU 수, 최대 {most:.1}"),
    );
    let drawing = area(&values, total, "cpu", short);
    figure(&words("CPUs in use", "사용 중인 CPU 수"), &spoken, &drawing)
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A filled line over the time of the run.
fn area(
    values: &[(Duration, f64)],
    total: Duration,
    class: &str,
    label: impl Fn(f64) -> String,
) -> Markup {
    let most = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let scale = Scale::round(most, 4.0);
    let time = Scale::time(total.as_secs_f64(), 5.0);
    let places: Vec<(f64, f64)> = values
        .iter()
        .map(|(at, value)| {
            (
                FRAME.x(time.share(at.as_secs_f64())),
                FRAME.y(scale.share(*value)),
            )
        })
        .collect();
    let line = places
        .iter()
        .map(|(x, y)| format!("{},{}", px(*x), px(*y)))
        .collect::<Vec<_>>()
        .join(" ");
    let floor = px(HEIGHT - FRAME.bottom);
    html! {
        (y_axis(FRAME, scale, label))
        @if let (Some((first, _)), Some((last, _))) = (places.first(), places.last()) {
            polygon class={ "area " (class) }
                points={ (px(*first)) "," (floor) " " (line) " " (px(*last)) "," (floor) } {}
            polyline class={ "line " (class) } points=(line) {}
        }
        @for at in time.marks() {
            (x_mark(FRAME, FRAME.x(time.share(at)), &moment(Duration::from_secs_f64(at))))
        }
    }
}
