//! Shows the help of an error in Korean.

use std::{error::Error, fmt};

use lab_model::help;
use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

/// An error whose help is in Korean.
#[derive(Debug)]
pub(crate) struct InKorean<'a> {
    error: &'a dyn Diagnostic,
    help: String,
}

impl<'a> InKorean<'a> {
    /// `None` where its help has no Korean words, or there is no help.
    pub(crate) fn of(error: &'a dyn Diagnostic) -> Option<Self> {
        let english = error.help()?.to_string();
        let code = error.code()?.to_string();
        let help = help::korean(&code, &english)?;
        Some(Self { error, help })
    }
}

impl fmt::Display for InKorean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.error, f)
    }
}

impl Error for InKorean<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl Diagnostic for InKorean<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.error.severity()
    }

    fn url<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.url()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.error.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.error.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.error.related()
    }

    fn diagnostic_source(&self) -> Option<&dyn Diagnostic> {
        self.error.diagnostic_source()
    }
}
