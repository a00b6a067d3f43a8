//! How long a run like this one takes, by those that were made before.

use std::{collections::BTreeMap, time::Duration};

use lab_model::stage::Stage;

use crate::report::{Report, Verdict};

/// How long each stage took in earlier runs of the same plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    stages: BTreeMap<Stage, Duration>,
}

impl<const N: usize> From<[(Stage, Duration); N]> for Expected {
    fn from(stages: [(Stage, Duration); N]) -> Self {
        Self {
            stages: stages.into(),
        }
    }
}

impl Expected {
    /// What earlier runs of the same plan say; nothing where none of them passed. A stage's
    /// time is the median of theirs: one slow run says little.
    pub fn of(earlier: &[Report]) -> Option<Self> {
        let mut all: BTreeMap<Stage, Vec<Duration>> = BTreeMap::new();
        let passed = earlier.iter().filter(|it| it.verdict() == Verdict::Passed);
        for stage in passed.flat_map(|it| &it.stages) {
            all.entry(stage.stage)
                .or_default()
                .push(stage.span.length());
        }
        let median = |mut lengths: Vec<Duration>| {
            lengths.sort_unstable();
            lengths[lengths.len() / 2]
        };
        let stages: BTreeMap<_, _> = all.into_iter().map(|(it, all)| (it, median(all))).collect();
        (!stages.is_empty()).then_some(Self { stages })
    }

    /// What is left of the whole run when a stage has gone on for so long. One that takes
    /// longer than ever may end any moment.
    pub fn left(&self, stage: Stage, since: Duration) -> Duration {
        let own = self.stages.get(&stage).copied().unwrap_or_default();
        let later = self.stages.iter().filter(|(it, _)| **it > stage);
        let later: Duration = later.map(|(_, length)| *length).sum();
        own.saturating_sub(since) + later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_what_the_later_stages_took() {
        let stages = [(Stage::Install, 12), (Stage::Verify, 120)];
        let seconds = |(stage, seconds)| (stage, Duration::from_secs(seconds));
        let expected = Expected::from(stages.map(seconds));

        let left = |stage, since| expected.left(stage, Duration::from_secs(since)).as_secs();
        assert_eq!(left(Stage::Install, 0), 132);
        assert_eq!(left(Stage::Install, 5), 127);
        assert_eq!(left(Stage::Install, 60), 120);
        assert_eq!(left(Stage::Verify, 20), 100);
        assert_eq!(left(Stage::Teardown, 0), 0);
    }
}
