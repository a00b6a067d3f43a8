//! The list of runs, with trends.

use maud::{Markup, html};

use super::{
    chart::{Frame, HEIGHT, Scale, figure, px, x_mark, y_axis},
    page::{document, switches},
    words::{heading, name},
};
use crate::{
    figures::{duration, micros, rate},
    history::{Brief, flaky},
    lang::{Lang, Words, words},
    words as said,
};

/// The most runs of a plot and of the table; the newest are told.
const MOST: usize = 60;
/// The most runs whose numbers fit below a plot.
const MOST_MARKS: usize = 12;
const FRAME: Frame = Frame {
    left: 62.0,
    right: 12.0,
    top: 22.0,
    bottom: 44.0,
};

/// Renders the list of runs, in the order given: oldest first.
pub fn render_index(runs: &[Brief], lang: Lang) -> String {
    let newest = &runs[runs.len().saturating_sub(MOST)..];
    let title = words("Runs", "실행 목록");
    let body = html! {
        (switches(lang))
        main {
            h1 { (title) }
            @if newest.is_empty() { p { (words("There is no run yet: `lab run`.", "아직 실행이 없습니다: `lab run`.").prose()) } }
            (trends(newest))
            (table(newest))
            (unsteady(runs))
        }
    };
    document(title.of(lang), lang, &body)
}

fn trends(runs: &[Brief]) -> Markup {
    let total = runs.iter().map(|it| Some(it.total.as_secs_f64() / 60.0));
    let throughput = runs.iter().map(|it| it.best.map(|best| best.throughput));
    let p99 = runs
        .iter()
        .map(|it| it.best.map(|best| best.p99_micros / 1e3));
    html! {
        @if runs.len() > 1 {
            section {
                (heading("trends", "Trends", "추세"))
                p.quiet { (words("From left to right: older to newer, numbered as below.", "왼쪽에서 오른쪽으로 오래된 것부터이며 번호는 아래 표와 같습니다.")) }
                div.figures {
                    (trend(&words("Time of the whole run", "전체 시간"), "min", &total.collect::<Vec<_>>()))
                    (trend(&words("Inferences a second, at best", "초당 추론, 최고"), "/s", &throughput.collect::<Vec<_>>()))
                    (trend(&words("p99 at that load", "그때의 p99"), "ms", &p99.collect::<Vec<_>>()))
                }
            }
        }
    }
}

/// A value a run; where a run has none the line is broken.
#[expect(clippy::cast_precision_loss, reason = "a plot has at most 60 runs")]
fn trend(caption: &Words, unit: &str, values: &[Option<f64>]) -> Markup {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let scale = Scale::round(most, 4.0);
    let x = |index: usize| FRAME.x((index as f64 + 0.5) / values.len() as f64);
    let y = |value: f64| FRAME.y(scale.share(value));
    let pairs = values.windows(2).enumerate();
    let step = values.len().div_ceil(MOST_MARKS);
    let drawing = html! {
        (y_axis(FRAME, scale, |value| format!("{} {unit}", short(value))))
        @for (index, pair) in pairs {
            @if let [Some(one), Some(next)] = pair {
                line.line.p50 x1=(px(x(index))) y1=(px(y(*one))) x2=(px(x(index + 1))) y2=(px(y(*next))) {}
            }
        }
        @for (index, value) in values.iter().enumerate() {
            @if let Some(value) = value {
                circle.dot.p50 cx=(px(x(index))) cy=(px(y(*value))) r="3.5" {}
            }
            @if index % step == 0 { (x_mark(FRAME, x(index), &(index + 1).to_string())) }
        }
        line.grid x1=(px(FRAME.left)) x2=(px(FRAME.x(1.0))) y1=(px(HEIGHT - FRAME.bottom)) y2=(px(HEIGHT - FRAME.bottom)) {}
    };
    figure(caption, caption, &drawing)
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn table(runs: &[Brief]) -> Markup {
    html! {
        @if !runs.is_empty() {
            section {
                (heading("runs", "Newest first", "최신순"))
                div.scroll tabindex="0" role="region" aria-labelledby="runs" {
                    table {
                        thead { tr {
                            th.number scope="col" { "#" }
                            th scope="col" { (words("Run", "실행")) }
                            th scope="col" { (words("Began", "시작")) }
                            th scope="col" { (words("Stack", "스택")) }
                            th scope="col" { (words("Outcome", "결과")) }
                            th scope="col" { (words("Scenarios", "시나리오")) }
                            th.number scope="col" { (words("Took", "걸린 시간")) }
                            th.number scope="col" { (words("A second", "초당")) }
                            th.number scope="col" { "p99" }
                        } }
                        tbody {
                            @for (index, run) in runs.iter().enumerate().rev() { (row(index + 1, run)) }
                        }
                    }
                }
            }
        }
    }
}

fn row(number: usize, run: &Brief) -> Markup {
    let began = run
        .began
        .map(|at| at.strftime("%Y-%m-%d %H:%M").to_string());
    html! {
        tr {
            td.number { (number) }
            th scope="row" {
                @if is_a_folder(&run.folder) { a href={ (run.folder) "/report.html" } { (run.folder) } }
                @else { (name(&run.folder)) }
            }
            td { (began.unwrap_or_default()) }
            td { (name(&run.stack)) }
            td.outcome { (said::sign(run.verdict)) " " (said::verdict(run.verdict)) }
            td { (said::counts(run.counts)) }
            td.number { (duration(run.total)) }
            td.number { (run.best.map_or("–".to_owned(), |best| rate(best.throughput))) }
            td.number { (run.best.map_or("–".to_owned(), |best| micros(best.p99_micros))) }
        }
    }
}

/// Whether a folder's name can stand in a link as it is.
fn is_a_folder(name: &str) -> bool {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

fn unsteady(runs: &[Brief]) -> Markup {
    let flaky = flaky(runs);
    html! {
        @if !flaky.is_empty() {
            section {
                (heading("flaky", "Scenarios that do not always pass", "항상 통과하지는 않는 시나리오"))
                div.scroll tabindex="0" role="region" aria-labelledby="flaky" {
                    table {
                        thead { tr {
                            th scope="col" { (words("Scenario", "시나리오")) }
                            th.number scope="col" { (words("Passed", "통과")) }
                            th.number scope="col" { (words("Failed, or at a later try", "실패 또는 재시도 후 통과")) }
                        } }
                        tbody {
                            @for (file, scenario, passed, troubled) in flaky.iter().take(MOST) {
                                tr {
                                    th scope="row" { (name(scenario)) " " code { (name(file)) } }
                                    td.number { (passed) }
                                    td.number { (troubled) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
