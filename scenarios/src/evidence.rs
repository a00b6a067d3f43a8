//! What the steps saw, kept with its time until the bridge asks for it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use lab_model::event::Evidence;

/// Longest text kept of one piece of evidence; more would hide what matters.
const LONGEST: usize = 2_000;

/// Collects what the steps see. Clones share one collection.
///
/// cucumber's events do not carry the World of a passed step, and the next step may
/// begin before the writer handles the end of the last; so each piece keeps its
/// time, and the bridge takes what was seen up to a step's end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder {
    seen: Arc<Mutex<Vec<(SystemTime, Evidence)>>>,
}

impl Recorder {
    /// Keeps what was seen now.
    pub(crate) fn saw(&self, source: impl Into<String>, text: impl Into<String>) {
        let mut text = text.into();
        if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(cut);
            text.push('…');
        }
        let evidence = Evidence {
            source: source.into(),
            text,
        };
        self.lock().push((SystemTime::now(), evidence));
    }

    /// Takes what was seen up to a moment.
    pub(crate) fn take_until(&self, end: SystemTime) -> Vec<Evidence> {
        let mut seen = self.lock();
        let later = seen.partition_point(|(at, _)| *at <= end);
        seen.drain(..later).map(|(_, evidence)| evidence).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(SystemTime, Evidence)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_what_the_next_step_saw() {
        let recorder = Recorder::default();
        recorder.saw("a", "first");
        let end = SystemTime::now();
        recorder.saw("b", "second");

        let taken = recorder.take_until(end);

        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].source, "a");
        assert_eq!(recorder.take_until(SystemTime::now())[0].source, "b");
    }

    #[test]
    fn long_text_is_cut() {
        let recorder = Recorder::default();
        recorder.saw("log", "가".repeat(5_000));
        let taken = recorder.take_until(SystemTime::now());
        assert_eq!(taken[0].text.chars().count(), LONGEST + 1);
    }
}
