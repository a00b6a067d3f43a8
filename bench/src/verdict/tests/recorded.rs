//! False alarms and power over runs recorded on a real machine, `bench/baselines/gates.json`.
//!
//! A gate takes consecutive rounds, so that the machine's drift is in it as it was, and a coin
//! says in each round which of the two equal runs stands for the older server. Gates share
//! rounds: their counts are of this recording, and no sample of other days.
//!
//! Counts are printed: `cargo test -p lab-bench recorded -- --nocapture`.

use std::path::Path;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::verdict::{Outcome, Pair, Plan, Recording, Round, Sample};

const GATES: usize = 300;

fn recording() -> Recording {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("baselines/gates.json");
    Recording::read(&path).unwrap()
}

/// How many gates call any figure slower, and how many faster, where `newer` stands for the
/// newer server; none: the other of the two equal runs.
fn called(plan: &Plan, newer: Option<fn(&Round) -> &Sample>) -> (usize, usize) {
    let recording = recording();
    let rounds = &recording.rounds;
    assert!(rounds.len() >= 2 * plan.pairs, "{} rounds", rounds.len());
    let mut random = Xoshiro256PlusPlus::seed_from_u64(300);
    let (mut slower, mut faster) = (0, 0);
    for _ in 0..GATES {
        let from = random.random_range(0..=rounds.len() - plan.pairs);
        let pairs: Vec<Pair<'_>> = rounds[from..from + plan.pairs]
            .iter()
            .map(|round| {
                let (a, other) = if random.random() {
                    (&round.a, &round.again)
                } else {
                    (&round.again, &round.a)
                };
                let b = newer.map_or(other, |of| of(round));
                Pair { a, b }
            })
            .collect();
        let tested = plan.test(&pairs);
        let any = |outcome| usize::from(tested.iter().any(|it| it.moved == Some(outcome)));
        slower += any(Outcome::Slower);
        faster += any(Outcome::Faster);
    }
    println!(
        "{} pairs: slower in {slower}, faster in {faster} of {GATES}",
        plan.pairs
    );
    (slower, faster)
}

#[test]
fn recorded_equals_are_called_different_in_one_of_a_hundred_at_most() {
    for plan in [Plan::new(0), Plan::for_tails(0)] {
        let (slower, faster) = called(&plan, None);
        assert!(slower + faster <= GATES / 100, "{} pairs", plan.pairs);
    }
}

#[test]
fn recorded_five_percent_more_service_time_is_seen_in_nineteen_of_twenty() {
    for plan in [Plan::new(0), Plan::for_tails(0)] {
        let (slower, faster) = called(&plan, Some(|round| &round.slower_5));
        assert!(slower * 20 >= GATES * 19, "{} pairs", plan.pairs);
        assert_eq!(faster, 0);
    }
}

#[test]
fn recorded_ten_percent_more_service_time_is_always_seen() {
    let (slower, _) = called(&Plan::new(0), Some(|round| &round.slower_10));
    assert_eq!(slower, GATES);
}

#[test]
fn recorded_two_percent_more_service_time_is_never_called_faster() {
    let (_, faster) = called(&Plan::new(0), Some(|round| &round.slower_2));
    assert_eq!(faster, 0);
}
