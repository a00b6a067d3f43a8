//! What the host of a virtual machine does to those who measure on it.

use procfs::{CurrentSI, KernelStats};

/// CPU time that was taken from this machine, since it started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stolen {
    /// Ticks in which a processor of it had work and was not run by its host.
    steal: u64,
    /// Ticks of all its processors, whatever they did.
    all: u64,
}

impl Stolen {
    /// Up to now; `None` where the kernel does not tell. Ticks are hundredths of a second,
    /// so of a short window it is known only roughly.
    pub(crate) fn now() -> Option<Self> {
        let total = KernelStats::current().ok()?.total;
        let steal = total.steal?;
        // Time of guests is part of `user` and `nice` already.
        let rest = [total.iowait, total.irq, total.softirq];
        let rest: u64 = rest.into_iter().flatten().sum();
        let all = total.user + total.nice + total.system + total.idle + rest + steal;
        Some(Self { steal, all })
    }

    /// The share of the machine's CPU time that was taken since, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "ticks are below 2^52")]
    pub(crate) fn share_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        // The kernel takes back some of it now and then.
        let steal = self.steal.saturating_sub(before.steal);
        Some(steal as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_all_processors() {
        let at = |steal, all| Stolen { steal, all };
        let share = |before, after: Stolen| after.share_since(before);

        assert_eq!(share(at(5, 1_000), at(25, 2_000)), Some(0.02));
        assert_eq!(share(at(5, 1_000), at(4, 1_100)), Some(0.0));
        assert_eq!(share(at(5, 1_000), at(5, 1_000)), None);
    }

    #[test]
    fn this_machines_ticks_are_known() {
        let now = Stolen::now().unwrap();
        assert!(now.steal < now.all);
    }
}
