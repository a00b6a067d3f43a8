//! A picture: on the page, or alone as a file.

use maud::{Markup, PreEscaped, html};
use unicode_width::UnicodeWidthStr;

use super::super::chart::{HEIGHT, WIDTH, plot};
use crate::lang::{Lang, Words};

const STYLE: &str = concat!(
    include_str!("../palette.css"),
    include_str!("../plot.css"),
    include_str!("alone.css")
);
/// Height of the heading of a picture that stands alone, user units.
const HEADING: f64 = 48.0;
/// Height of a line of its note, user units.
const LINE: f64 = 15.0;
/// Columns of a line of its note.
const LINE_LENGTH: usize = 74;
/// A file shows twice the user units in pixels.
const ZOOM: f64 = 2.0;

/// A plot with all that is said of it.
#[derive(Debug)]
pub(super) struct Picture {
    /// Name of its file, without extension.
    pub(super) file: &'static str,
    pub(super) caption: Words,
    /// What it leaves out or takes for granted.
    pub(super) note: Option<Words>,
    /// Its figures in words.
    pub(super) told: Words,
    pub(super) drawing: Markup,
}

impl Picture {
    /// As a figure of the page.
    pub(super) fn on_page(&self) -> Markup {
        html! {
            figure {
                figcaption { (self.caption) }
                (plot(&self.told, &self.drawing))
                @if let Some(note) = &self.note { p.note { (note) } }
            }
        }
    }

    /// As a whole SVG document in one language that brings its own style; `of` says what was
    /// measured.
    pub(super) fn alone(&self, of: &str, lang: Lang) -> String {
        let note = self.note.as_ref().map_or("", |note| note.of(lang));
        let note = wrapped(note, LINE_LENGTH);
        let caption = self.caption.of(lang);
        let other = match lang {
            Lang::English => ".ko",
            Lang::Korean => ".en",
        };
        #[expect(clippy::cast_precision_loss, reason = "a note has few lines")]
        let below = note.len() as f64 * LINE + if note.is_empty() { 0.0 } else { 14.0 };
        let height = HEADING + HEIGHT + below;
        html! {
            svg.alone xmlns="http://www.w3.org/2000/svg" lang=(lang.code()) role="img"
                aria-label=(self.told.of(lang))
                viewBox={ "0 " (-HEADING) " " (WIDTH) " " (height) }
                width=(ZOOM * WIDTH) height=(ZOOM * height) {
                title { (caption) ": " (of) }
                style { (PreEscaped(STYLE)) (other) " { display: none; }" }
                rect.sheet x="0" y=(-HEADING) width=(WIDTH) height=(height) {}
                text.caption x="12" y="-26" { (caption) }
                text.of x="12" y="-9" { (of) }
                g.plot { (self.drawing) }
                @for (index, line) in (0_u32..).zip(&note) {
                    text.of x="12" y=(HEIGHT + 15.0 + f64::from(index) * LINE) { (line) }
                }
            }
        }
        .into_string()
            + "\n"
    }
}

/// Words in lines of at most `most` columns, of which a Korean letter takes two; a longer word has a line of its own.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapping_loses_no_word(text in "[a-z ]{0,300}") {
            let lines = wrapped(&text, 20);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&lines.join(" ")), words(&text));
            prop_assert!(lines.iter().all(|line| line.len() <= 20 || !line.contains(' ')));
        }
    }
}
