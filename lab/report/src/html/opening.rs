//! The first screen: how it ended, where it ran, what did not run.

use maud::{Markup, html};

use super::{
    evidence,
    words::{fact, heading, left_out, name},
};
use crate::{
    figures::{bytes, duration, micros, rate},
    lang::{Lang, Words, alike, told, words},
    report::{Report, Verdict},
    words as said,
};

/// The most things listed that did not run.
const MOST_NOT_RUN: usize = 100;

/// The verdict with the figures people ask for first.
pub(super) fn header(report: &Report) -> Markup {
    let verdict = report.verdict();
    html! {
        header class=(class(verdict)) {
            div.inner {
                p.what {
                    @match &report.run.about {
                        Some(about) => {
                            (words("stack", "스택")) " " b { (name(&about.stack)) } " · "
                            (words("lock", "버전 고정")) " " b { (name(&about.lock)) }
                        },
                        None => (words("the record lacks its beginning", "기록의 시작이 없습니다")),
                    }
                }
                h1 {
                    span.sign aria-hidden="true" { (said::sign(verdict)) }
                    (said::verdict(verdict))
                }
                p.counts { (said::counts(report.counts())) }
                (stopped(report))
                (tiles(report))
            }
        }
    }
}

fn stopped(report: &Report) -> Markup {
    let Some((stage, scenario)) = report.stopped_at() else {
        return html! {};
    };
    html! {
        p {
            (words("It ended in the stage", "멈춘 단계:")) " " b { (stage) }
            @if let Some(scenario) = scenario {
                (words(", in the scenario", ", 시나리오:")) " " q { (name(&scenario.name)) }
            }
            "."
        }
    }
}

fn tiles(report: &Report) -> Markup {
    let best = report.best_benchmark();
    html! {
        ul.tiles {
            (tile(&duration(report.run.total), &words("whole run", "전체 시간")))
            @if let Some(cluster) = &report.run.cluster {
                (tile(&name(&cluster.version), &words("Kubernetes", "쿠버네티스")))
                (tile(&duration(cluster.at), &words("until the cluster answered", "클러스터 준비까지")))
            }
            @if let Some(peak) = report.memory_peak() {
                (tile(&bytes(peak), &words("memory at most", "최대 메모리")))
            }
            @if let Some(best) = best {
                @let at = said::offered(best.offered);
                @let (english, korean) = (at.of(Lang::English), at.of(Lang::Korean));
                (tile(
                    &format!("{}/s", rate(best.throughput)),
                    &told(format!("inferences at {english}"), format!("초당 추론, {korean}")),
                ))
                (tile(
                    &micros(best.p99_micros),
                    &told(format!("p99 at {english}"), format!("p99 응답 시간, {korean}")),
                ))
            }
        }
    }
}

fn tile(value: &str, label: &Words) -> Markup {
    html! {
        li { b { (value) } span { (label) } }
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "good",
        Verdict::Interrupted | Verdict::NothingVerified => "doubtful",
        _ => "bad",
    }
}

/// Where it ran.
pub(super) fn facts(report: &Report) -> Markup {
    let run = &report.run;
    let cluster = run.cluster.as_ref();
    html! {
        section {
            (heading("where", "Where it ran", "실행 환경"))
            dl.facts {
                @if let Some(about) = &run.about {
                    (fact("Run", "실행", Some(alike(about.run.as_str()))))
                    @let began = run.began.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
                    (fact("Began", "시작", began.map(alike)))
                    (fact("Cluster", "클러스터", Some(alike(about.cluster.as_str()))))
                    (fact("Provider", "제공자", Some(alike(about.provider.as_str()))))
                }
                (fact("Nodes", "노드", cluster.map(|one| alike(one.nodes.join(", ")))))
                @if let Some(about) = &run.about {
                    @let host = &about.host;
                    @let memory = bytes(host.memory_bytes);
                    @let machine = said::cpus(host.cpus).map(|cpus| format!("{cpus}, {memory}"));
                    (fact("Machine", "컴퓨터", Some(machine)))
                    (fact("System", "운영체제", Some(told(
                        format!("{}, kernel {}", host.os, host.kernel),
                        format!("{}, 커널 {}", host.os, host.kernel),
                    ))))
                    (fact("Docker Engine", "도커 엔진", Some(alike(host.engine.as_str()))))
                    (fact("Version of lab", "lab 버전", Some(alike(about.lab_version.as_str()))))
                }
            }
        }
    }
}

/// What could not run, and why.
pub(super) fn not_run(report: &Report) -> Markup {
    let not_run = report.not_run();
    html! {
        @if !not_run.is_empty() {
            section.absent {
                (heading("not-run", "What did not run, and why", "실행되지 않은 것과 이유"))
                ul {
                    @for one in not_run.iter().take(MOST_NOT_RUN) {
                        li {
                            span.kind { (said::kind(one.kind)) } " "
                            b { (name(one.name)) }
                            (evidence::reason(&said::hindrance(one.reason)))
                        }
                    }
                }
                (left_out(not_run.len().saturating_sub(MOST_NOT_RUN), "item", "항목"))
            }
        }
    }
}
