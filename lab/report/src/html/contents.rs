//! What the report has: its chapters, with how each ended.

use maud::{Markup, html};

use super::{
    chapters::{Chapter, chapters},
    words::{heading, mark, took},
};
use crate::report::Report;

/// Links to every chapter.
pub(super) fn section(report: &Report) -> Markup {
    let chapters = chapters(report);
    html! {
        @if !chapters.is_empty() {
            section {
                (heading("contents", "Chapters", "차례"))
                ol.contents {
                    @for chapter in &chapters { (entry(chapter)) }
                }
            }
        }
    }
}

fn entry(chapter: &Chapter<'_>) -> Markup {
    html! {
        li class=[chapter.is_inner().then_some("inner-chapter")] {
            (mark(chapter.outcome()))
            a href={ "#" (chapter.id()) } { (chapter.title()) }
            (took(chapter.length()))
        }
    }
}
