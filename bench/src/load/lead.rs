//! How long before an arrival its thread is woken.

/// Longest, ns. Who wakes later than this was kept from a CPU, and looking out for longer
/// would keep others from theirs.
const MOST: u64 = 100_000;
/// A lead is learnt in steps of this, ns.
const STEP: u64 = 1_000;
/// It covers all but one in so many wakings.
const ALL_BUT: u64 = 100;
/// One in so many nanoseconds may be spent on looking out: it is taken from a server on
/// the same machine.
const SPENT: u64 = 10;

/// How long before an arrival its thread is woken: as long as waking has lately taken, save
/// for one time in a hundred, where that costs no more than a tenth of one CPU.
///
/// A quantile learnt by steps, up by `q` and down by `1 - q`: Robbins and Monro, A
/// Stochastic Approximation Method, 1951.
#[derive(Debug, Default)]
pub(crate) struct Lead {
    nanos: u64,
    /// Time spent on looking out, ns.
    spent: u64,
}

impl Lead {
    pub(crate) const fn nanos(&self) -> u64 {
        self.nanos
    }

    /// The thread woke so late, ns, when the load was as old as `now`.
    pub(crate) const fn woke(&mut self, late: u64, now: u64) {
        let down = STEP / ALL_BUT;
        if late <= self.nanos {
            self.nanos = self.nanos.saturating_sub(down);
        } else if self.spent <= now / SPENT && self.nanos < MOST {
            self.nanos += STEP - down;
        }
    }

    /// An arrival is looked out for so long, ns, from `now` on.
    pub(crate) const fn spend(&mut self, nanos: u64, now: u64) {
        self.spent += nanos;
        if self.spent > now / SPENT {
            self.nanos = self.nanos.saturating_sub(STEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Arrivals `gap` ns apart, and how late the thread woke where it slept before one: the
    /// time looked out, the whole time, and how many of the latter half were late.
    fn learn(gap: u64, wakings: &[u64]) -> (u64, u64, u32) {
        let mut lead = Lead::default();
        let (mut now, mut late) = (0, 0);
        for (count, waking) in (1_u64..).zip(wakings) {
            let due = count * gap;
            let rings = due.saturating_sub(lead.nanos());
            if now < rings {
                now = rings + waking;
                lead.woke(*waking, now);
            }
            if now < due {
                lead.spend(due - now, now);
                now = due;
            } else if count > wakings.len() as u64 / 2 {
                late += 1;
            }
        }
        (lead.spent, now, late)
    }

    #[test]
    fn nearly_all_are_on_time_where_there_is_time_to_look_out() {
        // 20 to 60 us, one after the other, and 300 us one time in two hundred.
        let wakings: Vec<u64> = (0..20_000)
            .map(|count| match count % 200 {
                0 => 300_000,
                count => 20_000 + (count * 7_919) % 40_000,
            })
            .collect();
        let (spent, whole, late) = learn(1_000_000, &wakings);
        assert!(late < 200, "{late} of 10,000 late");
        assert!(spent < whole / SPENT);
    }

    proptest! {
        #[test]
        fn no_more_than_a_tenth_is_spent(
            gap in 5_000_u64..2_000_000,
            wakings in prop::collection::vec(0_u64..200_000, 1..2000),
        ) {
            let (spent, whole, _) = learn(gap, &wakings);
            // A lead that is too long is taken back by steps.
            prop_assert!(spent <= whole / SPENT + MOST * (MOST / STEP) / 2 + MOST);
        }
    }
}
