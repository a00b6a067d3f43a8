//! Random numbers that are the same on every machine for the same seed.

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// What random numbers are drawn for. Each purpose has its own stream, so that a change in
/// one does not move the others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Schedule = 1,
    Interval = 2,
    Detectable = 3,
    Calibration = 4,
}

/// The stream of a seed for a purpose. The algorithm is named: `StdRng` may be another one
/// in another release of its crate.
pub(super) fn stream(seed: u64, purpose: Purpose) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed ^ ((purpose as u64) << 56))
}
