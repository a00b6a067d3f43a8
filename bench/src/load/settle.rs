//! Whether a load has become steady.

use hdrhistogram::Histogram;

use crate::record::times;

/// Length of a block, nanoseconds.
pub(crate) const BLOCK: u64 = 250_000_000;
/// Blocks that must agree.
const BLOCKS: usize = 3;
/// How far each may be from their middle one.
const SPREAD: f64 = 0.10;

/// Watches blocks of a warm-up: steady is a load whose last three blocks lie within
/// ±10 % of their median, in median latency and, of a closed loop, in answers.
///
/// The rule of `perf_analyzer` (three windows, ±10 %), on medians, which one slow
/// request does not move.
#[derive(Debug)]
pub(crate) struct Settle {
    times: Histogram<u64>,
    blocks: Vec<[f64; 2]>,
    counts_answers: bool,
}

impl Settle {
    /// `counts_answers`: whether the number of answers is the server's, as in a closed
    /// loop, and not the schedule's.
    pub(crate) fn new(counts_answers: bool) -> Self {
        Self {
            times: times(),
            blocks: Vec::new(),
            counts_answers,
        }
    }

    pub(crate) fn answer(&mut self, latency: u64) {
        self.times.saturating_record(latency.max(1));
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a block never holds 2^52 answers"
    )]
    pub(crate) fn turn(&mut self) {
        let median = self.times.value_at_quantile(0.5) as f64;
        self.blocks.push([median, self.times.len() as f64]);
        self.times.reset();
    }

    pub(crate) fn is_steady(&self) -> bool {
        let Some(last) = self.blocks.last_chunk::<BLOCKS>() else {
            return false;
        };
        let agree = |of: usize| {
            let mut values = last.map(|block| block[of]);
            values.sort_by(f64::total_cmp);
            let middle = values[BLOCKS / 2];
            middle > 0.0
                && values
                    .iter()
                    .all(|value| (value - middle).abs() <= SPREAD * middle)
        };
        agree(0) && (!self.counts_answers || agree(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(blocks: &[(u64, usize)]) -> Settle {
        let mut settle = Settle::new(true);
        for (latency, answers) in blocks {
            for _ in 0..*answers {
                settle.answer(*latency);
            }
            settle.turn();
        }
        settle
    }

    #[test]
    fn three_like_blocks_are_steady_whatever_was_before() {
        assert!(settle(&[(90_000, 5), (1000, 100), (1050, 96), (980, 104)]).is_steady());
        assert!(!settle(&[(1000, 100), (1050, 96)]).is_steady());
    }

    #[test]
    fn one_block_that_differs_is_not() {
        assert!(!settle(&[(1000, 100), (1200, 100), (1000, 100)]).is_steady());
        assert!(!settle(&[(1000, 100), (1000, 50), (1000, 100)]).is_steady());
    }

    #[test]
    fn no_answers_are_not_steady() {
        assert!(!settle(&[(0, 0), (0, 0), (0, 0)]).is_steady());
    }
}
