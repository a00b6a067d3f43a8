//! The verdict on an upgrade: is `b` faster or slower than `a`, or can it not be told?
//!
//! Owns the plan of a comparison, the rule that judges it and the words for it. Knows no
//! server and no load: whatever implements [`Measure`] gives the figures of single runs.

mod block;
mod bootstrap;
mod calibration;
mod compare;
mod detectable;
mod failure;
mod gate;
mod holm;
mod judge;
mod korean;
mod metric;
mod plan;
mod random;
mod rank;
mod recorded;
mod rule;
mod sample;
mod schedule;
mod stage;
#[cfg(test)]
mod tests;
mod words;

pub use block::{Block, BlockState};
pub use bootstrap::{Interval, median};
pub use calibration::{CalibrationError, FalseAlarms};
pub use compare::{Comparison, End, Measure, Step, compare};
pub use detectable::Detectable;
pub use failure::Failure;
pub use gate::{Budget, Gate, Reading};
pub use holm::holm;
pub use judge::{BlockCounts, ColdStart, Doubt, FailedBlock, Finding, Verdict};
pub use korean::Korean;
pub use metric::Metric;
pub use plan::{Plan, PlanError};
pub use rank::{least_p, mann_whitney};
pub use recorded::{Recording, RecordingError, Round};
pub use rule::{Outcome, Tested};
pub use sample::{Pair, Sample, ServerMicros, Side, Unusable, neighbours};
pub use schedule::{Order, Schedule, Turn};
pub use stage::{Attribution, Stage, StageChange};
