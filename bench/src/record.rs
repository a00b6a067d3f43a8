//! What was counted and timed, mergeable without loss.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use lab_model::benchmark::LatencyMicros;
pub use lab_model::failure_class::FailureClass;

use crate::export;

/// Longest time that is told apart, nanoseconds. Longer ones count as this long.
pub(crate) const LONGEST: u64 = 60_000_000_000;

/// A histogram of times in nanoseconds: three significant digits, up to a minute.
pub(crate) fn times() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3)
        .expect("1 is at least 1, the bounds are a factor of 2 apart, 3 digits are within 0..=5")
}

/// Errors of one kind.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Failures {
    /// How often.
    pub count: u64,
    /// The first one, in plain words.
    pub example: String,
}

/// The times of one request, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timed {
    /// From when it was due.
    pub latency: u64,
    /// From when the generator could first have sent it: less its own lateness.
    pub less_lag: u64,
    /// From when it was sent.
    pub service: u64,
}

/// What one load thread, or all of them, counted and timed.
///
/// Only right answers are timed: a server that refuses quickly must not look fast.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// From when a request was due, ns.
    #[serde(with = "export::times")]
    pub(crate) latency: Histogram<u64>,
    /// From when the generator could first have sent it, ns. Empty for a closed loop.
    #[serde(with = "export::times")]
    pub(crate) less_lag: Histogram<u64>,
    /// From when it was sent, ns. Empty for a closed loop, where both are the same.
    #[serde(with = "export::times")]
    pub(crate) service: Histogram<u64>,
    /// How late the generator itself sent, ns. Empty for a closed loop.
    #[serde(with = "export::times")]
    pub(crate) lag: Histogram<u64>,
    /// When the first right answer came, ns after the load began to connect: as a rule
    /// before the window.
    pub(crate) first: Option<u64>,
    /// Right answers to requests of before the window, that came before its last answer.
    pub(crate) carried: u64,
    #[serde(with = "export::pairs")]
    pub(crate) failures: BTreeMap<FailureClass, Failures>,
    /// Arrivals that found every connection taken and none left to open.
    pub(crate) held: u64,
    /// Request bytes written.
    pub(crate) bytes_sent: u64,
    /// Answer bytes read.
    pub(crate) bytes_received: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            latency: times(),
            less_lag: times(),
            service: times(),
            lag: times(),
            first: None,
            carried: 0,
            failures: BTreeMap::new(),
            held: 0,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    /// Counts a right answer of a closed loop.
    pub fn right(&mut self, nanos: u64) {
        self.latency.saturating_record(nanos.max(1));
    }

    /// Counts a right answer of an open loop.
    pub fn right_open(&mut self, timed: Timed) {
        self.latency.saturating_record(timed.latency.max(1));
        self.less_lag.saturating_record(timed.less_lag.max(1));
        self.service.saturating_record(timed.service.max(1));
    }

    /// Counts how late a request was sent, nanoseconds.
    pub fn sent_late(&mut self, nanos: u64) {
        self.lag.saturating_record(nanos.max(1));
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

    /// When the first right answer came, ns after the load began to connect.
    pub const fn first_answer(&self) -> Option<u64> {
        self.first
    }

    /// Notes a right answer, also one before the window: the first is kept.
    pub(crate) fn answered(&mut self, nanos: u64) {
        self.first.get_or_insert(nanos);
    }

    /// Takes over what another counted.
    pub fn merge(&mut self, other: &Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        for (mine, theirs) in [
            (&mut self.latency, &other.latency),
            (&mut self.less_lag, &other.less_lag),
            (&mut self.service, &other.service),
            (&mut self.lag, &other.lag),
        ] {
            mine.add(theirs).expect("all tallies have the same bounds");
        }
        for (class, failures) in &other.failures {
            let mine = self.failures.entry(*class).or_insert_with(|| Failures {
                count: 0,
                example: failures.example.clone(),
            });
            mine.count += failures.count;
        }
        self.carried += other.carried;
        self.held += other.held;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
    }

    /// Right answers.
    pub fn right_answers(&self) -> u64 {
        self.latency.len()
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

    /// The largest share of a latency, p50, p90 or p99, that is the generator's own
    /// lateness: how much higher it is than without it. 0 for a closed loop.
    pub fn lag_share(&self) -> f64 {
        let share = |quantile| {
            let with = micros(self.latency.value_at_quantile(quantile));
            let without = micros(self.less_lag.value_at_quantile(quantile));
            (with - without) / with
        };
        if self.less_lag.is_empty() {
            return 0.0;
        }
        [0.50, 0.90, 0.99]
            .map(share)
            .into_iter()
            .fold(0.0, f64::max)
    }

    /// Quantiles of the right answers' latency.
    pub fn latency(&self) -> LatencyMicros {
        quantiles(&self.latency)
    }
}

/// Quantiles in microseconds. A far quantile is told only where at least ten samples
/// lie beyond it: with fewer it is one request's luck.
pub(crate) fn quantiles(histogram: &Histogram<u64>) -> LatencyMicros {
    let at = |quantile| micros(histogram.value_at_quantile(quantile));
    let beyond = |per: u64, quantile| (histogram.len() >= 10 * per).then(|| at(quantile));
    LatencyMicros {
        p50: at(0.50),
        p90: Some(at(0.90)),
        p95: at(0.95),
        p99: at(0.99),
        p999: beyond(1_000, 0.999),
        p9999: beyond(10_000, 0.9999),
        max: micros(histogram.max()),
    }
}

/// Microseconds of nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "times are below 2^52 ns")]
pub(crate) fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(nanos: &[u64]) -> Tally {
        let mut tally = Tally::new();
        for value in nanos {
            tally.right(*value);
        }
        tally
    }

    proptest! {
        #[test]
        fn merged_quantiles_are_those_of_the_union(
            workers in prop::collection::vec(prop::collection::vec(0_u64..70_000_000_000, 0..50), 0..8)
        ) {
            let mut merged = Tally::new();
            for worker in &workers {
                merged.merge(&tally(worker));
            }
            let union = tally(&workers.concat());
            prop_assert_eq!(merged, union);
        }

        #[test]
        fn what_is_told_as_text_is_what_was_counted(
            nanos in prop::collection::vec(0_u64..70_000_000_000, 0..50), statuses in 0_u16..3
        ) {
            let mut tally = tally(&nanos);
            tally.sent_late(1_000);
            for status in 500..500 + statuses {
                tally.wrong(FailureClass::Status(status), || "busy".to_owned());
            }
            let text = serde_json::to_string(&tally).unwrap();
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
        }

        #[test]
        fn quantiles_are_within_a_thousandth_of_the_sorted_sample(
            mut nanos in prop::collection::vec(1_000_u64..60_000_000_000, 1..200)
        ) {
            let latency = tally(&nanos).latency();
            nanos.sort_unstable();
            let median = micros(nanos[(nanos.len() - 1) / 2]);
            prop_assert!((latency.p50 - median).abs() <= median / 1000.0);
        }
    }

    #[test]
    fn an_unanswered_request_is_an_error_and_no_answer() {
        let mut tally = tally(&[100, 200]);
        tally.wrong(FailureClass::TimedOut, || "none within 1s".to_owned());
        tally.wrong(FailureClass::Status(503), || "queue full".to_owned());
        tally.wrong(FailureClass::Status(503), || "other words".to_owned());
        assert_eq!(
            (tally.right_answers(), tally.answers(), tally.errors()),
            (2, 4, 3)
        );
        let refused = &tally.failures()[&FailureClass::Status(503)];
        assert_eq!((refused.count, refused.example.as_str()), (2, "queue full"));
    }

    #[test]
    fn lateness_counts_where_it_moves_a_quantile() {
        let late = |of: u64| {
            let mut tally = Tally::new();
            for number in 0..1000 {
                let lag = if number < of { 300_000 } else { 0 };
                tally.right_open(Timed {
                    latency: 1_000_000 + lag,
                    less_lag: 1_000_000,
                    service: 1_000_000,
                });
            }
            tally.lag_share()
        };
        assert!(late(5) < 0.01);
        assert!((late(50) - 0.3 / 1.3).abs() < 0.01);
        assert!(tally(&[1, 2]).lag_share() < f64::EPSILON);
    }

    #[test]
    fn a_far_quantile_is_told_only_where_enough_lies_beyond_it() {
        let few = tally(&vec![5_000; 9_999]).latency();
        let enough = tally(&vec![5_000; 10_000]).latency();
        assert_eq!((few.p999, enough.p9999), (None, None));
        assert!(enough.p999.is_some());
    }
}
