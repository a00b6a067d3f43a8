//! When requests are due: a schedule that is known before the first one is sent.

use std::{sync::Arc, time::Duration};

use lab_model::benchmark::ArrivalKind;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// How arrivals are spread over an open loop's window.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Arrivals {
    /// Evenly: one every `1 / rate` seconds.
    Constant {
        /// Requests a second.
        rate: f64,
    },
    /// At random, independent of one another: exponential gaps of mean `1 / rate`.
    Poisson {
        /// Requests a second, on average.
        rate: f64,
    },
    /// Evenly, at a rate that changes linearly over the window.
    Ramp {
        /// Requests a second at the window's start.
        from: f64,
        /// Requests a second at its end.
        to: f64,
    },
    /// As recorded.
    Replay {
        /// Nanoseconds after the window's start, ascending.
        offsets: Arc<[u64]>,
    },
    /// One generator's part of what several send together.
    Share {
        /// What they send together; no share itself.
        whole: Box<Arrivals>,
        /// The first arrival that is its own, from 0.
        index: u32,
        /// Generators: every so many-th arrival after the first is its own, too. At least 1.
        of: u32,
    },
}

impl Arrivals {
    /// The part of one generator of `of`, from 0. Whatever the process, the parts
    /// together are the arrivals of the whole with the same seed, each once.
    #[must_use]
    pub fn share(&self, index: u32, of: u32) -> Self {
        let of = of.max(1);
        match self {
            Self::Share {
                whole,
                index: first,
                of: parts,
            } => Self::Share {
                whole: whole.clone(),
                index: first + parts * index,
                of: parts * of,
            },
            whole => Self::Share {
                whole: Box::new(whole.clone()),
                index,
                of,
            },
        }
    }

    /// How they are spread, for the record.
    pub fn kind(&self) -> ArrivalKind {
        match self {
            Self::Constant { .. } => ArrivalKind::Constant,
            Self::Poisson { .. } => ArrivalKind::Poisson,
            Self::Ramp { .. } => ArrivalKind::Ramp,
            Self::Replay { .. } => ArrivalKind::Replay,
            Self::Share { whole, .. } => whole.kind(),
        }
    }

    /// What is sent before the window: evenly, at the rate it starts with.
    pub(crate) fn warm_up(&self, window: Duration) -> Self {
        match self {
            Self::Share { whole, index, of } => whole.warm_up(window).share(*index, *of),
            whole => Self::Constant {
                rate: whole.first_rate(window),
            },
        }
    }

    /// Requests a second when the window starts.
    fn first_rate(&self, window: Duration) -> f64 {
        match self {
            Self::Ramp { from, to } => from.max(to / 10.0),
            other => other.mean_rate(window),
        }
    }

    /// Requests a second over the whole window, on average.
    pub fn mean_rate(&self, window: Duration) -> f64 {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => *rate,
            Self::Ramp { from, to } => f64::midpoint(*from, *to),
            Self::Replay { offsets } => {
                let end = nanos(window);
                mean_rate(offsets.partition_point(|at| *at < end), window)
            }
            Self::Share { whole, of, .. } => whole.mean_rate(window) / f64::from(*of),
        }
    }

    /// The arrivals within the window, nanoseconds after its start, ascending. The same
    /// seed gives the same schedule, on every machine.
    pub(crate) fn times(&self, window: Duration, seed: u64) -> Times {
        let (whole, skip, step) = match self {
            Self::Share { whole, index, of } => (whole.as_ref(), *index, *of),
            whole => (whole, 0, 1),
        };
        Times {
            arrivals: whole.clone(),
            window: nanos(window),
            rng: ChaCha8Rng::seed_from_u64(seed),
            turn: 0,
            at: 0.0,
            skip,
            others: step - 1,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a trace has less than 2^52 arrivals"
)]
fn mean_rate(arrivals: usize, window: Duration) -> f64 {
    arrivals as f64 / window.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// Nanoseconds of a duration; five centuries at most.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Arrival times, made as they are asked for.
#[derive(Debug)]
pub(crate) struct Times {
    arrivals: Arrivals,
    window: u64,
    rng: ChaCha8Rng,
    turn: u64,
    /// Seconds, of the last Poisson arrival.
    at: f64,
    /// Arrivals of other generators before the next one.
    skip: u32,
    /// Arrivals of other generators between two of this one.
    others: u32,
}

impl Iterator for Times {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        // Drawn all the same: each depends on those before it.
        for _ in 0..self.skip {
            self.turn()?;
        }
        self.skip = self.others;
        self.turn()
    }
}

impl Times {
    /// The next arrival of the whole.
    fn turn(&mut self) -> Option<u64> {
        let at = self.due()?;
        self.turn += 1;
        (at < self.window).then_some(at)
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "turns are below 2^52, times are positive and below five centuries"
    )]
    fn due(&mut self) -> Option<u64> {
        let turn = self.turn as f64;
        let seconds = match &self.arrivals {
            Arrivals::Constant { rate } => turn / rate,
            Arrivals::Poisson { rate } => {
                // The gap by inversion: 1 - u is in (0, 1], so its logarithm is finite.
                let gap = -(1.0 - self.rng.random::<f64>()).ln() / rate;
                self.at += gap;
                self.at
            }
            Arrivals::Ramp { from, to } => {
                let window = self.window as f64 / 1e9;
                ramp(*from, (to - from) / window, turn)?
            }
            Arrivals::Replay { offsets } => {
                return offsets.get(usize::try_from(self.turn).ok()?).copied();
            }
            // `times` took its whole.
            Arrivals::Share { .. } => return None,
        };
        (seconds.is_finite()).then_some((seconds * 1e9) as u64)
    }
}

/// When the `turn`-th request is due: `from·t + slope·t²/2 = turn`, solved in the form
/// that does not cancel.
fn ramp(from: f64, slope: f64, turn: f64) -> Option<f64> {
    let root = 2.0_f64.mul_add(slope * turn, from * from);
    if root < 0.0 {
        return None; // The rate has come down to nothing.
    }
    if turn == 0.0 {
        return Some(0.0);
    }
    Some(2.0 * turn / (from + root.sqrt()))
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and times of tests are small"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(4);

    fn all(arrivals: &Arrivals, seed: u64) -> Vec<u64> {
        arrivals.times(WINDOW, seed).collect()
    }

    fn any_arrivals() -> impl Strategy<Value = Arrivals> {
        prop_oneof![
            (1.0..5000.0).prop_map(|rate| Arrivals::Constant { rate }),
            (1.0..5000.0).prop_map(|rate| Arrivals::Poisson { rate }),
            (0.0..3000.0, 1.0..3000.0).prop_map(|(from, to)| Arrivals::Ramp { from, to }),
            (1.0..3000.0, 0.0..3000.0).prop_map(|(from, to)| Arrivals::Ramp { from, to }),
            // A trace may be longer than the window.
            prop::collection::vec(0..2 * nanos(WINDOW), 0..200).prop_map(|mut offsets| {
                offsets.sort_unstable();
                Arrivals::Replay {
                    offsets: offsets.into(),
                }
            }),
        ]
    }

    proptest! {
        #[test]
        fn the_same_seed_gives_the_same_ascending_schedule(
            arrivals in any_arrivals(), seed in any::<u64>()
        ) {
            let times = all(&arrivals, seed);
            prop_assert_eq!(&times, &all(&arrivals, seed));
            prop_assert!(times.is_sorted());
            prop_assert!(times.iter().all(|at| *at < nanos(WINDOW)));
        }

        #[test]
        fn as_many_arrive_as_the_rate_says(arrivals in any_arrivals(), seed in any::<u64>()) {
            let expected = arrivals.mean_rate(WINDOW) * WINDOW.as_secs_f64();
            let seen = all(&arrivals, seed).len() as f64;
            // Six standard deviations of a Poisson count; the others are exact.
            prop_assert!((seen - expected).abs() <= 6.0 * expected.sqrt() + 1.0, "{seen} {expected}");
        }

        #[test]
        fn shares_together_are_the_whole(
            arrivals in any_arrivals(), seed in any::<u64>(), of in 1_u32..6
        ) {
            for whole in [arrivals.clone(), arrivals.warm_up(WINDOW)] {
                let shares = (0..of).map(|index| whole.share(index, of));
                let mut shared: Vec<u64> = shares.flat_map(|share| all(&share, seed)).collect();
                shared.sort_unstable();
                prop_assert_eq!(shared, all(&whole, seed));
            }
        }

        #[test]
        fn a_share_is_said_as_its_part(arrivals in any_arrivals(), of in 1_u32..6) {
            let share = arrivals.share(0, of);
            prop_assert_eq!(share.kind(), arrivals.kind());
            let (part, whole) = (share.mean_rate(WINDOW), arrivals.mean_rate(WINDOW));
            prop_assert!((part * f64::from(of) - whole).abs() <= 1e-9 * whole);
            prop_assert_eq!(share.warm_up(WINDOW), arrivals.warm_up(WINDOW).share(0, of));
        }
    }

    #[test]
    fn a_schedule_is_the_same_on_every_machine_and_in_every_version() {
        let times = all(&Arrivals::Poisson { rate: 2.0 }, 7);
        insta::assert_debug_snapshot!(times);
    }

    #[test]
    fn a_ramp_ends_at_its_last_rate() {
        let times = all(
            &Arrivals::Ramp {
                from: 100.0,
                to: 1000.0,
            },
            0,
        );
        let last = times.windows(2).next_back().unwrap();
        let rate = 1e9 / (last[1] - last[0]) as f64;
        assert!((rate - 1000.0).abs() < 5.0, "{rate}");
    }
}
