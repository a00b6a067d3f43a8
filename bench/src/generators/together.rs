//! One window of what several generators made: how it goes on, and its figures.

use std::sync::{Mutex, PoisonError};

use lab_model::void::Void;

use super::{message::Tell, record::Record};
use crate::{
    error::BenchError,
    load::{Course, Phase, Watch, nanos},
    measure::{self, Window},
};

/// Most that a generator may begin after the first, as a part of the window. What they
/// offer together is what was asked for only while all are within it.
const MOST_LATE: f64 = 0.01;

/// What one generator measured.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    /// Its part of the course.
    pub(super) share: Course,
    /// What it counted and timed; when it began, by our clock.
    pub(super) record: Record,
}

/// A generator that tells no figures.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) name: String,
    pub(super) reason: String,
}

/// The window of all, with everything that speaks against it.
///
/// # Errors
/// When no generator has figures.
pub(super) fn window(
    course: &Course,
    parts: Vec<Part>,
    lost: Vec<Lost>,
) -> Result<Window, BenchError> {
    let void = void(course, &parts, &lost);
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let records = parts.into_iter().map(|part| part.record);
    let merged = records.reduce(|mut merged, record| {
        merged.merge(&record);
        merged
    });
    let Some(merged) = merged else {
        let Lost { name, reason } = lost.into_iter().next().unwrap_or_else(|| Lost {
            name: "none".to_owned(),
            reason: "all were lost before".to_owned(),
        });
        return Err(BenchError::Generator { name, reason });
    };
    let mut window = measure::window(course, merged.into());
    window.point.void = void;
    window.point.generator.count = count;
    Ok(window)
}

/// Why the figures say nothing of the server: each generator's own reasons, and how they
/// were together.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn void(course: &Course, parts: &[Part], lost: &[Lost]) -> Vec<Void> {
    let mut void = Vec::new();
    let most = MOST_LATE * nanos(course.window) as f64;
    let first = parts.iter().map(|part| part.record.began.0).min();
    for Part {
        name,
        share,
        record,
    } in parts
    {
        let late = (record.began.0 - first.unwrap_or(record.began.0)) as f64;
        if late > most {
            void.push(Void::BeganLate {
                generator: name.clone(),
                millis: late / 1e6,
                most: MOST_LATE,
            });
        }
        let alone = measure::window(share, record.clone().into()).point;
        void.extend(alone.void.into_iter().map(|it| Void::Of {
            generator: name.clone(),
            void: Box::new(it),
        }));
    }
    void.extend(lost.iter().map(|Lost { name, reason }| Void::Lost {
        generator: name.clone(),
        reason: reason.clone(),
    }));
    void
}

/// Where each of them is, told to whoever watches the window.
pub(super) struct Board<'a> {
    watch: &'a Watch,
    places: Mutex<Vec<Place>>,
}

#[derive(Clone, Copy, Default)]
struct Place {
    phase: Phase,
    answers: u64,
    errors: u64,
}

impl<'a> Board<'a> {
    pub(super) fn new(watch: &'a Watch, generators: usize) -> Self {
        Self {
            watch,
            places: Mutex::new(vec![Place::default(); generators]),
        }
    }

    /// What one of them told.
    pub(super) fn take(&self, place: usize, told: &Tell) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        match told {
            Tell::Phase(phase) => {
                places[place].phase = *phase;
                // A window begins with the first of them and ends with the last.
                let phases = || places.iter().map(|place| place.phase);
                let (first, last) = (phases().max(), phases().min());
                if last >= Some(Phase::Drain) {
                    self.enter(Phase::Drain);
                } else if first >= Some(Phase::Window) {
                    self.enter(Phase::Window);
                }
            }
            Tell::Counted { answers, errors } => {
                places[place].answers = *answers;
                places[place].errors = *errors;
                self.watch.tell(
                    places.iter().map(|place| place.answers).sum(),
                    places.iter().map(|place| place.errors).sum(),
                );
            }
            _ => {}
        }
    }

    /// All have told their figures, or never will.
    pub(super) fn close(&self) {
        self.enter(Phase::Over);
    }

    fn enter(&self, phase: Phase) {
        if self.watch.phase() < phase {
            self.watch.enter(phase);
        }
    }
}
