//! The last words of a run on the terminal.

use std::path::Path;

use crate::report::Report;

/// Renders the summary; `page` is where the learning report lies.
pub fn render(report: &Report, page: Option<&Path>, color: bool) -> String {
    let _ = (report, page, color);
    String::new()
}
