//! Vertical and horizontal axes of latencies: even, or logarithmic where they span much.

use super::{super::chart::Scale, lines::mark_of_micros};
use crate::lang::{Words, told};

/// Values that span more than this factor are drawn on a logarithmic axis; on an even
/// one the small ones could not be told from nothing.
const WIDE: f64 = 30.0;
/// The most decades that get marks at 2 and 5 too.
const FINE_DECADES: f64 = 2.3;

/// An axis that holds all values it was made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Axis {
    Even(Scale),
    Log(Log),
}

impl Axis {
    /// An axis for these values, all positive; others count as the least.
    pub(super) fn holding(values: impl Iterator<Item = f64> + Clone) -> Self {
        let sound = values.filter(|value| value.is_finite() && *value > 0.0);
        let least = sound.clone().fold(f64::INFINITY, f64::min);
        let most = sound.fold(0.0, f64::max);
        if most > WIDE * least {
            Self::Log(Log::holding(least, most))
        } else {
            Self::Even(Scale::round(most, 4.0))
        }
    }

    pub(super) fn share(self, value: f64) -> f64 {
        match self {
            Self::Even(scale) => scale.share(value),
            Self::Log(log) => log.share(value),
        }
    }

    /// Marks of microseconds: the share of each and its words.
    pub(super) fn marks(self) -> Vec<(f64, String)> {
        let marks: Vec<f64> = match self {
            Self::Even(scale) => scale.marks().collect(),
            Self::Log(log) => log.marks(),
        };
        let told = |value: f64| (self.share(value), mark_of_micros(value));
        marks.into_iter().map(told).collect()
    }

    /// The caption of a picture, with what is to be said of its axis.
    pub(super) fn caption(self, english: &str, korean: &str) -> Words {
        match self {
            Self::Even(_) => told(english.to_owned(), korean.to_owned()),
            Self::Log(_) => told(
                format!("{english}, log scale"),
                format!("{korean}, 로그 눈금"),
            ),
        }
    }
}

/// A logarithmic scale between two round numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Log {
    low: f64,
    high: f64,
}

impl Log {
    /// A scale that holds both values: positive, the first not above the second.
    pub(super) fn holding(least: f64, most: f64) -> Self {
        // No latency lies outside, and powers of ten are exact enough within.
        let sound = |value: f64| {
            if value.is_finite() {
                value.clamp(1e-3, 1e12)
            } else {
                1.0
            }
        };
        let (least, most) = (sound(least), sound(most));
        let low = steps(least)
            .into_iter()
            .rfind(|step| *step <= least * 1.0001);
        let high = steps(most).into_iter().find(|step| *step >= most * 0.9999);
        let low = low.unwrap_or(least);
        Self {
            low,
            high: high.unwrap_or(most).max(2.0 * low),
        }
    }

    /// The value's share of the scale, from 0 to 1.
    pub(super) fn share(self, value: f64) -> f64 {
        if value.is_nan() || value <= self.low {
            return 0.0;
        }
        ((value / self.low).ln() / (self.high / self.low).ln()).min(1.0)
    }

    /// Values to mark, rising.
    pub(super) fn marks(self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "powers of ten of a latency are small whole numbers"
        )]
        let [first, last] =
            [self.low.log10().floor(), self.high.log10().ceil()].map(|power| power as i32);
        let mantissas: &[f64] = if decades <= FINE_DECADES {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        (first..=last)
            .flat_map(|power| {
                mantissas
                    .iter()
                    .map(move |mantissa| mantissa * 10_f64.powi(power))
            })
            .filter(|value| (self.low * 0.9999..=self.high * 1.0001).contains(value))
            .collect()
    }
}

/// 1, 2, 5 and 10 times the value's own power of ten.
fn steps(value: f64) -> [f64; 4] {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|mantissa| mantissa * power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_log_scale_ends_at_round_numbers() {
        let log = Log::holding(230.0, 41_000.0);
        assert_eq!(
            log,
            Log {
                low: 200.0,
                high: 50_000.0
            }
        );
        assert_eq!(log.marks(), [1_000.0, 10_000.0]);
        assert_eq!(
            Log::holding(100.0, 900.0).marks(),
            [100.0, 200.0, 500.0, 1_000.0]
        );
    }

    proptest! {
        #[test]
        fn every_value_is_on_its_axis_in_order(
            values in prop::collection::vec(1e-2_f64..1e11, 1..20)
        ) {
            let axis = Axis::holding(values.iter().copied());
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let shares: Vec<_> = sorted.iter().map(|value| axis.share(*value)).collect();
            prop_assert!(shares.is_sorted());
            prop_assert!(shares.iter().all(|share| (0.0..=1.0001).contains(share)));
            prop_assert!((1..=25).contains(&axis.marks().len()));
        }

        #[test]
        fn any_numbers_make_an_axis(least in prop::num::f64::ANY, most in prop::num::f64::ANY) {
            let log = Log::holding(least, most);
            prop_assert!((0.0..=1.0).contains(&log.share(least)));
            prop_assert!(log.marks().len() <= 25);
            prop_assert!(Axis::holding([least, most].into_iter()).marks().len() <= 25);
        }
    }
}
