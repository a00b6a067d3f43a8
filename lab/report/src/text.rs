//! Cleans text that came from outside: logs, answers, names. What is left can be
//! shown to a person without moving the cursor or turning the line round.

use std::{borrow::Cow, fmt::Write, iter::Peekable, str::Chars};

/// Text without escape sequences and control characters. Line ends and tabs stay;
/// characters that would turn the reading direction are shown by their number.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(needs_care) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            char if turns_direction(char) => {
                // Writing to a String cannot fail.
                let _ = write!(clean, "[U+{:04X}]", u32::from(char));
            }
            char if needs_care(char) => clean.push('\u{fffd}'),
            char => clean.push(char),
        }
    }
    Cow::Owned(clean)
}

fn needs_care(char: char) -> bool {
    (char.is_control() && char != '\n' && char != '\t') || turns_direction(char)
}

const fn turns_direction(char: char) -> bool {
    matches!(
        char,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Passes over what follows an escape character.
fn skip_escape(rest: &mut Peekable<Chars<'_>>) {
    match rest.next_if(|char| char.is_ascii() && !char.is_ascii_control()) {
        Some('[') => skip_control_sequence(rest),
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(rest),
        // A character set or the like: one more character belongs to it.
        Some('(' | ')' | '*' | '+' | '#' | ' ' | '%') => {
            rest.next_if(char::is_ascii);
        }
        Some(_) | None => {}
    }
}

/// Passes over parameters up to the final byte of a control sequence.
fn skip_control_sequence(rest: &mut Peekable<Chars<'_>>) {
    while rest
        .next_if(|char| matches!(char, '\u{20}'..='\u{3f}'))
        .is_some()
    {}
    rest.next_if(|char| matches!(char, '\u{40}'..='\u{7e}'));
}

/// Passes over a title or a link, up to its terminator or the end of the line.
fn skip_string(rest: &mut Peekable<Chars<'_>>) {
    while let Some(char) = rest.next_if(|char| *char != '\n') {
        if char == '\u{7}' || char == '\u{9c}' {
            return;
        }
        if char == '\u{1b}' {
            rest.next_if_eq(&'\\');
            return;
        }
    }
}

/// Text cut in the middle, where it is longer than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortened<'a> {
    /// Its beginning, or all of it.
    pub(crate) head: &'a str,
    /// How many bytes were left out after the beginning.
    pub(crate) left_out: usize,
    /// Its end, where something was left out.
    pub(crate) tail: &'a str,
}

/// Keeps three quarters of the limit from the beginning and the rest from the end:
/// the cause of most failures is at one of the two.
pub(crate) fn shorten(text: &str, limit: usize) -> Shortened<'_> {
    if text.len() <= limit {
        return Shortened {
            head: text,
            left_out: 0,
            tail: "",
        };
    }
    let head_end = text.floor_char_boundary(limit / 4 * 3);
    let tail_start = text.ceil_char_boundary(text.len() - limit / 4);
    Shortened {
        head: &text[..head_end],
        left_out: tail_start - head_end,
        tail: &text[tail_start..],
    }
}

/// The beginning of a line, clean and with its spaces, cut with `…` where it is longer
/// than `limit` characters.
pub(crate) fn beginning(text: &str, limit: usize) -> String {
    let part = &text[..text.floor_char_boundary(limit.saturating_mul(8))];
    let clean = plain(part);
    match clean.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None if part.len() < text.len() => format!("{clean}…"),
        None => clean.into_owned(),
    }
}

/// Text on one line, cut with `…` where it is longer than `limit` characters.
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    // More than enough input for the limit, so that a huge text costs little.
    let part = &text[..text.floor_char_boundary(limit.saturating_mul(8))];
    let clean = plain(part);
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if part.len() < text.len() => line + "…",
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_not_touched() {
        let text = "학습 run\n\tpassed ✓ <b>";
        assert!(matches!(plain(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn colors_titles_and_links_are_taken_out() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m"), "red");
        assert_eq!(plain("\u{1b}]0;title\u{7}text"), "text");
        assert_eq!(
            plain("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"),
            "link"
        );
        assert_eq!(plain("\u{9b}2Jgone\u{1b}(B"), "gone");
    }

    #[test]
    fn an_unfinished_sequence_does_not_swallow_the_next_line() {
        assert_eq!(plain("\u{1b}]0;title\nnext"), "\nnext");
        assert_eq!(plain("\u{1b}["), "");
        assert_eq!(plain("\u{1b}\nnext"), "\nnext");
    }

    #[test]
    fn direction_marks_are_shown() {
        assert_eq!(plain("a\u{202e}gpj.exe"), "a[U+202E]gpj.exe");
    }

    #[test]
    fn carriage_returns_become_line_ends() {
        assert_eq!(plain("10 %\r20 %\r\ndone\u{8}"), "10 %\n20 %\ndone\u{fffd}");
    }

    #[test]
    fn long_text_keeps_both_ends() {
        let text = format!("{}{}", "a".repeat(100), "b".repeat(100));
        let short = shorten(&text, 40);
        assert_eq!(
            (short.head.len(), short.left_out, short.tail),
            (30, 160, "bbbbbbbbbb")
        );
        assert_eq!(shorten("abc", 3).left_out, 0);
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\n  b\tc", 10), "a b c");
        assert_eq!(one_line("가나다라", 2), "가나…");
    }

    proptest! {
        #[test]
        fn what_is_left_holds_no_control_character(text in ".*") {
            let clean = plain(&text);
            prop_assert!(!clean.chars().any(needs_care));
        }

        #[test]
        fn shortening_counts_what_it_leaves_out(text in ".*", limit in 0_usize..64) {
            let short = shorten(&text, limit);
            prop_assert_eq!(short.head.len() + short.left_out + short.tail.len(), text.len());
        }
    }
}
