//! Where latency turns upwards as load grows.
//!
//! The rule is Kneedle's for a convex, rising curve (Satopää, Albrecht, Irwin, Raghavan:
//! Finding a "Kneedle" in a Haystack, ICDCS workshops 2011), without its smoothing, for
//! which there are too few points: both axes are scaled to 0..1, and the knee is the
//! point that lies furthest below the diagonal, if that is further than the sensitivity
//! times the mean distance of two points.

/// The fewest points that can show a knee.
pub(super) const LEAST_POINTS: usize = 5;
/// A curve that rises by less than this factor has no knee, only noise.
pub(super) const LEAST_RISE: f64 = 2.0;
/// Kneedle's S: 1 is what its authors advise.
const SENSITIVITY: f64 = 1.0;

/// Index of the knee in a curve of (load, latency), sorted by load; none where there are
/// fewer than [`LEAST_POINTS`] or latency does not rise by [`LEAST_RISE`].
pub(super) fn knee(curve: &[(f64, f64)]) -> Option<usize> {
    let sound = |(load, latency): &(f64, f64)| load.is_finite() && latency.is_finite();
    if curve.len() < LEAST_POINTS || !curve.iter().all(sound) {
        return None;
    }
    let (first, last) = (curve.first()?.0, curve.last()?.0);
    let latencies = || curve.iter().map(|point| point.1);
    let low = latencies().fold(f64::INFINITY, f64::min);
    let high = latencies().fold(0.0, f64::max);
    if last <= first || low <= 0.0 || high < LEAST_RISE * low {
        return None;
    }
    let below = |(load, latency): (f64, f64)| {
        (load - first) / (last - first) - (latency - low) / (high - low)
    };
    let (at, furthest) = curve
        .iter()
        .map(|point| below(*point))
        .enumerate()
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    #[expect(clippy::cast_precision_loss, reason = "a curve has few points")]
    let spacing = 1.0 / (curve.len() - 1) as f64;
    (furthest > SENSITIVITY * spacing).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_queue_turns_upwards_where_the_server_is_nearly_full() {
        // M/M/1 with 1 ms of service: the mean time in the system is s / (1 - load * s).
        let curve: Vec<_> = (1..20)
            .map(|step| f64::from(step) * 50.0)
            .map(|load| (load, 1_000.0 / (1.0 - load / 1_000.0)))
            .collect();
        // By hand: x - y is greatest where 1 / (1 - u)^2 equals the chord's slope of 21,
        // u = 0.78.
        let at = knee(&curve).unwrap();
        assert!((curve[at].0 - 800.0).abs() < 1.0, "{:?}", curve[at]);
    }

    #[test]
    fn too_few_points_a_flat_curve_and_a_straight_one_have_no_knee() {
        let few = [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (4.0, 90.0)];
        assert_eq!(knee(&few), None);
        let flat: Vec<_> = (1..9)
            .map(|x| (f64::from(x), 100.0 + f64::from(x % 3)))
            .collect();
        assert_eq!(knee(&flat), None);
        let straight: Vec<_> = (1..9).map(|x| (f64::from(x), f64::from(x))).collect();
        assert_eq!(knee(&straight), None);
    }

    proptest! {
        #[test]
        fn a_knee_does_not_depend_on_units(
            latencies in prop::collection::vec(1.0_f64..1e6, 5..30),
            unit in 1_u32..10,
        ) {
            // Powers of two scale without rounding.
            let unit = f64::from(1 << unit);
            let curve = |load: f64, latency: f64| latencies
                .iter()
                .zip(1_u32..)
                .map(|(value, index)| (f64::from(index) * load, value * latency))
                .collect::<Vec<_>>();
            prop_assert_eq!(knee(&curve(1.0, 1.0)), knee(&curve(unit, 1.0 / unit)));
        }

        #[test]
        fn a_knee_is_neither_end(latencies in prop::collection::vec(1.0_f64..1e6, 0..30)) {
            let mut rising = latencies;
            rising.sort_by(f64::total_cmp);
            let curve: Vec<_> = rising.iter().zip(1_u32..).map(|(y, x)| (f64::from(x), *y)).collect();
            if let Some(at) = knee(&curve) {
                prop_assert!(at > 0 && at + 1 < curve.len());
            }
        }
    }
}
