//! What a run amounts to, folded from its events. Plain data that every output reads.

mod parts;
mod verdict;
mod whole;

pub use parts::{
    ClusterReport, CollectedEvidence, ComponentReport, Failure, ImageReport, Note, Place,
    PodSamples, ResourceSample, RunFacts, ScenarioReport, Span, StackReport, StageReport,
    StepReport,
};
pub use verdict::{BestBenchmark, Counts, NotRun, NotRunKind, Verdict};
pub use whole::Report;
