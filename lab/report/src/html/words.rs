//! Words of the page: headings in both languages, cleaned text, marks.

use std::time::Duration;

use lab_model::outcome::Outcome;
use maud::{Markup, html};

pub(super) use crate::words::spoken;
use crate::{
    figures,
    lang::{Words, told, words},
    paint,
    text::one_line,
};

/// The longest name on the page, characters.
const NAME_LIMIT: usize = 300;

/// A heading of the page, in both languages.
pub(super) fn heading(id: &str, english: &'static str, korean: &'static str) -> Markup {
    html! {
        h2 id=(id) { (words(english, korean)) }
    }
}

/// A name or short text from outside, on one line.
pub(super) fn name(text: &str) -> String {
    one_line(text, NAME_LIMIT)
}

/// What an outcome is called in a class name: `passed`, `failed`, `flaky`, `not-run`, `open`.
pub(super) const fn class(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        Some(outcome) => outcome.word(),
        None => "open",
    }
}

/// The outcome as a mark, with its word for those who do not see it.
pub(super) fn mark(outcome: Option<&Outcome>) -> Markup {
    let word = spoken(outcome).in_attribute();
    html! {
        span class={ "mark " (class(outcome)) } role="img" aria-label=(word) title=(word) {
            (paint::mark(outcome))
        }
    }
}

/// A length of time.
pub(super) fn took(length: Duration) -> Markup {
    html! { span.took { (figures::duration(length)) } }
}

/// How many of a long list only the record has; nothing where the page has them all.
pub(super) fn left_out(number: usize, english: &str, korean: &str) -> Markup {
    html! {
        @if number > 0 {
            p.left-out {
                (told(
                    format!("+ {}: events.ndjson", figures::counted(number, english)),
                    format!("+ {korean} {}개: events.ndjson", figures::count(number as u64)),
                ))
            }
        }
    }
}

/// A term with its value in a list of facts; left out where there is no value.
pub(super) fn fact(english: &'static str, korean: &'static str, value: Option<Words>) -> Markup {
    html! {
        @if let Some(value) = value {
            div {
                dt { (words(english, korean)) }
                dd { (value.map(name)) }
            }
        }
    }
}
