//! What one generator measured of a window, or several together.

use serde::{Deserialize, Serialize};

use super::message::Nanos;
use crate::{load::Driven, record::Tally, series::SecondTally};

/// A window's counts and times, mergeable without loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    tally: Tally,
    seconds: Vec<SecondTally>,
    nanos: u64,
    cpu: u64,
    wall: u64,
    steady: bool,
    realtime: bool,
    stolen: Option<f64>,
    /// When the window began, by the clock of whoever tells it.
    pub(super) began: Nanos,
}

impl Record {
    pub(super) fn of(driven: Driven, began: Nanos) -> Self {
        Self {
            tally: driven.tally,
            seconds: driven.series,
            nanos: driven.nanos,
            cpu: driven.cpu,
            wall: driven.wall,
            steady: driven.steady,
            realtime: driven.realtime,
            stolen: driven.stolen,
            began,
        }
    }

    /// Takes over what another measured in the same window.
    pub(super) fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        let both = self.seconds.len().min(other.seconds.len());
        for (mine, theirs) in self.seconds.iter_mut().zip(&other.seconds) {
            mine.merge(theirs);
        }
        self.seconds.extend_from_slice(&other.seconds[both..]);
        self.nanos = self.nanos.max(other.nanos);
        self.cpu += other.cpu;
        self.wall = self.wall.max(other.wall);
        self.steady &= other.steady;
        self.realtime &= other.realtime;
        self.stolen = more(self.stolen, other.stolen);
        self.began = self.began.min(other.began);
    }
}

impl From<Record> for Driven {
    fn from(record: Record) -> Self {
        Self {
            tally: record.tally,
            series: record.seconds,
            nanos: record.nanos,
            cpu: record.cpu,
            wall: record.wall,
            steady: record.steady,
            cancelled: false,
            realtime: record.realtime,
            stolen: record.stolen,
        }
    }
}

/// The larger share, of those that are known.
fn more(mine: Option<f64>, theirs: Option<f64>) -> Option<f64> {
    mine.into_iter().chain(theirs).reduce(f64::max)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{record::FailureClass, series::Series};

    /// Latencies of each second, ns; none is an error.
    pub(in super::super) type Seconds = Vec<Vec<Option<u64>>>;

    /// What a generator tells that saw these.
    pub(in super::super) fn record(seconds: &Seconds) -> Record {
        let mut tally = Tally::new();
        let mut series = Series::new();
        for second in seconds {
            for latency in second {
                series.count(*latency);
                match latency {
                    Some(nanos) => tally.right(*nanos),
                    None => tally.wrong(FailureClass::Status(503), || "busy".to_owned()),
                }
            }
            series.turn();
        }
        let driven = Driven {
            tally,
            series: series.finish(),
            nanos: 1_000_000_000 * seconds.len() as u64,
            cpu: 1_000_000,
            wall: 1_000_000_000 * seconds.len() as u64,
            steady: true,
            cancelled: false,
            realtime: true,
            stolen: None,
        };
        Record::of(driven, Nanos(5))
    }

    fn share() -> impl Strategy<Value = Seconds> {
        let latency = prop::option::weighted(0.9, 0_u64..70_000_000_000);
        prop::collection::vec(prop::collection::vec(latency, 0..20), 0..5)
    }

    proptest! {
        #[test]
        fn merged_shares_are_what_one_recorder_would_have(
            shares in prop::collection::vec(share(), 1..5)
        ) {
            let mut merged = record(&shares[0]);
            for share in &shares[1..] {
                merged.merge(&record(share));
            }
            let longest = shares.iter().map(Vec::len).max().unwrap_or(0);
            let of = |second: usize| {
                shares.iter().filter_map(|share| share.get(second)).flatten().copied().collect()
            };
            let one = record(&(0..longest).map(of).collect());
            prop_assert_eq!(&merged.tally, &one.tally);
            prop_assert_eq!(&merged.seconds, &one.seconds);
            prop_assert_eq!(merged.nanos, one.nanos);
            prop_assert_eq!(merged.cpu, shares.len() as u64 * one.cpu);
        }

        #[test]
        fn what_is_told_is_what_was_measured(share in share()) {
            let told = serde_json::to_string(&record(&share)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Record>(&told).unwrap(), record(&share));
        }
    }
}
