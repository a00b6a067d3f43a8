//! The pictures of a benchmark as files: the same that the learning report shows, each
//! an SVG document that brings its own style and asks for nothing.

use lab_model::benchmark::BenchmarkSummary;

use crate::{html::benchmark_files, lang::Lang};

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Name of its file: `latency.svg`, `histogram.svg`, `series.svg`; where there is
    /// what they show also `throughput.svg`, `search.svg`, `stages.svg`.
    pub file: String,
    /// The document.
    pub svg: String,
}

/// Every picture that the figures are enough for. Histogram and series are those of the
/// window at the knee, else of the last one; void windows are left out.
pub fn of(benchmark: &BenchmarkSummary, lang: Lang) -> Vec<Picture> {
    benchmark_files(benchmark, lang)
        .into_iter()
        .map(|(name, svg)| Picture {
            file: format!("{name}.svg"),
            svg,
        })
        .collect()
}
