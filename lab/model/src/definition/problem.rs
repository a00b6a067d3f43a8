//! What is wrong with files: every problem at once, each with its place.

use std::{fmt, ops::Range};

use miette::Diagnostic;
use thiserror::Error;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {message}")]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, with the key.
    pub message: String,
}

impl Problem {
    /// A problem of a place in a file's text.
    pub fn at(file: &str, text: &str, span: &Range<usize>, message: impl Into<String>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            message: message.into(),
        }
    }
}

/// Files that cannot be used, with everything that is wrong with them.
#[derive(Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{} in {what}:\n{}", count(.problems), list(.problems))]
#[diagnostic(
    code(lab::definition),
    help("mend the lines named, then run the same command again")
)]
pub struct DefinitionError {
    /// The file or files, in words.
    pub what: String,
    /// The problems, by file and line.
    pub problems: Vec<Problem>,
}

impl DefinitionError {
    /// The problems of one file.
    pub fn of(file: &str, problems: Vec<Problem>) -> Self {
        Self {
            what: format!("`{file}`"),
            problems,
        }
    }
}

fn count(problems: &[Problem]) -> String {
    match problems.len() {
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    }
}

fn list(problems: &[Problem]) -> impl fmt::Display {
    let lines: Vec<_> = problems.iter().map(|it| format!("  {it}")).collect();
    lines.join("\n")
}
