//! What lab and a generator say to each other, one line of JSON each.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::{
    load::{Course, Phase},
    target::Target,
};

/// What a generator is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// What time it is.
    Time,
    /// To ask the target every request once, without load.
    Prepare { target: Target, timeout: Duration },
    /// To measure a window.
    Window {
        course: Course,
        /// When the load before it begins, by the generator's own clock.
        at: Nanos,
    },
}

/// What a generator tells.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Tell {
    /// The time, by its clock.
    Time(Nanos),
    /// Every request was answered rightly.
    Ready,
    /// Where its load is.
    Phase(Phase),
    /// What it counted so far.
    Counted { answers: u64, errors: u64 },
    /// What it measured.
    Measured(Box<Record>),
    /// Why it cannot do what it was asked, in plain words.
    Failed(String),
}

/// Nanoseconds since 1970 by somebody's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Nanos(pub(super) i64);

impl Nanos {
    /// By this machine's clock.
    pub(super) fn now() -> Self {
        Self::of(SystemTime::now())
    }

    pub(super) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    /// How long it is until then, by this machine's clock; nothing where it is past.
    pub(super) fn still_ahead(self) -> Duration {
        let until = self.0.saturating_sub(Self::now().0);
        Duration::from_nanos(u64::try_from(until).unwrap_or(0))
    }
}
