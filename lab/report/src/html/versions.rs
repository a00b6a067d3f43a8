//! What was installed: versions as documented and as they answered, and the images.

use lab_model::{
    event::{ImageReady, ImageSource},
    version::{Likeness, likeness},
};
use maud::{Markup, html};

use super::words::{heading, mark, name, spoken, took};
use crate::{
    figures::bytes,
    report::{ComponentReport, Report},
};

/// Digits of a digest that are shown.
const DIGEST_SHOWN: usize = 12;

/// Components with the documented version beside the one that answered.
pub(super) fn components(report: &Report) -> Markup {
    html! {
        @if !report.components.is_empty() {
            section {
                (heading("versions", "What was installed", "설치한 것과 버전"))
                div.scroll tabindex="0" role="region" aria-labelledby="versions" {
                    table {
                        thead { tr {
                            th scope="col" { "Component" }
                            th scope="col" { "Documented" }
                            th scope="col" { "Here" }
                            th scope="col" { "Image" }
                            th scope="col" { "Outcome" }
                            th.number scope="col" { "Ready after" }
                        } }
                        tbody {
                            @for component in &report.components { (row(component, report)) }
                        }
                    }
                }
            }
        }
    }
}

fn row(component: &ComponentReport, report: &Report) -> Markup {
    let image = report
        .images
        .iter()
        .map(|report| &report.image)
        .find(|image| Some(&image.name) == component.image.as_ref());
    html! {
        tr {
            th scope="row" { (name(&component.name)) }
            td { code { (name(&component.documented)) } }
            td { (actual(component)) }
            td { (from(component, image)) }
            td.outcome { (mark(Some(&component.outcome))) " " (spoken(Some(&component.outcome))) }
            td.number {
                @if component.outcome.reason().is_none() { (took(component.span.length())) }
                @else { "–" }
            }
        }
    }
}

/// The image a component runs from, and how that came to be.
fn from(component: &ComponentReport, image: Option<&ImageReady>) -> Markup {
    html! {
        @match (image, &component.image) {
            (Some(image), _) => {
                code { (name(&image.reference)) }
                br;
                span.kind { (origin(image)) }
            },
            (None, Some(recipe)) => { span.kind { "recipe " code { (name(recipe)) } ", not here" } },
            (None, None) => "–",
        }
    }
}

fn origin(image: &ImageReady) -> Markup {
    html! {
        @match &image.pulled_as {
            Some(pinned) => {
                @if image.source == ImageSource::Pulled { "pulled: " } @else { "pulled before: " }
                code { (name(&short(pinned))) }
            },
            None => {
                @if image.source == ImageSource::Built { "built" } @else { "built before" }
                " from recipe " code { (name(&image.name)) }
            },
        }
    }
}

/// As much of a digest as tells two apart.
fn short(pinned: &str) -> String {
    match pinned.split_once("@sha256:") {
        Some((image, digest)) => {
            let digest: String = digest.chars().take(DIGEST_SHOWN).collect();
            format!("{image}@sha256:{digest}…")
        }
        None => pinned.to_owned(),
    }
}

fn actual(component: &ComponentReport) -> Markup {
    let Some(actual) = &component.actual else {
        return html! { "–" };
    };
    html! {
        code { (name(actual)) }
        @match likeness(&component.documented, actual) {
            Likeness::Same => {}
            Likeness::Differs => { " " span.badge { "differs" } }
            Likeness::NotDocumented => { " " span.badge { "not documented" } }
        }
    }
}

/// Every image with where it came from.
pub(super) fn images(report: &Report) -> Markup {
    html! {
        @if !report.images.is_empty() {
            section {
                (heading("images", "Images", "이미지"))
                div.scroll tabindex="0" role="region" aria-labelledby="images" {
                    table {
                        thead { tr {
                            th scope="col" { "Image" }
                            th scope="col" { "Where it came from" }
                            th.number scope="col" { "Size" }
                            th.number scope="col" { "Took" }
                            th scope="col" { "Documented as" }
                            th scope="col" { "Used as" }
                        } }
                        tbody {
                            @for report in &report.images {
                                @let image = &report.image;
                                tr {
                                    th scope="row" { (name(&image.name)) }
                                    td { (origin(image)) }
                                    td.number { (bytes(image.bytes)) }
                                    td.number { (took(report.span.length())) }
                                    td { @match &image.documented {
                                        Some(documented) => code { (name(documented)) },
                                        None => "–",
                                    } }
                                    td { code { (name(&image.reference)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
