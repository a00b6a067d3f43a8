//! The first screen: how it ended, why, where it ran, what did not run.

use maud::{Markup, html};

use super::{
    evidence::{self, Shown},
    words::{fact, heading, name},
};
use crate::{
    figures::{bytes, counted, duration, micros, moment, rate},
    report::{Failure, Place, Report, Verdict},
    words,
};

/// The verdict with the figures people ask for first.
pub(super) fn header(report: &Report) -> Markup {
    let verdict = report.verdict();
    html! {
        header class=(class(verdict)) {
            div.inner {
                p.what {
                    @match &report.run.about {
                        Some(about) => {
                            "stack " b { (name(&about.stack)) } " · lock " b { (name(&about.lock)) }
                        },
                        None => "the record lacks its beginning",
                    }
                }
                h1 {
                    span.sign aria-hidden="true" { (words::sign(verdict)) }
                    (words::verdict(verdict)) " "
                    span.ko lang="ko" { (korean(verdict)) }
                }
                p.counts { (words::counts(report.counts())) }
                @if let Some((stage, scenario)) = report.stopped_at() {
                    p { "It ended in the stage " b { (stage) }
                        @if let Some(scenario) = scenario { ", in the scenario " q { (name(&scenario.name)) } } "." }
                }
                (tiles(report))
            }
        }
    }
}

fn tiles(report: &Report) -> Markup {
    let points = report.benchmarks.iter().flat_map(|one| &one.points);
    let points = points.filter(|one| one.void.is_empty());
    let best = points.max_by(|one, other| one.throughput.total_cmp(&other.throughput));
    html! {
        ul.tiles {
            (tile(&duration(report.run.total), "whole run", "전체 시간"))
            @if let Some(cluster) = &report.run.cluster {
                (tile(&name(&cluster.version), "Kubernetes", "쿠버네티스"))
                (tile(&duration(cluster.at), "until the cluster answered", "클러스터 준비까지"))
            }
            @if let Some(peak) = report.memory_peak() {
                (tile(&bytes(peak), "memory at most", "최대 메모리"))
            }
            @if let Some(best) = best {
                @let label = format!("inferences at {}", best.offered);
                (tile(&format!("{}/s", rate(best.throughput)), &label, "초당 추론"))
                @let label = format!("p99 at {}", best.offered);
                (tile(&micros(best.latency.p99), &label, "99 % 응답 시간"))
            }
        }
    }
}

fn tile(value: &str, english: &str, korean: &str) -> Markup {
    html! {
        li { b { (value) } span { (english) } span.ko lang="ko" { (korean) } }
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "good",
        Verdict::Interrupted | Verdict::NothingVerified => "doubtful",
        _ => "bad",
    }
}

const fn korean(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "통과",
        Verdict::NothingVerified => "검증된 것 없음",
        Verdict::ScenariosFailed => "실패한 시나리오 있음",
        Verdict::BudgetMissed => "성능 목표 미달",
        Verdict::SetupFailed => "설치 실패",
        Verdict::CleanupIncomplete => "정리 미완료",
        Verdict::Interrupted => "중단됨",
        Verdict::Error(_) => "오류로 종료",
    }
}

/// What failed first, with its evidence; what failed after it, folded.
pub(super) fn first_cause(report: &Report) -> Markup {
    html! {
        @if let Some((first, rest)) = report.failures.split_first() {
            section.cause {
                (heading("first-cause", "What failed first", "가장 먼저 실패한 것"))
                (failure(first, Shown::Open))
                @if !rest.is_empty() {
                    details.after {
                        summary { (counted(rest.len(), "failure")) " after it, in time order" }
                        ol {
                            @for one in rest { li { (failure(one, Shown::Folded)) } }
                        }
                    }
                }
            }
        }
    }
}

fn failure(failure: &Failure, shown: Shown) -> Markup {
    html! {
        p.place { span.at { (moment(failure.at)) } " " (words::place(&failure.place)) }
        @if let Place::Scenario { step: Some(step), .. } = &failure.place {
            p.step { "at the step " q { (name(step)) } }
        }
        (evidence::reason(&failure.reason))
        (evidence::all(&failure.evidence, shown))
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
                    (fact("Run", "실행", Some(about.run.as_str().into())))
                    @let began = run.began.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
                    (fact("Began", "시작", began.map(Into::into)))
                    @let made = format!("{}, made by provider {}", about.cluster, about.provider);
                    (fact("Cluster", "클러스터", Some(made.into())))
                }
                (fact("Nodes", "노드", cluster.map(|one| one.nodes.join(", ").into())))
                @if let Some(about) = &run.about {
                    @let host = &about.host;
                    @let machine = format!("{}, {} memory", counted(host.cpus as usize, "CPU"), bytes(host.memory_bytes));
                    (fact("Machine", "컴퓨터", Some(machine.into())))
                    (fact("System", "운영체제", Some(format!("{}, kernel {}", host.os, host.kernel).into())))
                    (fact("Docker Engine", "도커 엔진", Some(host.engine.as_str().into())))
                    (fact("lab", "버전", Some(about.lab_version.as_str().into())))
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
                    @for one in not_run {
                        li {
                            span.kind { (words::kind(one.kind)) } " "
                            b { (name(one.name)) }
                            (evidence::reason(one.reason))
                        }
                    }
                }
            }
        }
    }
}
