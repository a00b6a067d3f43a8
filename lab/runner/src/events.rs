//! Numbers and times facts, and hands them on in order, without what is secret.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use jiff::Timestamp;
use lab_model::{
    event::{Emitter, Event, Fact, Progress},
    secrets::Secrets,
};
use tokio::sync::mpsc;

use crate::hidden;

/// Numbers every fact of a run and sends it to whoever reports.
///
/// Facts are never dropped. Progress is not numbered and may be: it never reaches
/// the record.
pub struct EventLog {
    started: Instant,
    next: Mutex<u64>,
    events: mpsc::UnboundedSender<Event>,
    secrets: Mutex<Secrets>,
}

impl EventLog {
    /// A log, and the end where its events come out, in order.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, receiver) = mpsc::unbounded_channel();
        (
            Self {
                started: Instant::now(),
                next: Mutex::new(1),
                events,
                secrets: Mutex::default(),
            },
            receiver,
        )
    }

    /// Milliseconds since the log began.
    pub fn elapsed_millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn without_secrets(&self, fact: Fact) -> Fact {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        hidden::without(&secrets, fact)
    }

    fn send(&self, seq: u64, fact: Fact) {
        let event = Event {
            seq,
            time: Timestamp::now(),
            elapsed_ms: self.elapsed_millis(),
            fact: self.without_secrets(fact),
        };
        // Nobody listens any more: the process is ending, and there is nobody to tell.
        let _ = self.events.send(event);
    }
}

impl Emitter for EventLog {
    fn emit(&self, fact: Fact) {
        // Held while sending, so that numbers come out in order.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        self.send(*next, fact);
        *next += 1;
    }

    fn hide(&self, secrets: Vec<String>) {
        let mut hidden = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        hidden.add(secrets);
    }

    fn progress(&self, progress: Progress) {
        self.send(0, Fact::Progressed(progress));
    }
}

#[cfg(test)]
mod tests {
    use lab_model::progress::{Step, Task};

    use super::*;

    #[test]
    fn facts_are_numbered_without_gaps_and_progress_is_not() {
        let (log, mut events) = EventLog::new();
        log.emit(Fact::Noted {
            remark: "a".to_owned().into(),
        });
        log.progress(Progress {
            task: Task::Cluster,
            now: Step::DnsReady.into(),
            done: 1,
            total: None,
            remaining_seconds: None,
        });
        log.emit(Fact::Noted {
            remark: "b".to_owned().into(),
        });
        let numbers: Vec<_> = std::iter::from_fn(|| events.try_recv().ok())
            .map(|event| event.seq)
            .collect();
        assert_eq!(numbers, [1, 0, 2]);
    }
}
