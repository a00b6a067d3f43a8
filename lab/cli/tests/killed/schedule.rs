//! What is ended, at which moment, and by what.

use std::{fmt, time::Duration};

use rand::{RngExt, rngs::SmallRng};

/// Moments are drawn from as long as this: what is made outside the process is made
/// in the first part of a command.
const LONGEST_UP: Duration = Duration::from_secs(12);
const LONGEST_RUN: Duration = Duration::from_mins(1);
/// As long as the recipe of `builds.rs` takes.
const LONGEST_BUILD: Duration = Duration::from_secs(8);

/// What ends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// `kill -9`, then `lab clean`.
    KilledThenCleaned,
    /// `kill -9`; the reaper is alone with what is left.
    KilledThenReaped,
    /// Asked by this signal: the command cleans up itself.
    Asked(&'static str),
}

/// A command and how it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) words: &'static [&'static str],
    pub(crate) end: End,
    longest: Duration,
}

impl Kill {
    pub(crate) fn moment(&self, moments: &mut SmallRng) -> Duration {
        self.longest.mul_f64(moments.random::<f64>())
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`lab {}` {:?}", self.words.join(" "), self.end)
    }
}

const fn up(end: End) -> Kill {
    Kill {
        words: &["up", super::CLUSTER],
        end,
        longest: LONGEST_UP,
    }
}

const fn run(end: End) -> Kill {
    Kill {
        words: &["run", "--no-bench"],
        end,
        longest: LONGEST_RUN,
    }
}

const fn build(end: End) -> Kill {
    Kill {
        words: &["images", "build", super::builds::RECIPE],
        end,
        longest: LONGEST_BUILD,
    }
}

const KILLED: [Kill; 4] = [
    up(End::KilledThenCleaned),
    run(End::KilledThenReaped),
    up(End::KilledThenCleaned),
    run(End::KilledThenCleaned),
];
const ASKED: [Kill; 4] = [
    up(End::Asked("INT")),
    run(End::Asked("TERM")),
    up(End::Asked("TERM")),
    run(End::Asked("INT")),
];
const BUILDS: [Kill; 3] = [
    build(End::KilledThenCleaned),
    build(End::KilledThenCleaned),
    build(End::Asked("TERM")),
];

/// So many `kill -9` of `lab up` and `lab run`, and a quarter as many that are asked.
pub(crate) fn of_clusters(kills: usize) -> Vec<Kill> {
    let killed = KILLED.into_iter().cycle().take(kills);
    killed
        .chain(ASKED.into_iter().cycle().take(a_quarter_of(kills)))
        .collect()
}

/// Builds of an image, most of them ended by `kill -9`.
pub(crate) fn of_builds(kills: usize) -> Vec<Kill> {
    let count = a_quarter_of(kills) + 1;
    BUILDS.into_iter().cycle().take(count).collect()
}

fn a_quarter_of(kills: usize) -> usize {
    (kills / 4).max(2)
}
