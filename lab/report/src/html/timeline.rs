//! The time line: stages, images, components and scenarios on one axis.
//!
//! Each row is an SVG as wide as the page lets it be; places are shares of the whole
//! run, so that bars stretch and text does not.

use std::time::Duration;

use maud::{Markup, html};

use super::{
    chapters::features,
    chart::Scale,
    words::{class, heading, name},
};
use crate::{
    figures::{counted, duration, moment},
    lang::{told as said, words},
    report::{Report, ScenarioReport, Span},
};

/// The most rows of one group; more would be a wall.
const MOST_ROWS: usize = 40;

/// The least width of a bar, as a share of the row: even the shortest is seen.
const LEAST_WIDTH: f64 = 0.002;

/// One row: a name, from when to when, its bars, and how long these took together.
struct Row {
    label: String,
    span: Span,
    took: Duration,
    bars: Vec<Bar>,
}

struct Bar {
    span: Span,
    class: &'static str,
    told: String,
}

/// Groups of rows, each with its English and Korean name.
type Group = (&'static str, &'static str, Vec<Row>);

/// The whole time line.
pub(super) fn section(report: &Report) -> Markup {
    let total = report.run.total.as_secs_f64();
    let scale = Scale::time(total, 8.0);
    let groups = groups(report, scale);
    html! {
        @if total > 0.0 && groups.iter().any(|(_, _, rows)| !rows.is_empty()) {
            section {
                (heading("time-line", "Time line", "시간 흐름"))
                div.timeline {
                    (axis(scale))
                    @for (english, korean, rows) in &groups {
                        @if !rows.is_empty() {
                            h3 { (words(english, korean)) }
                            @for row in rows.iter().take(MOST_ROWS) { (track(row, scale)) }
                            @if rows.len() > MOST_ROWS {
                                p.left-out { "+ " (rows.len() - MOST_ROWS) }
                            }
                        }
                    }
                }
                (cached(report))
            }
        }
    }
}

fn groups(report: &Report, scale: Scale) -> [Group; 5] {
    let stages = report.stages.iter().map(|stage| {
        let label = stage.stage.as_str().to_owned();
        row(label, stage.span, class(stage.outcome.as_ref()))
    });
    let images = report
        .images
        .iter()
        .filter(|image| is_worth_a_row(image.span))
        .map(|image| row(name(&image.image.name), image.span, "image"));
    let releases = report
        .stack
        .iter()
        .map(|it| row(name(&it.stack.release), it.span, "passed"));
    let components = report
        .components
        .iter()
        .filter(|component| component.outcome.reason().is_none() || component.outcome.is_failed())
        .map(|component| {
            row(
                name(&component.name),
                component.span,
                class(Some(&component.outcome)),
            )
        });
    [
        ("Stages", "단계", stages.collect()),
        ("Images", "이미지", images.collect()),
        ("Releases", "릴리스", releases.collect()),
        ("Components", "구성 요소", components.collect()),
        ("Scenarios", "시나리오", scenarios(report, scale)),
    ]
}

fn row(label: String, span: Span, class: &'static str) -> Row {
    let took = span.length();
    let told = told(&label, span, took);
    Row {
        label,
        span,
        took,
        bars: vec![Bar { span, class, told }],
    }
}

/// A row a feature, a bar a scenario.
fn scenarios(report: &Report, scale: Scale) -> Vec<Row> {
    features(report)
        .into_iter()
        .map(|chapter| Row {
            label: name(chapter[0].scenario.file.trim_end_matches(".feature")),
            span: whole(&chapter),
            took: chapter.iter().map(|it| it.span.length()).sum(),
            bars: seen_apart(chapter, scale)
                .map(|scenario| Bar {
                    span: scenario.span,
                    class: class(scenario.outcome.as_ref()),
                    told: told(
                        &name(&scenario.scenario.name),
                        scenario.span,
                        scenario.span.length(),
                    ),
                })
                .collect(),
        })
        .collect()
}

/// From the start of the first to the end of the last.
fn whole(scenarios: &[&ScenarioReport]) -> Span {
    let spans = || scenarios.iter().map(|it| it.span);
    Span {
        start: spans().map(|it| it.start).min().unwrap_or_default(),
        end: spans().map(|it| it.end).max().unwrap_or_default(),
    }
}

/// Scenarios whose bars can be told from the one before: of thousands most lie on it.
fn seen_apart(
    scenarios: Vec<&ScenarioReport>,
    scale: Scale,
) -> impl Iterator<Item = &ScenarioReport> {
    let mut before = None;
    scenarios.into_iter().filter(move |it| {
        let class = class(it.outcome.as_ref());
        let (start, width) = place(it.span, scale);
        let end = start + width;
        let is_apart =
            before.is_none_or(|(other, there)| other != class || end > there + LEAST_WIDTH);
        if is_apart {
            before = Some((class, end));
        }
        is_apart
    })
}

fn told(label: &str, span: Span, took: Duration) -> String {
    // Signs, which are the same in every language.
    format!(
        "{label}: {} → {}, {}",
        moment(span.start),
        moment(span.end),
        duration(took)
    )
}

const fn is_worth_a_row(span: Span) -> bool {
    span.length().as_millis() >= 500
}

/// Images that took no time are told in a line, not drawn.
fn cached(report: &Report) -> Markup {
    let cached = report
        .images
        .iter()
        .filter(|image| !is_worth_a_row(image.span))
        .count();
    html! {
        @if cached > 0 {
            p.left-out {
                (said(
                    format!("{} took less than half a second.", counted(cached, "image")),
                    format!("이미지 {cached}개는 0.5초도 걸리지 않았습니다."),
                ))
            }
        }
    }
}

fn axis(scale: Scale) -> Markup {
    html! {
        div.row.axis aria-hidden="true" {
            span.label {}
            svg.track {
                @for at in scale.marks() {
                    @let share = scale.share(at);
                    @let anchor = if share > 0.95 { "end" } else if share < 0.02 { "start" } else { "middle" };
                    text.tick x=(percent(share)) y="13" text-anchor=(anchor) {
                        (axis_label(at, scale))
                    }
                }
            }
            span.took {}
        }
    }
}

/// A moment of the axis; parts of a second where the whole run is that short.
fn axis_label(at: f64, scale: Scale) -> String {
    if scale.step < 1.0 {
        format!("{at:.1} s")
    } else {
        moment(Duration::from_secs_f64(at))
    }
}

fn track(row: &Row, scale: Scale) -> Markup {
    html! {
        div.row {
            span.label { (row.label) }
            svg.track role="img" aria-label=(told(&row.label, row.span, row.took)) {
                @for at in scale.marks() {
                    @let x = percent(scale.share(at));
                    line.grid x1=(x) x2=(x) y1="0" y2="100%" {}
                }
                @for bar in &row.bars { (draw(bar, scale)) }
            }
            span.took { (duration(row.took)) }
        }
    }
}

fn draw(bar: &Bar, scale: Scale) -> Markup {
    let (start, width) = place(bar.span, scale);
    html! {
        rect class={ "bar " (bar.class) } x=(percent(start)) y="3" width=(percent(width))
            height="12" rx="2" {
            title { (bar.told) }
        }
    }
}

/// Where a bar begins, and its width, as shares of the row.
fn place(span: Span, scale: Scale) -> (f64, f64) {
    let start = scale.share(span.start.as_secs_f64()).clamp(0.0, 1.0);
    let width = scale.share(span.length().as_secs_f64());
    (start, width.clamp(LEAST_WIDTH, 1.0))
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}
