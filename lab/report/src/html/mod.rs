//! The learning report: one self-contained page.

use crate::report::Report;

/// Renders the page.
pub fn render(report: &Report) -> String {
    let _ = report;
    String::new()
}
