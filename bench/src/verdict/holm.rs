//! Holm's correction: several questions asked at once still raise one false alarm in a
//! hundred, not one each.
//!
//! Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
//! Journal of Statistics 6 (1979).

/// Each p as it stands among the others: to be held against the level of the whole family.
pub fn holm(each: &[f64]) -> Vec<f64> {
    let mut by_size: Vec<usize> = (0..each.len()).collect();
    by_size.sort_by(|one, other| each[*one].total_cmp(&each[*other]));
    let mut adjusted = vec![1.0; each.len()];
    let mut least: f64 = 0.0;
    let mut left = f64::from(u32::try_from(each.len()).unwrap_or(u32::MAX));
    for index in by_size {
        least = least.max((each[index] * left).min(1.0));
        adjusted[index] = least;
        left -= 1.0;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_smallest_pays_for_all() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        // As statsmodels' `multipletests(method="holm")` has it.
        let expected = [0.03, 0.06, 0.06, 0.02];
        for (one, other) in adjusted.iter().zip(expected) {
            assert!((one - other).abs() < 1e-12, "{adjusted:?}");
        }
    }

    #[test]
    fn one_question_costs_nothing_and_none_gives_none() {
        assert_eq!(holm(&[0.02]), [0.02]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_p_falls_and_their_order_stays(each in prop::collection::vec(0.0..=1.0, 0..8)) {
            let adjusted = holm(&each);
            for (before, after) in each.iter().zip(&adjusted) {
                prop_assert!(after >= before && *after <= 1.0);
                for (other, other_after) in each.iter().zip(&adjusted) {
                    prop_assert!(before > other || after <= other_after);
                }
            }
        }
    }
}
