//! What is kept of a comparison, however it went.

use std::future::pending;

use tokio_util::sync::CancellationToken;

use super::machine::{Effect, Machine};
use crate::verdict::{
    Block, BlockState, Comparison, Doubt, End, Failure, Measure, Outcome, Plan, PlanError, Sample,
    Side, Step, compare,
};

/// Gives recorded runs, and at one of its calls something else.
struct Scripted {
    runs: Vec<(Sample, Sample)>,
    asked: Vec<(Side, u64)>,
    canaries: usize,
    odd: Odd,
    cancel: CancellationToken,
}

#[derive(Clone, Copy, PartialEq)]
enum Odd {
    Nothing,
    /// This canary is slow.
    Canary(usize),
    /// This run of `b` fails.
    Run(usize),
    /// Every run of `b` fails.
    Runs,
    /// This run of `b` has no answers.
    Empty(usize),
    /// This run never ends, and the comparison is cancelled in it.
    Cancelled(usize),
}

impl Scripted {
    fn new(odd: Odd) -> Self {
        Self {
            runs: Machine::new(1).pairs(40, Effect::SERVICE_10),
            asked: Vec::new(),
            canaries: 0,
            odd,
            cancel: CancellationToken::new(),
        }
    }

    async fn compared(&mut self) -> Comparison {
        let cancel = self.cancel.clone();
        compare(&Plan::new(42), self, &cancel, |_| {})
            .await
            .unwrap()
    }
}

impl Measure for Scripted {
    async fn run(&mut self, side: Side, seed: u64) -> Result<Sample, Failure> {
        self.asked.push((side, seed));
        let of_side = self.asked.iter().filter(|(it, _)| *it == side).count();
        if self.odd == Odd::Cancelled(self.asked.len()) {
            self.cancel.cancel();
            pending::<()>().await;
        }
        let (a, b) = self.runs[of_side - 1];
        match (side, self.odd) {
            (Side::A, _) => Ok(a),
            (Side::B, Odd::Runs) => Err(gone()),
            (Side::B, Odd::Run(at)) if at == of_side => Err(gone()),
            (Side::B, Odd::Empty(at)) if at == of_side => Ok(Sample {
                throughput: 0.0,
                ..b
            }),
            (Side::B, _) => Ok(b),
        }
    }

    async fn canary(&mut self) -> Result<f64, Failure> {
        self.canaries += 1;
        Ok(if self.odd == Odd::Canary(self.canaries) {
            140_000.0
        } else {
            250_000.0
        })
    }
}

fn gone() -> Failure {
    Failure::Told("the server is gone".to_owned())
}

fn states(comparison: &Comparison) -> Vec<&BlockState> {
    comparison.blocks.iter().map(|block| &block.state).collect()
}

#[tokio::test]
async fn blocks_are_measured_in_the_order_of_the_schedule() {
    let mut measure = Scripted::new(Odd::Nothing);
    let comparison = measure.compared().await;
    let planned: Vec<(Side, u64)> = Plan::new(42).schedule().turns()[..10]
        .iter()
        .flat_map(|turn| turn.order.sides().map(|side| (side, turn.seed)))
        .collect();
    assert_eq!(measure.asked, planned);
    assert_eq!(comparison.end, End::Complete);
    assert_eq!(comparison.pairs().len(), 10);
    assert_eq!(comparison.verdict(None).outcome, Outcome::Slower);
}

#[tokio::test]
async fn a_block_whose_canary_moved_is_kept_and_replaced() {
    let comparison = Scripted::new(Odd::Canary(3)).compared().await;
    assert_eq!(comparison.blocks.len(), 11);
    let void = &comparison.blocks[2];
    assert!(matches!(void.state, BlockState::Void { moved } if (moved + 0.44).abs() < 1e-9));
    assert!(void.a.is_some() && void.b.is_some() && void.pair().is_none());
    assert_eq!(
        (comparison.end, comparison.pairs().len()),
        (End::Complete, 10)
    );
}

#[tokio::test]
async fn a_failed_run_is_kept_and_replaced() {
    for odd in [Odd::Run(2), Odd::Empty(2)] {
        let comparison = Scripted::new(odd).compared().await;
        assert_eq!(comparison.blocks.len(), 11);
        let BlockState::Failed { side, reason } = &comparison.blocks[1].state else {
            panic!("{:?}", comparison.blocks[1]);
        };
        assert_eq!(*side, Some(Side::B));
        assert!(
            *reason == gone() || reason.to_string() == "throughput is 0, which no run can have",
            "{reason}"
        );
        assert_eq!(comparison.pairs().len(), 10);
        assert_eq!(comparison.verdict(None).blocks.failed.len(), 1);
        assert!(
            comparison
                .verdict(None)
                .conclusion
                .ends_with("; 1 of the runs of B failed"),
            "{}",
            comparison.verdict(None).conclusion
        );
    }
}

#[tokio::test]
async fn a_server_that_always_fails_ends_in_no_verdict() {
    let comparison = Scripted::new(Odd::Runs).compared().await;
    assert_eq!(
        (comparison.blocks.len(), comparison.end),
        (15, End::SpareSpent)
    );
    let verdict = comparison.verdict(None);
    assert_eq!(
        verdict.conclusion,
        "undecided: only 0 of 10 pairs count (15 failed in B)"
    );
}

#[tokio::test]
async fn what_was_measured_before_a_cancel_is_kept() {
    let comparison = Scripted::new(Odd::Cancelled(6)).compared().await;
    assert_eq!(comparison.end, End::Cancelled);
    assert_eq!(
        states(&comparison),
        [
            &BlockState::Counted,
            &BlockState::Counted,
            &BlockState::Cancelled
        ]
    );
    let last: &Block = &comparison.blocks[2];
    assert!(last.a.is_some() != last.b.is_some());

    let verdict = comparison.verdict(None);
    assert_eq!(verdict.outcome, Outcome::Undecided);
    assert_eq!(
        verdict.findings[0].doubt,
        Some(Doubt::Incomplete { counted: 2 })
    );
    assert_eq!(
        verdict.conclusion,
        "undecided: cancelled after 2 of 10 pairs"
    );
}

#[tokio::test]
async fn a_plan_that_cannot_fire_measures_nothing() {
    let mut measure = Scripted::new(Odd::Nothing);
    let plan = Plan {
        pairs: 4,
        ..Plan::new(42)
    };
    let refused = compare(&plan, &mut measure, &CancellationToken::new(), |_| {}).await;
    assert!(matches!(
        refused,
        Err(PlanError::CannotFire { needed: 6, .. })
    ));
    assert!(measure.asked.is_empty());
}

#[tokio::test]
async fn progress_tells_each_step() {
    let mut told = Vec::new();
    let mut measure = Scripted::new(Odd::Nothing);
    let cancel = CancellationToken::new();
    let progress = |step: Step<'_>| {
        told.push(match step {
            Step::Block { number, pairs } => format!("block {number} of {pairs}"),
            Step::Run(side) => format!("{side:?}"),
            Step::Canary => "canary".to_owned(),
            Step::Done(block) => format!("{:?}", block.state),
        });
    };
    compare(&Plan::new(42), &mut measure, &cancel, progress)
        .await
        .unwrap();
    assert_eq!(told.len(), 50);
    let first = Plan::new(42).schedule().turns()[0];
    let [one, other] = first.order.sides().map(|side| format!("{side:?}"));
    assert_eq!(
        told[..5],
        [
            "block 1 of 10".to_owned(),
            one,
            "canary".to_owned(),
            other,
            "Counted".to_owned()
        ]
    );
}
