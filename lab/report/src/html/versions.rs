//! What was installed: versions as documented and as they answered, and the images.

use lab_model::{
    event::{ImageReady, ImageSource},
    version::{Likeness, likeness},
};
use maud::{Markup, html};

use super::words::{heading, mark, name, spoken, took};
use crate::{
    figures::bytes,
    lang::words,
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
                            th scope="col" { (words("Component", "구성 요소")) }
                            th scope="col" { (words("Documented", "문서의 버전")) }
                            th scope="col" { (words("Here", "여기서")) }
                            th scope="col" { (words("Image", "이미지")) }
                            th scope="col" { (words("Outcome", "결과")) }
                            th.number scope="col" { (words("Ready after", "준비까지")) }
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
            (None, Some(recipe)) => { span.kind { (words("not here: recipe", "여기 없음: 레시피")) " " code { (name(recipe)) } } },
            (None, None) => "–",
        }
    }
}

fn origin(image: &ImageReady) -> Markup {
    html! {
        @match &image.pulled_as {
            Some(pinned) => {
                @if image.source == ImageSource::Pulled { (words("pulled", "내려받음")) }
                @else { (words("pulled before", "전에 내려받음")) }
                " " code { (name(&short(pinned))) }
            },
            None => {
                @if image.source == ImageSource::Built { (words("built from recipe", "레시피로 빌드")) }
                @else { (words("built before from recipe", "전에 레시피로 빌드")) }
                " " code { (name(&image.name)) }
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
            Likeness::Differs => { " " span.badge { (words("differs", "다름")) } }
            Likeness::NotDocumented => { " " span.badge { (words("not documented", "문서에 없음")) } }
        }
    }
}

/// Every image with where it came from.
pub(super) fn images(report: &Report) -> Markup {
    html! {
        @if !report.images.is_empty() {
            details {
                summary { (words("Images", "이미지")) }
                div.scroll tabindex="0" role="region" aria-label=(words("images", "이미지").in_attribute()) {
                    table {
                        thead { tr {
                            th scope="col" { (words("Image", "이미지")) }
                            th scope="col" { (words("Where it came from", "출처")) }
                            th.number scope="col" { (words("Size", "크기")) }
                            th.number scope="col" { (words("Took", "걸린 시간")) }
                            th scope="col" { (words("Documented as", "문서의 이미지")) }
                            th scope="col" { (words("Used as", "사용한 이미지")) }
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
