//! What happened in each second of a window, mergeable as the window itself is.

use hdrhistogram::Histogram;
use lab_model::benchmark::Second;
use serde::Deserialize;

use crate::{
    export::Exported,
    record::{LONGEST, micros},
};

/// What one generator, or all of them, counted and timed in one second.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct SecondTally {
    /// Right answers' latency, ns; packed, for a window may have thousands of these.
    #[serde(deserialize_with = "checked")]
    times: Exported,
    errors: u64,
}

impl SecondTally {
    /// Takes over what another counted in the same second.
    pub(crate) fn merge(&mut self, other: &Self) {
        let mut times = self.times();
        times
            .add(other.times())
            .expect("all seconds have the same bounds");
        self.times = Exported::of(&times);
        self.errors += other.errors;
    }

    /// Its figures.
    pub(crate) fn figures(&self) -> Second {
        let times = self.times();
        Second {
            answers: times.len(),
            errors: self.errors,
            p50: micros(times.value_at_quantile(0.50)),
            p99: micros(times.value_at_quantile(0.99)),
        }
    }

    fn times(&self) -> Histogram<u64> {
        let read = self.times.read(&times());
        read.expect("written here, or checked when it was told")
    }
}

fn checked<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Exported, D::Error> {
    let exported = Exported::deserialize(deserializer)?;
    exported.read(&times()).map_err(serde::de::Error::custom)?;
    Ok(exported)
}

/// A histogram of one second's times: two significant digits are enough for a picture.
fn times() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 2)
        .expect("the bounds of a window's times, with fewer digits")
}

/// Counts second by second.
#[derive(Debug)]
pub(crate) struct Series {
    seconds: Vec<SecondTally>,
    times: Histogram<u64>,
    errors: u64,
}

impl Series {
    pub(crate) fn new() -> Self {
        Self {
            seconds: Vec::new(),
            times: times(),
            errors: 0,
        }
    }

    /// Counts a right answer, or an error.
    pub(crate) fn count(&mut self, latency: Option<u64>) {
        match latency {
            Some(nanos) => self.times.saturating_record(nanos.max(1)),
            None => self.errors += 1,
        }
    }

    /// Ends a second and begins the next.
    pub(crate) fn turn(&mut self) {
        self.seconds.push(SecondTally {
            times: Exported::of(&self.times),
            errors: self.errors,
        });
        self.times.reset();
        self.errors = 0;
    }

    pub(crate) fn finish(mut self) -> Vec<SecondTally> {
        if !self.times.is_empty() || self.errors > 0 {
            self.turn();
        }
        self.seconds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn second(latencies: &[Option<u64>]) -> SecondTally {
        let mut series = Series::new();
        for latency in latencies {
            series.count(*latency);
        }
        series.turn();
        series.finish().remove(0)
    }

    proptest! {
        #[test]
        fn merged_seconds_are_those_of_one_recorder(
            shares in prop::collection::vec(
                prop::collection::vec(prop::option::of(0_u64..70_000_000_000), 0..40), 1..5
            )
        ) {
            let mut merged = second(&[]);
            for share in &shares {
                merged.merge(&second(share));
            }
            let one = second(&shares.concat());
            prop_assert_eq!(merged.figures(), one.figures());
            prop_assert_eq!(merged, one);
        }
    }
}
