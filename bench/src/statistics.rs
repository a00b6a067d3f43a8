//! What was counted and timed, mergeable without loss.

use std::{collections::BTreeMap, fmt};

use hdrhistogram::Histogram;
use lab_model::benchmark::LatencyMicros;

/// Longest time that is told apart, microseconds. Longer ones count as this long.
const LONGEST_MICROS: u64 = 60_000_000;

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureClass {
    /// No connection could be made.
    Connect,
    /// The connection broke before the whole answer was there.
    Broken,
    /// No whole answer within the time allowed.
    TimedOut,
    /// A status other than 200.
    Status(u16),
    /// Status 200 with an answer that is not the right one.
    WrongAnswer,
}

impl FailureClass {
    /// Whether the server did answer, though not rightly.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Status(_) | Self::WrongAnswer)
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("no connection"),
            Self::Broken => f.write_str("connection broken"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::WrongAnswer => f.write_str("wrong answer"),
        }
    }
}

/// Errors of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// How often.
    pub count: u64,
    /// The first one, in plain words.
    pub example: String,
}

/// What one worker, or all of them, counted and timed.
///
/// Only right answers are timed: a server that refuses quickly must not look fast.
#[derive(Debug, Clone)]
pub struct Tally {
    service_time: Histogram<u64>,
    failures: BTreeMap<FailureClass, Failures>,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// Nothing counted yet: 1 µs to 60 s, three significant digits.
    pub fn new() -> Self {
        let service_time = Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect(
            "1 is at least 1, the bounds are a factor of 2 apart, 3 digits are within 0..=5",
        );
        Self {
            service_time,
            failures: BTreeMap::new(),
        }
    }

    /// Counts a right answer.
    pub fn right(&mut self, micros: u64) {
        self.service_time.saturating_record(micros.max(1));
    }

    /// Counts an error.
    pub fn wrong(&mut self, class: FailureClass, example: impl FnOnce() -> String) {
        self.failures
            .entry(class)
            .or_insert_with(|| Failures {
                count: 0,
                example: example(),
            })
            .count += 1;
    }

    /// Takes over what another counted.
    pub fn merge(&mut self, other: &Self) {
        self.service_time
            .add(&other.service_time)
            .expect("all tallies have the same bounds");
        for (class, failures) in &other.failures {
            let mine = self.failures.entry(*class).or_insert_with(|| Failures {
                count: 0,
                example: failures.example.clone(),
            });
            mine.count += failures.count;
        }
    }

    /// Right answers.
    pub fn right_answers(&self) -> u64 {
        self.service_time.len()
    }

    /// Answers, right or not.
    pub fn answers(&self) -> u64 {
        let other: u64 = self
            .failures
            .iter()
            .filter(|(class, _)| class.is_answer())
            .map(|(_, failures)| failures.count)
            .sum();
        self.right_answers() + other
    }

    /// Requests that failed or were answered wrongly.
    pub fn errors(&self) -> u64 {
        self.failures.values().map(|failures| failures.count).sum()
    }

    /// Errors by kind.
    pub const fn failures(&self) -> &BTreeMap<FailureClass, Failures> {
        &self.failures
    }

    /// Quantiles of the right answers' service time.
    pub fn latency(&self) -> LatencyMicros {
        LatencyMicros {
            p50: self.service_time.value_at_quantile(0.50),
            p95: self.service_time.value_at_quantile(0.95),
            p99: self.service_time.value_at_quantile(0.99),
            max: self.service_time.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(micros: &[u64]) -> Tally {
        let mut tally = Tally::new();
        for value in micros {
            tally.right(*value);
        }
        tally
    }

    proptest! {
        #[test]
        fn merged_quantiles_are_those_of_the_union(
            workers in prop::collection::vec(prop::collection::vec(0_u64..70_000_000, 0..50), 0..8)
        ) {
            let mut merged = Tally::new();
            for worker in &workers {
                merged.merge(&tally(worker));
            }
            let union = tally(&workers.concat());
            prop_assert_eq!(merged.latency(), union.latency());
            prop_assert_eq!(merged.right_answers(), union.right_answers());
        }

        #[test]
        fn quantiles_are_within_a_thousandth_of_the_sorted_sample(
            mut micros in prop::collection::vec(1_u64..60_000_000, 1..200)
        ) {
            let latency = tally(&micros).latency();
            micros.sort_unstable();
            let median = micros[(micros.len() - 1) / 2];
            prop_assert!(latency.p50.abs_diff(median) <= median / 1000 + 1);
        }
    }

    #[test]
    fn an_unanswered_request_is_an_error_and_no_answer() {
        let mut tally = tally(&[100, 200]);
        tally.wrong(FailureClass::TimedOut, || "none after 1 s".to_owned());
        tally.wrong(FailureClass::Status(503), || "unavailable".to_owned());
        assert_eq!(tally.right_answers(), 2);
        assert_eq!(tally.answers(), 3);
        assert_eq!(tally.errors(), 2);
    }

    #[test]
    fn merging_keeps_the_first_example() {
        let mut first = Tally::new();
        first.wrong(FailureClass::Status(500), || "first".to_owned());
        let mut second = Tally::new();
        second.wrong(FailureClass::Status(500), || "second".to_owned());
        first.merge(&second);
        let failures = &first.failures()[&FailureClass::Status(500)];
        assert_eq!((failures.count, failures.example.as_str()), (2, "first"));
    }
}
