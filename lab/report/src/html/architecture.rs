//! The stack as it was installed: who calls whom, and where each part answers.

use std::collections::BTreeMap;

use lab_model::installed::{InstalledComponent, InstalledStack};
use maud::{Markup, html};

use super::{
    chart::px,
    words::{class, heading, name},
};
use crate::{
    lang::words,
    report::{Report, StackReport},
    text::one_line,
};

/// Width of the drawing, user units; boxes are large enough to be read on a phone.
const WIDTH: f64 = 440.0;
/// Boxes in a row.
const IN_A_ROW: usize = 3;
const BOX: (f64, f64) = (134.0, 44.0);
/// From the top of one row to the top of the next.
const ROW: f64 = 84.0;
/// The most parts that can be told apart in a drawing.
const MOST: usize = 30;
/// The longest text in a box, characters.
const LABEL: usize = 22;

/// The drawing, and a table of addresses.
pub(super) fn section(report: &Report) -> Markup {
    html! {
        @if let Some(StackReport { stack, .. }) = &report.stack {
            section {
                (heading("architecture", "What calls what", "구조: 무엇이 무엇을 부르나"))
                p.quiet {
                    (words(
                        "Drawn from what Helm handed to the cluster. An arrow goes from who asks to who answers.",
                        "Helm이 클러스터에 넘긴 것으로 그렸습니다. 화살표는 묻는 쪽에서 답하는 쪽으로 갑니다.",
                    ))
                }
                @if (1..=MOST).contains(&stack.components.len()) {
                    figure { (drawing(report, stack)) }
                }
                (addresses(stack))
            }
        }
    }
}

/// Rows of components: who calls stands above whom it calls.
fn rows(stack: &InstalledStack) -> Vec<Vec<&InstalledComponent>> {
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    // As often as a chain can be long; a circle of needs ends, too.
    for _ in 0..stack.components.len() {
        for component in &stack.components {
            let below = component
                .needs
                .iter()
                .filter_map(|it| levels.get(it.as_str()));
            let level = below.max().map_or(0, |level| level + 1);
            levels.insert(&component.name, level.min(stack.components.len()));
        }
    }
    let mut by_level: BTreeMap<std::cmp::Reverse<usize>, Vec<&InstalledComponent>> =
        BTreeMap::new();
    for component in &stack.components {
        let level = levels.get(component.name.as_str()).copied();
        by_level
            .entry(std::cmp::Reverse(level.unwrap_or_default()))
            .or_default()
            .push(component);
    }
    by_level
        .into_values()
        .flat_map(|level| {
            level
                .chunks(IN_A_ROW)
                .map(<[_]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The middle of each component's upper edge.
#[expect(clippy::cast_precision_loss, reason = "there are at most 30 boxes")]
fn places<'a>(rows: &[Vec<&'a InstalledComponent>]) -> BTreeMap<&'a str, (f64, f64)> {
    let mut places = BTreeMap::new();
    for (row, components) in rows.iter().enumerate() {
        let share = WIDTH / components.len() as f64;
        for (column, component) in components.iter().enumerate() {
            let x = share * (column as f64 + 0.5);
            places.insert(component.name.as_str(), (x, row as f64 * ROW + 6.0));
        }
    }
    places
}

#[expect(clippy::cast_precision_loss, reason = "there are at most 30 boxes")]
fn drawing(report: &Report, stack: &InstalledStack) -> Markup {
    let rows = rows(stack);
    let places = places(&rows);
    let height = rows.len() as f64 * ROW - (ROW - BOX.1) + 12.0;
    html! {
        svg.plot.architecture viewBox={ "0 0 " (WIDTH) " " (px(height)) } role="img"
            aria-label=(words(
                "who calls whom; the table below says the same",
                "누가 누구를 부르는지. 아래 표와 같습니다",
            ).in_attribute()) {
            @for component in &stack.components {
                @for need in &component.needs {
                    @if let (Some(from), Some(to)) = (places.get(component.name.as_str()), places.get(need.as_str())) {
                        (arrow(*from, *to))
                    }
                }
            }
            @for component in &stack.components {
                @if let Some(place) = places.get(component.name.as_str()) {
                    (part(component, *place, outcome_class(report, component)))
                }
            }
        }
    }
}

fn outcome_class(report: &Report, component: &InstalledComponent) -> &'static str {
    let ended = report
        .components
        .iter()
        .find(|it| it.name == component.title);
    class(ended.map(|it| &it.outcome))
}

fn part(component: &InstalledComponent, (x, y): (f64, f64), class: &str) -> Markup {
    // What stands in brackets in a title explains; here is no room for it.
    let title = component.title.split(" (").next().unwrap_or_default();
    let answers = component
        .endpoints
        .iter()
        .map(|it| format!(":{}", it.port))
        .collect::<Vec<_>>()
        .join(" ");
    html! {
        rect class={ "part " (class) } x=(px(x - BOX.0 / 2.0)) y=(px(y)) width=(px(BOX.0))
            height=(px(BOX.1)) rx="6" {
            title { (name(&component.title)) }
        }
        text.value x=(px(x)) y=(px(y + 19.0)) text-anchor="middle" { (one_line(title, LABEL)) }
        text.tick x=(px(x)) y=(px(y + 35.0)) text-anchor="middle" { (one_line(&answers, LABEL)) }
    }
}

/// From the lower edge of one box to the upper edge of another below it.
fn arrow((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Markup {
    let (start, end) = (y1 + BOX.1, y2 - 5.0);
    // Bent, so that a line past a row does not hide behind its boxes.
    let (a, b) = (start + 26.0, end - 26.0);
    let path = format!(
        "M{} {}C{} {} {} {} {} {}",
        px(x1),
        px(start),
        px(x1),
        px(a),
        px(x2),
        px(b),
        px(x2),
        px(end)
    );
    let head = format!(
        "{},{} {},{} {},{}",
        px(x2 - 4.0),
        px(end - 1.0),
        px(x2 + 4.0),
        px(end - 1.0),
        px(x2),
        px(end + 5.0)
    );
    html! {
        path.call d=(path) {}
        polygon.head points=(head) {}
    }
}

fn addresses(stack: &InstalledStack) -> Markup {
    html! {
        details {
            summary { (words("Workloads, Services, addresses", "워크로드, 서비스, 주소")) }
            div.scroll tabindex="0" role="region" aria-label=(words("addresses", "주소").in_attribute()) {
                table {
                    thead { tr {
                        th scope="col" { (words("Component", "구성 요소")) }
                        th scope="col" { (words("Workload", "워크로드")) }
                        th scope="col" { (words("Service in the cluster", "클러스터 안의 서비스")) }
                        th scope="col" { (words("On this machine, while it ran", "실행 중 이 컴퓨터의 주소")) }
                        th scope="col" { (words("Calls", "부르는 것")) }
                    } }
                    tbody { @for component in &stack.components { (row(component, stack)) } }
                }
            }
        }
    }
}

fn row(component: &InstalledComponent, stack: &InstalledStack) -> Markup {
    html! {
        tr {
            th scope="row" { (name(&component.title)) }
            td { code { (name(&component.workload)) } }
            td {
                @for it in &component.endpoints {
                    code { (name(&it.service)) "." (name(&stack.namespace)) ":" (it.port) } br;
                }
            }
            td {
                @for it in &component.endpoints {
                    @if let Some(url) = &it.url { code { (name(url)) } }
                    br;
                }
            }
            td { (name(&component.needs.join(", "))) }
        }
    }
}
