//! What a search tries next: pure, from what was tried.

use lab_model::benchmark::Tried;

/// The first rate, as a share of what a closed loop brought: most servers hold their
/// target until they are nearly full.
const FIRST: f64 = 0.9;
/// What a rate is raised by while none has failed: a server that batches does more, the
/// more is asked of it.
const RAISE: f64 = 1.15;
/// What a rate is lowered by while none has held.
const LOWER: f64 = 0.75;
/// The rates that held and failed are close enough when they are this share apart.
const CLOSE: f64 = 0.05;
/// An answer is confirmed by so many windows that held, ...
const CONFIRM: usize = 3;
/// ... and by so many more than failed.
const MARGIN: usize = 2;
/// The least rate that is tried, requests a second.
const LEAST: f64 = 1.0;

/// What a search does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// Tries a rate, requests a second.
    Try(f64),
    /// Gives its answer, requests a second.
    Found(f64),
    /// Gives up: the least rate does not hold.
    Nothing,
}

/// What is known of a rate.
///
/// Who holds a target at a rate holds it below, and who fails at one fails above: windows
/// at other rates speak for this one, too. A machine that stood still for a moment makes a
/// window fail that says nothing of the rate, so one alone is asked again, unless half of
/// its answers were too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Evidence {
    held: usize,
    failed: usize,
    clearly: bool,
}

impl Evidence {
    fn of(rate: f64, target: f64, tried: &[Tried]) -> Self {
        let failed = |one: &&Tried| !one.held && !one.void && one.rate <= rate;
        let failed = tried.iter().filter(failed);
        Self {
            held: tried.iter().filter(|it| it.held && it.rate >= rate).count(),
            failed: failed.clone().count(),
            clearly: { failed }.any(|one| one.errors > 0 || one.p50 > target),
        }
    }

    const fn fails(self) -> bool {
        self.clearly || (self.failed >= 2 && self.failed > self.held)
    }

    const fn holds(self) -> bool {
        !self.fails() && self.held > self.failed
    }

    const fn is_sure(self) -> bool {
        self.held >= CONFIRM && self.held >= self.failed + MARGIN
    }
}

/// The highest rate that holds as far as is known, requests a second. `target`: p99
/// latency, microseconds.
pub(super) fn best(target: f64, tried: &[Tried]) -> Option<f64> {
    let rates = tried.iter().map(|one| one.rate);
    let held = rates.filter(|rate| Evidence::of(*rate, target, tried).holds());
    held.max_by(f64::total_cmp)
}

/// `ceiling`: right answers a second of a closed loop; `target`: p99 latency, microseconds.
pub(super) fn next(ceiling: f64, target: f64, tried: &[Tried]) -> Next {
    let evidence = |rate: f64| Evidence::of(rate, target, tried);
    let lowest = |which: fn(Evidence) -> bool| {
        let rates = tried.iter().map(|one| one.rate);
        let rates = rates.filter(|rate| which(evidence(*rate)));
        rates.min_by(f64::total_cmp)
    };
    if let Some(doubtful) = lowest(|it| !it.holds() && !it.fails()) {
        return Next::Try(doubtful);
    }
    match (best(target, tried), lowest(Evidence::fails)) {
        (None, None) => Next::Try((FIRST * ceiling).max(LEAST)),
        (Some(held), None) => Next::Try(RAISE * held),
        (None, Some(failed)) if LOWER * failed < LEAST => Next::Nothing,
        (None, Some(failed)) => Next::Try(LOWER * failed),
        (Some(held), Some(failed)) if failed - held > CLOSE * failed => {
            Next::Try(f64::midpoint(held, failed))
        }
        (Some(held), Some(_)) if evidence(held).is_sure() => Next::Found(held),
        (Some(held), Some(_)) => Next::Try(held),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    /// What a server answers at a rate.
    #[derive(Debug, Clone, Copy)]
    enum Answer {
        Held,
        /// A few answers were too late.
        Failed,
        /// Most were.
        Overloaded,
        Void,
    }

    fn tried(rate: f64, answer: Answer) -> Tried {
        Tried {
            rate,
            p50: match answer {
                Answer::Overloaded => 9e4,
                _ => 1e3,
            },
            p99: match answer {
                Answer::Held => 1e4,
                _ => 9e4,
            },
            errors: 0,
            held: matches!(answer, Answer::Held),
            void: matches!(answer, Answer::Void),
        }
    }

    const TARGET: f64 = 2e4;

    /// Searches a server that answers so at a rate; at most so many windows.
    fn search(
        ceiling: f64,
        most: usize,
        mut answer: impl FnMut(f64) -> Answer,
    ) -> (Next, Vec<Tried>) {
        let mut all = Vec::new();
        while all.len() < most {
            match next(ceiling, TARGET, &all) {
                Next::Try(rate) => all.push(tried(rate, answer(rate))),
                end => return (end, all),
            }
        }
        (Next::Nothing, all)
    }

    proptest! {
        #[test]
        fn what_holds_below_a_rate_and_fails_above_is_found_within_five_percent(
            ceiling in 1.0_f64..1e6,
            share in 0.02_f64..4.0,
            above in prop_oneof![Just(Answer::Failed), Just(Answer::Overloaded)],
        ) {
            let truth = share * ceiling;
            let (found, _) = search(ceiling, 80, |rate| match rate {
                rate if rate <= truth => Answer::Held,
                _ => above,
            });
            match found {
                Next::Found(found) => prop_assert!(found <= truth && found >= 0.95 * truth),
                _ => prop_assert!(truth < LEAST / LOWER),
            }
        }

        #[test]
        fn an_answer_is_what_more_windows_held_than_failed(
            chances in prop::collection::vec(0_u8..4, 200),
        ) {
            // A server that holds or not by chance.
            let mut chances = chances.iter().map(|chance| match chance {
                0 => Answer::Overloaded,
                1 => Answer::Failed,
                _ => Answer::Held,
            });
            let (found, tried) = search(1000.0, 200, |rate| match rate {
                rate if rate > 1200.0 => Answer::Overloaded,
                _ => chances.next().unwrap_or(Answer::Held),
            });
            if let Next::Found(found) = found {
                let held = tried.iter().filter(|one| one.held && one.rate >= found).count();
                let below = tried.iter().filter(|one| !one.held && one.rate <= found);
                prop_assert!(held >= CONFIRM && held >= below.clone().count() + MARGIN);
                prop_assert!(below.clone().all(|one| one.p50 <= TARGET));
            }
        }
    }

    #[test]
    fn a_machine_that_stands_still_in_one_of_five_windows_does_not_mislead() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut right = 0;
        for _ in 0..500 {
            let (found, _) = search(1040.0, 20, |rate| match rate {
                rate if rate > 1050.0 => Answer::Overloaded,
                rate if rate > 1000.0 || random.random_bool(0.2) => Answer::Failed,
                _ => Answer::Held,
            });
            right += usize::from(matches!(found, Next::Found(rate) if rate > 900.0));
        }
        assert!(right > 450, "{right} of 500");
    }

    #[test]
    fn a_window_that_is_void_and_failed_says_nothing() {
        let next = |answer| next(1000.0, TARGET, &[tried(900.0, answer)]);
        assert_eq!(next(Answer::Void), Next::Try(900.0));
        assert_eq!(next(Answer::Failed), Next::Try(900.0));
        assert_eq!(next(Answer::Overloaded), Next::Try(675.0));
    }
}
