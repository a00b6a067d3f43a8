//! What a person reads that is not a report: results on standard output, all else
//! on standard error. The only place that prints.
#![expect(clippy::print_stderr, reason = "this module is the printer")]

use std::{
    error::Error,
    io::{IsTerminal, Write},
};

use lab_model::exit::Exit;
use lab_report::lang::Lang;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::{
    args::{ColorChoice, Global},
    help::InKorean,
};

/// How an error's help begins.
const HELP: &str = "  help: ";

/// Whether standard error may have colour.
pub(crate) fn color(global: &Global) -> bool {
    match global.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
        }
    }
}

/// Prints a result: as JSON where asked for, else as text.
pub(crate) fn result(global: &Global, value: &impl Serialize, text: &str) {
    if global.json {
        match serde_json::to_string_pretty(value) {
            Ok(json) => self::text(&json),
            Err(error) => eprintln!("failed to write JSON: {error}"),
        }
    } else if !text.is_empty() {
        self::text(text);
    }
}

/// Prints one of many results, on a line of its own.
pub(crate) fn line(global: &Global, value: &serde_json::Value, text: &str) {
    if global.json {
        self::text(&value.to_string());
    } else {
        self::text(text);
    }
}

/// Prints text to standard output as it is.
pub(crate) fn text(text: &str) {
    // Who reads may have enough and be gone (`| head`): no reason to fail.
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// Rows as columns that stand below each other.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - cell.width())));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Says something to the person at the terminal.
pub(crate) fn remark(text: &str) {
    eprintln!("{text}");
}

/// Says something in the person's language.
pub(crate) fn say(lang: Lang, english: &str, korean: &str) {
    remark(match lang {
        Lang::English => english,
        Lang::Korean => korean,
    });
}

/// Shows an error with its causes, the place in a file, and the next command.
pub(crate) fn error(global: &Global, error: &dyn Diagnostic) {
    let theme = if color(global) {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let is_korean = global.lang.lang() == Lang::Korean;
    let with_help = is_korean.then(|| InKorean::of(error)).flatten();
    let error = with_help.as_ref().map_or(error, |it| it);
    let mut text = String::new();
    let rendered = GraphicalReportHandler::new_themed(theme).render_report(&mut text, error);
    if rendered.is_err() {
        text = error.to_string();
    }
    if is_korean && error.help().is_some() {
        text = korean_frame(text);
    }
    eprintln!("{}", text.trim_end());
}

/// The one word of the frame. It is as wide as before, so that further lines stay below the
/// first.
fn korean_frame(mut text: String) -> String {
    // The help stands last, whatever the error's own text says.
    if let Some(at) = text.rfind(HELP) {
        text.replace_range(at..at + HELP.len(), "  도움: ");
    }
    text
}

/// Shows an error that only a bug can cause.
pub(crate) fn bug(what: &str) -> Exit {
    eprintln!("bug in lab: {what}");
    Exit::Bug
}

/// An I/O error with what was being done, for the few files the command line touches.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to {doing}")]
#[diagnostic(code(lab::cli::file))]
pub(crate) struct FileError {
    pub(crate) doing: String,
    #[source]
    pub(crate) source: Box<dyn Error + Send + Sync>,
}

/// For `map_err`: names what was being done with a file.
pub(crate) fn doing<E: Error + Send + Sync + 'static>(
    doing: impl Into<String>,
) -> impl FnOnce(E) -> FileError {
    let doing = doing.into();
    move |source| FileError {
        doing,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_of_an_error_is_in_korean() {
        let text =
            "  × it printed   help: none\n  help: start Docker\n        or Podman\n".to_owned();
        assert_eq!(
            korean_frame(text),
            "  × it printed   help: none\n  도움: start Docker\n        or Podman\n"
        );
        assert_eq!(HELP.width(), "  도움: ".width());
    }
}
