//! How often the rule cries wolf on this machine.

use miette::Diagnostic;
use rand::{RngExt, seq::index};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    plan::Plan,
    random::{Purpose, stream},
    sample::Pair,
};

/// How often the rule found a difference where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FalseAlarms {
    /// Comparisons made up from the calibration's pairs.
    pub gates: u32,
    /// Those that found a difference.
    pub alarms: u32,
    /// Pairs of equal runs that the calibration measured.
    pub pairs: usize,
}

/// Why a calibration tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum CalibrationError {
    /// A comparison needs more pairs than were measured.
    #[error("a calibration of {pairs} pairs cannot stand for comparisons of {needed}")]
    #[diagnostic(
        code(lab::bench::calibration_too_short),
        help("measure at least {needed} pairs of the same server, better twice as many")
    )]
    TooFew {
        /// Pairs of equal runs.
        pairs: usize,
        /// Pairs of a comparison.
        needed: usize,
    },
}

impl FalseAlarms {
    /// The share of alarms.
    pub fn share(&self) -> f64 {
        if self.gates == 0 {
            return 0.0;
        }
        f64::from(self.alarms) / f64::from(self.gates)
    }
}

impl Plan {
    /// Applies the rule to comparisons of equal things, made up from pairs of runs of one and
    /// the same server on this machine.
    ///
    /// Each takes as many pairs as the plan has, none twice, and a coin says for each which of
    /// its runs is `a`. Since the runs are equal, every such labelling is as likely as the one
    /// measured, and each alarm is false. Comparisons share their runs, so that the share is a
    /// figure about this machine in those minutes, not a bound.
    ///
    /// # Errors
    /// Fails with fewer pairs than the plan has: drawing a run twice would make up agreement.
    pub fn false_alarms(
        &self,
        equal: &[Pair<'_>],
        gates: u32,
    ) -> Result<FalseAlarms, CalibrationError> {
        if equal.len() < self.pairs {
            return Err(CalibrationError::TooFew {
                pairs: equal.len(),
                needed: self.pairs,
            });
        }
        let mut random = stream(self.seed, Purpose::Calibration);
        let mut alarms = 0;
        for _ in 0..gates {
            let drawn: Vec<Pair<'_>> = index::sample(&mut random, equal.len(), self.pairs)
                .into_iter()
                .map(|at| equal[at])
                .map(|pair| {
                    if random.random() {
                        pair.swapped()
                    } else {
                        pair
                    }
                })
                .collect();
            if self.test(&drawn).iter().any(|it| it.moved.is_some()) {
                alarms += 1;
            }
        }
        Ok(FalseAlarms {
            gates,
            alarms,
            pairs: equal.len(),
        })
    }
}
