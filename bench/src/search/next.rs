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
/// A rate is confirmed by this many windows at it or above that held.
const CONFIRM: usize = 3;
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

/// The highest rate that held with none below it that failed, requests a second.
pub(super) fn best(tried: &[Tried]) -> Option<f64> {
    let lowest = lowest_failed(tried).unwrap_or(f64::INFINITY);
    let held = tried.iter().filter(|one| one.held && one.rate < lowest);
    held.map(|one| one.rate).max_by(f64::total_cmp)
}

/// `ceiling`: right answers a second of a closed loop.
pub(super) fn next(ceiling: f64, tried: &[Tried]) -> Next {
    let try_or_give_up = |rate| match rate {
        rate if rate < LEAST => Next::Nothing,
        rate => Next::Try(rate),
    };
    match (best(tried), lowest_failed(tried)) {
        (None, None) => Next::Try((FIRST * ceiling).max(LEAST)),
        (Some(held), None) => Next::Try(RAISE * held),
        (None, Some(failed)) => try_or_give_up(LOWER * failed),
        (Some(held), Some(failed)) if failed - held > CLOSE * failed => {
            Next::Try(f64::midpoint(held, failed))
        }
        (Some(held), Some(_)) if confirmations(tried, held) < CONFIRM => Next::Try(held),
        (Some(held), Some(_)) => Next::Found(held),
    }
}

fn lowest_failed(tried: &[Tried]) -> Option<f64> {
    let failed = tried.iter().filter(|one| !one.held && !one.void);
    failed.map(|one| one.rate).min_by(f64::total_cmp)
}

/// Who holds its target at a rate holds it below, too.
fn confirmations(tried: &[Tried], rate: f64) -> usize {
    let held = tried.iter().filter(|one| one.held && one.rate >= rate);
    held.count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches a server that tells whether it holds a rate, the `n`th time it is asked.
    fn search(ceiling: f64, holds: impl Fn(f64, usize) -> bool) -> (Option<f64>, Vec<Tried>) {
        let mut tried = Vec::new();
        loop {
            let rate = match next(ceiling, &tried) {
                Next::Try(rate) => rate,
                Next::Found(rate) => return (Some(rate), tried),
                Next::Nothing => return (None, tried),
            };
            tried.push(Tried {
                rate,
                p99: 0.0,
                errors: 0,
                held: holds(rate, tried.len()),
                void: false,
            });
        }
    }

    proptest! {
        #[test]
        fn what_holds_below_a_rate_and_fails_above_is_found_within_five_percent(
            ceiling in 1.0_f64..1e6,
            share in 0.02_f64..4.0,
        ) {
            let truth = share * ceiling;
            let (found, tried) = search(ceiling, |rate, _| rate <= truth);
            match found {
                Some(found) => prop_assert!(found <= truth && found >= 0.95 * truth),
                None => prop_assert!(truth < LEAST / LOWER),
            }
            prop_assert!(tried.len() <= 28, "{} windows", tried.len());
        }

        #[test]
        fn no_answer_is_above_a_rate_that_failed_and_each_held_three_times(
            chances in prop::collection::vec(any::<bool>(), 64),
        ) {
            // Within 15 % of its limit a server holds or not by chance.
            let (found, tried) = search(1000.0, |rate, turn| match rate {
                rate if rate < 800.0 => true,
                rate if rate > 920.0 => false,
                _ => chances[turn % chances.len()],
            });
            let found = found.expect("low rates hold");
            let held = tried.iter().filter(|one| one.held && one.rate >= found).count();
            prop_assert!(held >= CONFIRM);
            prop_assert!(tried.iter().all(|one| one.held || one.rate > found));
            prop_assert!((760.0..=920.0).contains(&found), "{found}");
        }
    }

    #[test]
    fn a_window_that_is_void_and_failed_says_nothing() {
        let mut one = Tried {
            rate: 900.0,
            p99: 9e4,
            errors: 0,
            held: false,
            void: true,
        };
        assert_eq!(next(1000.0, &[one]), Next::Try(900.0));
        one.void = false;
        assert_eq!(next(1000.0, &[one]), Next::Try(675.0));
    }
}
