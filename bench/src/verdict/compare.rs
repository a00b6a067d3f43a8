//! Measures the blocks of a plan in their order, and keeps all that came of them.

use std::future::Future;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    block::{Block, BlockState, mark},
    failure::Failure,
    plan::{Plan, PlanError},
    sample::{Pair, Sample, Side},
    schedule::Turn,
};

/// What measures: a real server and a real load, or a model of both in a test.
///
/// A future may be dropped half-way, when the comparison is cancelled; its load must end
/// with it.
pub trait Measure {
    /// Measures one side once, warmed up, with a load drawn from the seed.
    fn run(&mut self, side: Side, seed: u64) -> impl Future<Output = Result<Sample, Failure>>;

    /// Measures the null server: how many answers per second machine and generator can do
    /// when the server does nothing.
    fn canary(&mut self) -> impl Future<Output = Result<f64, Failure>>;
}

/// What a comparison is doing.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// A block begins.
    Block {
        /// Its number, from 1.
        number: usize,
        /// Pairs that are to count in the end.
        pairs: usize,
    },
    /// A run of this side begins.
    Run(Side),
    /// The canary begins.
    Canary,
    /// A block ended; later canaries may still void or clear it.
    Done(&'a Block),
}

/// Why no more was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As many pairs count as were planned.
    Complete,
    /// Void or failed blocks used up the spare ones.
    SpareSpent,
    /// It was cancelled.
    Cancelled,
}

/// All that was measured, with the plan it was measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The plan.
    pub plan: Plan,
    /// Every block, those too that do not count.
    pub blocks: Vec<Block>,
    /// Why it ended.
    pub end: End,
}

impl Comparison {
    /// The pairs that count, in the order measured.
    pub fn pairs(&self) -> Vec<Pair<'_>> {
        self.blocks.iter().filter_map(Block::pair).collect()
    }
}

/// Measures as the plan says, until as many pairs count as it asks for.
///
/// Nothing that the runs show ends it sooner or later: who looks at the result after each
/// pair and stops when it pleases, finds what was not there. A failed run or a moved canary
/// costs a spare block, and is kept.
///
/// # Errors
/// Fails where the plan could not come to a verdict, before anything is measured.
pub async fn compare<M: Measure>(
    plan: &Plan,
    measure: &mut M,
    cancel: &CancellationToken,
    mut progress: impl FnMut(Step<'_>),
) -> Result<Comparison, PlanError> {
    plan.check()?;
    let mut blocks: Vec<Block> = Vec::new();
    let mut end = End::SpareSpent;
    for (index, turn) in plan.schedule().turns().iter().enumerate() {
        if blocks.iter().filter_map(Block::pair).count() >= plan.pairs {
            break;
        }
        let mut block = planned(index + 1, *turn);
        progress(Step::Block {
            number: block.number,
            pairs: plan.pairs,
        });
        let went = tokio::select! {
            biased;
            () = cancel.cancelled() => BlockState::Cancelled,
            went = fill(&mut block, measure, &mut progress) => went,
        };
        block.state = went;
        blocks.push(block);
        mark(&mut blocks, plan.canary_limit);
        if let Some(done) = blocks.last() {
            progress(Step::Done(done));
        }
        if cancel.is_cancelled() {
            end = End::Cancelled;
            break;
        }
    }
    if blocks.iter().filter_map(Block::pair).count() >= plan.pairs {
        end = End::Complete;
    }
    Ok(Comparison {
        plan: plan.clone(),
        blocks,
        end,
    })
}

const fn planned(number: usize, turn: Turn) -> Block {
    Block {
        number,
        order: turn.order,
        seed: turn.seed,
        a: None,
        b: None,
        canary: None,
        state: BlockState::Counted,
    }
}

/// Measures a block: a run, the canary, the other run.
async fn fill<M: Measure>(
    block: &mut Block,
    measure: &mut M,
    progress: &mut impl FnMut(Step<'_>),
) -> BlockState {
    let [first, second] = block.order.sides();
    if let Err(failed) = run(block, first, measure, progress).await {
        return failed;
    }
    progress(Step::Canary);
    match measure.canary().await {
        Ok(canary) if canary.is_finite() && canary > 0.0 => block.canary = Some(canary),
        Ok(rate) => return failed(None, Failure::Null { rate }),
        Err(reason) => return failed(None, reason),
    }
    match run(block, second, measure, progress).await {
        Ok(()) => BlockState::Counted,
        Err(failed) => failed,
    }
}

async fn run<M: Measure>(
    block: &mut Block,
    side: Side,
    measure: &mut M,
    progress: &mut impl FnMut(Step<'_>),
) -> Result<(), BlockState> {
    progress(Step::Run(side));
    let sample = measure
        .run(side, block.seed)
        .await
        .map_err(|reason| failed(Some(side), reason))?;
    sample
        .check()
        .map_err(|unusable| failed(Some(side), unusable.into()))?;
    *block.run(side) = Some(sample);
    Ok(())
}

const fn failed(side: Option<Side>, reason: Failure) -> BlockState {
    BlockState::Failed { side, reason }
}
