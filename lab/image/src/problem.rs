//! What is wrong with recipes: every problem at once, each with file and place.

use std::{fmt, ops::Range};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use thiserror::Error;

/// One thing that is wrong with a recipe.
#[derive(Debug, Error)]
#[error("{file}:{line}: {message}")]
pub struct RecipeProblem {
    /// The recipe's file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, with the key.
    pub message: String,
    source_text: NamedSource<String>,
    span: Option<Range<usize>>,
}

impl RecipeProblem {
    pub(crate) fn new(
        file: &str,
        text: &str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
    ) -> Self {
        let before = span.as_ref().map_or(0, |span| span.start.min(text.len()));
        Self {
            file: file.to_owned(),
            line: text[..before].matches('\n').count() + 1,
            message: message.into(),
            source_text: NamedSource::new(file, text.to_owned()),
            span,
        }
    }
}

impl Diagnostic for RecipeProblem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new("lab::image::recipe"))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source_text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        let label = LabeledSpan::at(span, "here");
        Some(Box::new(std::iter::once(label)))
    }
}

/// Everything that is wrong with a folder of recipes.
#[derive(Debug, Error, Diagnostic)]
#[error("{} in the image recipes:\n{}", count(.problems), list(.problems))]
#[diagnostic(
    code(lab::image::recipes),
    help("mend the files named, then run `lab images list`")
)]
pub struct RecipeErrors {
    /// The problems, by file and line.
    #[related]
    pub problems: Vec<RecipeProblem>,
}

fn count(problems: &[RecipeProblem]) -> String {
    match problems.len() {
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    }
}

fn list(problems: &[RecipeProblem]) -> String {
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| format!("  {problem}"))
        .collect();
    lines.join("\n")
}
