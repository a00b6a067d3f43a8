//! Evidence: what was seen, as it was, folded where it is long.

use lab_model::event::Evidence;
use maud::{Markup, html};

use super::words::name;
use crate::{
    figures::{bytes, count},
    lang::{Lang, Words, told, with_code, words},
    text::{plain, shorten},
};

/// The longest evidence shown where something failed, bytes.
const FAILED_LIMIT: usize = 16 * 1024;
/// The longest evidence shown where all went well, bytes.
const PASSED_LIMIT: usize = 4 * 1024;
/// The most pieces of evidence shown in one place.
const MOST: usize = 40;
/// The longest reason, bytes.
const REASON_LIMIT: usize = 2 * 1024;

/// How much of evidence is shown, and whether it is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Folded, and shortened early.
    Folded,
    /// Unfolded and long, as a failure's evidence is.
    Open,
}

/// Pieces of evidence, in the order seen.
pub(super) fn all(evidence: &[Evidence], shown: Shown) -> Markup {
    html! {
        @for one in evidence.iter().take(MOST) {
            details.evidence open[shown == Shown::Open] {
                summary { (name(&one.source)) }
                (block(&one.text, match shown {
                    Shown::Open => FAILED_LIMIT,
                    Shown::Folded => PASSED_LIMIT,
                }))
            }
        }
        @if evidence.len() > MOST {
            p.left-out { "+ " (evidence.len() - MOST) ": events.ndjson" }
        }
    }
}

/// A reason in its own lines.
pub(super) fn reason(reason: &Words) -> Markup {
    let (english, korean) = (reason.of(Lang::English), reason.of(Lang::Korean));
    html! {
        p.reason {
            @if english == korean {
                (shortened(english))
            } @else {
                span.en lang="en" { (shortened(english)) }
                span.ko lang="ko" { (shortened(korean)) }
            }
        }
    }
}

fn shortened(text: &str) -> Markup {
    let short = shorten(text, REASON_LIMIT);
    html! {
        (with_code(&plain(short.head)))
        @if short.left_out > 0 { " … " (with_code(&plain(short.tail))) }
    }
}

/// Text as it was seen, cut in the middle where it is too long for a page.
fn block(text: &str, limit: usize) -> Markup {
    let short = shorten(text, limit);
    html! {
        // Long lines scroll, which a keyboard does only to what it can reach.
        pre tabindex="0" {
            @if text.trim().is_empty() { span.left-out { (words("(nothing)", "(없음)")) } }
            (plain(short.head))
            @if short.left_out > 0 {
                span.left-out { "\n… " (left_out(short.left_out)) " …\n" }
                (plain(short.tail))
            }
        }
    }
}

fn left_out(length: usize) -> Words {
    let size = match length {
        0..10_240 => format!("{} B", count(length as u64)),
        _ => bytes(length as u64),
    };
    told(
        format!("{size} left out here; events.ndjson has all of it"),
        format!("{size} 생략. 전체는 events.ndjson에 있습니다"),
    )
}
