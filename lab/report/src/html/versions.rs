//! What was installed: versions as documented and as they answered, and the images.

use lab_model::event::ImageSource;
use maud::{Markup, html};

use super::words::{heading, mark, name, spoken, took};
use crate::{
    figures::bytes,
    report::{ComponentReport, Report},
};

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
            td {
                @match image {
                    Some(image) => (source(image.source)),
                    None => "–",
                }
            }
            td { (mark(Some(&component.outcome))) " " (spoken(Some(&component.outcome))) }
            td.number {
                @if component.outcome.reason().is_none() { (took(component.span.length())) }
                @else { "–" }
            }
        }
    }
}

fn actual(component: &ComponentReport) -> Markup {
    html! {
        @match &component.actual {
            None => "–",
            Some(actual) => {
                code { (name(actual)) }
                @if !same_version(&component.documented, actual) {
                    " " span.badge { "differs" }
                }
            }
        }
    }
}

/// Whether the documents mean the version that answered: `v1.20` is `1.20.2` told shortly,
/// and what follows the first word (`2.10.5 (chart 1.16.0)`) tells where it comes from.
fn same_version(documented: &str, actual: &str) -> bool {
    let parts = |version: &str| -> Vec<String> {
        let version = version.split_whitespace().next().unwrap_or_default();
        let version = version.trim_start_matches('v');
        version.split(['.', '-', '+']).map(str::to_owned).collect()
    };
    let (documented, actual) = (parts(documented), parts(actual));
    let common = documented.len().min(actual.len());
    documented[..common] == actual[..common]
}

const fn source(source: ImageSource) -> &'static str {
    match source {
        ImageSource::Pulled => "pulled",
        ImageSource::Built => "built from its recipe",
        ImageSource::Cached => "already here",
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
                                    td { (source(image.source)) }
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

#[cfg(test)]
mod tests {
    use super::same_version;

    #[test]
    fn a_shorter_version_means_the_longer() {
        for (documented, actual) in [
            ("v1.20", "1.20.2"),
            ("2.10.5 (chart 1.16.0)", "2.10.5"),
            ("15", "15.8-1"),
        ] {
            assert!(same_version(documented, actual), "{documented} {actual}");
        }
        for (documented, actual) in [("1.2", "1.20.2"), ("2.48.0", "2.42.0"), ("k3s", "v1.20.2")] {
            assert!(!same_version(documented, actual), "{documented} {actual}");
        }
    }
}
