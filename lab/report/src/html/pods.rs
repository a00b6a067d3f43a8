//! What single pods used over the run.

use std::{collections::BTreeMap, time::Duration};

use maud::{Markup, html};

use super::{chart::px, words::name};
use crate::{
    figures::{bytes, rate},
    lang::words,
    report::Report,
};

/// The most pods told; the hungriest come first.
const MOST: usize = 20;
/// The most points of a curve.
const MOST_POINTS: usize = 120;
/// Width and height of a curve, user units.
const CURVE: (f64, f64) = (140.0, 26.0);

/// What one pod used.
#[derive(Default)]
struct Usage {
    samples: Vec<(Duration, u64)>,
    most: u64,
    cpu_seconds: f64,
}

/// The pods that used most memory, each with its curve.
pub(super) fn table(report: &Report) -> Markup {
    let mut pods: Vec<_> = usages(report).into_iter().collect();
    pods.sort_by_key(|(_, usage)| std::cmp::Reverse(usage.most));
    let scale = pods.first().map_or(1, |(_, usage)| usage.most.max(1));
    html! {
        @if !pods.is_empty() {
            h3 #pods { (words("By pod", "파드별")) }
            div.scroll tabindex="0" role="region" aria-labelledby="pods" {
                table.pods {
                    thead { tr {
                        th scope="col" { (words("Pod", "파드")) }
                        th scope="col" { (words("Memory over the run", "실행 중 메모리")) }
                        th.number scope="col" { (words("At most", "최대")) }
                        th.number scope="col" { (words("CPU seconds", "CPU 초")) }
                    } }
                    tbody {
                        @for (pod, usage) in pods.iter().take(MOST) {
                            tr {
                                th scope="row" { (name(pod)) }
                                td { (curve(usage, report.run.total, scale)) }
                                td.number { (bytes(usage.most)) }
                                td.number { (rate(usage.cpu_seconds)) }
                            }
                        }
                    }
                }
            }
            @if pods.len() > MOST { p.left-out { "+ " (pods.len() - MOST) } }
        }
    }
}

fn usages(report: &Report) -> BTreeMap<&str, Usage> {
    let mut usages: BTreeMap<&str, Usage> = BTreeMap::new();
    for samples in &report.pods {
        for pod in &samples.pods {
            let usage = usages.entry(&pod.pod).or_default();
            usage.samples.push((samples.at, pod.memory_bytes));
            usage.most = usage.most.max(pod.memory_bytes);
            usage.cpu_seconds = usage.cpu_seconds.max(pod.cpu_seconds);
        }
    }
    usages
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a place on a curve has three digits"
)]
fn curve(usage: &Usage, total: Duration, most: u64) -> Markup {
    let (width, height) = CURVE;
    let step = usage.samples.len().div_ceil(MOST_POINTS).max(1);
    let total = total.as_secs_f64().max(1e-3);
    let places: Vec<String> = usage
        .samples
        .iter()
        .step_by(step)
        .map(|(at, memory)| {
            let x = (at.as_secs_f64() / total).clamp(0.0, 1.0) * width;
            let y = height - (*memory as f64 / most as f64).clamp(0.0, 1.0) * (height - 2.0) - 1.0;
            format!("{},{}", px(x), px(y))
        })
        .collect();
    html! {
        svg.curve viewBox={ "0 0 " (width) " " (height) } aria-hidden="true" {
            line.grid x1="0" x2=(width) y1=(height - 0.5) y2=(height - 0.5) {}
            polyline.line.memory points=(places.join(" ")) {}
        }
    }
}
