//! A block of a comparison: one run of each side and the canary between them.

use serde::{Deserialize, Serialize};

use super::{
    bootstrap::median,
    failure::Failure,
    sample::{Pair, Sample, Side},
    schedule::Order,
};

/// One block, kept whatever became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Its place in the comparison, from 1.
    pub number: usize,
    /// Which side was measured first.
    pub order: Order,
    /// Seed of its load.
    pub seed: u64,
    /// The run of side `a`.
    pub a: Option<Sample>,
    /// The run of side `b`.
    pub b: Option<Sample>,
    /// Answers per second that the null server gave between the runs: how fast the machine
    /// and the load generator were just then.
    pub canary: Option<f64>,
    /// What became of it.
    pub state: BlockState,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum BlockState {
    /// Its runs count.
    Counted,
    /// The machine was not the same as in other blocks; its runs do not count.
    Void {
        /// How far the canary lay from the median of all, as a share: -0.2 is 20 % below.
        moved: f64,
    },
    /// A run or the canary failed.
    Failed {
        /// Whose run; none where it was the canary.
        side: Option<Side>,
        /// Why.
        reason: Failure,
    },
    /// The comparison was cancelled within it.
    Cancelled,
}

impl Block {
    /// Its runs, where they count.
    pub fn pair(&self) -> Option<Pair<'_>> {
        match (&self.state, &self.a, &self.b) {
            (BlockState::Counted, Some(a), Some(b)) => Some(Pair { a, b }),
            _ => None,
        }
    }

    pub(super) const fn run(&mut self, side: Side) -> &mut Option<Sample> {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}

/// Marks the blocks whose canary lies too far from the median of all canaries as void, and
/// clears those that do not.
///
/// Only canaries decide, never the runs that are compared: leaving out and replacing blocks
/// by their canary cannot favour a side.
pub(super) fn mark(blocks: &mut [Block], limit: f64) {
    let canaries: Vec<f64> = blocks.iter().filter_map(|block| block.canary).collect();
    let Some(usual) = median(&canaries) else {
        return;
    };
    for block in blocks {
        let (BlockState::Counted | BlockState::Void { .. }, Some(canary)) =
            (&block.state, block.canary)
        else {
            continue;
        };
        let moved = canary / usual - 1.0;
        block.state = if moved.abs() > limit {
            BlockState::Void { moved }
        } else {
            BlockState::Counted
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(canaries: &[f64]) -> Vec<Block> {
        let block = |canary: &f64| Block {
            number: 1,
            order: Order::AThenB,
            seed: 0,
            a: None,
            b: None,
            canary: Some(*canary),
            state: BlockState::Counted,
        };
        canaries.iter().map(block).collect()
    }

    fn void(blocks: &[Block]) -> Vec<bool> {
        blocks
            .iter()
            .map(|block| matches!(block.state, BlockState::Void { .. }))
            .collect()
    }

    #[test]
    fn a_canary_beyond_the_limit_voids_its_block() {
        let mut all = blocks(&[100.0, 102.0, 88.0, 99.0, 111.0]);
        mark(&mut all, 0.1);
        assert_eq!(void(&all), [false, false, true, false, true]);
    }

    #[test]
    fn later_blocks_can_clear_earlier_ones() {
        let mut all = blocks(&[100.0, 100.0, 115.0]);
        mark(&mut all, 0.1);
        assert_eq!(void(&all), [false, false, true]);
        all.extend(blocks(&[115.0, 116.0, 114.0]));
        mark(&mut all, 0.1);
        assert_eq!(void(&all), [true, true, false, false, false, false]);
    }

    #[test]
    fn a_failed_block_stays_failed() {
        let mut all = blocks(&[100.0, 100.0]);
        let failed = BlockState::Failed {
            side: Some(Side::B),
            reason: Failure::Told("gone".to_owned()),
        };
        all[1].state = failed.clone();
        mark(&mut all, 0.1);
        assert_eq!(all[1].state, failed);
    }
}
