//! Tells how a benchmark goes on: each window as it begins, what it counts while it
//! runs, what it measured once it has ended.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use lab_bench::{
    Server,
    load::{Course, Phase, Watch},
    measure::offered,
    suite,
    workload::Workload,
};
use lab_model::{
    benchmark::Offered,
    event::{Emitter, Fact, Progress, WindowMeasured},
    progress::{Doing, Task},
};
use tokio::time::interval;

/// Reads as moving, and takes nothing worth naming from what is measured.
const EVERY: Duration = Duration::from_millis(300);

/// Whoever tells of one benchmark.
pub(crate) struct Telling<'a> {
    emitter: &'a dyn Emitter,
    workload: &'a str,
    target: String,
    /// Windows that the workload asks for; those after them are a search's.
    of: usize,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// Windows that have begun.
    begun: usize,
    running: Option<Running>,
}

/// A window that runs.
struct Running {
    offered: Offered,
    length: Duration,
    watch: Arc<Watch>,
    /// When it was first seen to be measured.
    measured: Option<Instant>,
}

impl<'a> Telling<'a> {
    pub(crate) fn new(workload: &'a Workload, server: &Server, emitter: &'a dyn Emitter) -> Self {
        Self {
            emitter,
            workload: &workload.name,
            target: workload.target(server).words(),
            of: workload.courses().len(),
            now: Mutex::default(),
        }
    }

    /// Does the work, telling how the window that runs goes on.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut ticks = interval(EVERY);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = ticks.tick() => self.goes_on(),
            }
        }
    }

    /// A window begins or has ended.
    pub(crate) fn turn(&self, progress: &suite::Progress<'_>) {
        match progress {
            suite::Progress::Begins { course, watch } => self.begins(course, watch),
            suite::Progress::Ended { point } => {
                let begun = self.lock(|now| {
                    now.running = None;
                    now.begun
                });
                let (number, of) = self.place(begun);
                self.emitter.emit(Fact::WindowMeasured(WindowMeasured {
                    workload: self.workload.to_owned(),
                    target: self.target.clone(),
                    number,
                    of,
                    point: Box::new((*point).clone()),
                }));
            }
        }
    }

    fn begins(&self, course: &Course, watch: &Arc<Watch>) {
        self.lock(|now| {
            now.begun += 1;
            now.running = Some(Running {
                offered: offered(course),
                length: course.window,
                watch: Arc::clone(watch),
                measured: None,
            });
        });
        self.goes_on();
    }

    fn goes_on(&self) {
        let told = self.lock(|now| {
            let (number, of) = self.place(now.begun);
            let task = Task::Window { number, of };
            now.running.as_mut().map(|running| running.progress(task))
        });
        if let Some(progress) = told {
            self.emitter.progress(progress);
        }
    }

    /// The window's number, and of how many; a search has numbers of its own.
    const fn place(&self, begun: usize) -> (usize, Option<usize>) {
        if begun > self.of {
            (begun - self.of, None)
        } else {
            (begun, Some(self.of))
        }
    }

    fn lock<T>(&self, change: impl FnOnce(&mut Now) -> T) -> T {
        change(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Running {
    fn progress(&mut self, task: Task) -> Progress {
        let offered = self.offered;
        let (answers, errors) = self.watch.counts();
        let measured = |since: Instant| since.elapsed().min(self.length);
        let whole = millis(self.length);
        let (now, done) = match self.watch.phase() {
            Phase::WarmUp => (Doing::WarmsUp { offered }, 0),
            Phase::Window => {
                let since = measured(*self.measured.get_or_insert_with(Instant::now));
                let now = Doing::Measures {
                    offered,
                    seconds: since.as_secs(),
                    of_seconds: self.length.as_secs_f64(),
                    answers,
                    errors,
                };
                (now, millis(since))
            }
            Phase::Drain | Phase::Over => (Doing::Drains { offered }, whole),
        };
        Progress {
            task,
            now,
            // Whole only once its figures are told.
            done: done.min(whole.saturating_sub(1)),
            total: Some(whole),
            remaining_seconds: None,
        }
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use lab_bench::load::Pace;
    use lab_model::benchmark::{Generator, LatencyMicros, Point};

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Vec<Fact>>);

    impl Emitter for Kept {
        fn emit(&self, fact: Fact) {
            self.0.lock().unwrap().push(fact);
        }
    }

    fn course(connections: u32) -> Course {
        Course {
            pace: Pace::Closed { connections },
            warm_up: Duration::ZERO,
            settle: Duration::ZERO,
            window: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            max_requests: 10,
            seed: 1,
        }
    }

    fn point(course: &Course) -> Point {
        Point {
            offered: offered(course),
            requests: 10,
            errors: 0,
            seconds: 5.0,
            throughput: 2.0,
            latency: LatencyMicros {
                p50: 1.0,
                p90: None,
                p95: 1.0,
                p99: 1.0,
                p999: None,
                p9999: None,
                max: 1.0,
            },
            open: None,
            steady: true,
            void: Vec::new(),
            generator: Generator {
                count: 1,
                cpu_seconds: 0.1,
                cpu_micros_per_request: 1.0,
                bytes_sent: 1,
                bytes_received: 1,
                stolen: None,
            },
            server: None,
            used: None,
            series: Vec::new(),
            histogram: Vec::new(),
        }
    }

    #[test]
    fn windows_are_told_in_turn_and_a_search_counts_its_own() {
        let kept = Kept::default();
        let telling = Telling {
            emitter: &kept,
            workload: "digits",
            target: "POST /".to_owned(),
            of: 1,
            now: Mutex::default(),
        };
        let watch = Arc::new(Watch::default());
        for course in [course(1), course(16)] {
            telling.turn(&suite::Progress::Begins {
                course: &course,
                watch: &watch,
            });
            let point = point(&course);
            telling.turn(&suite::Progress::Ended { point: &point });
            // Nothing runs: nothing is told.
            telling.goes_on();
        }
        let told: Vec<_> = kept.0.into_inner().unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|fact| match fact {
                Fact::Progressed(it) => format!("{}: {}", it.task, it.now),
                Fact::WindowMeasured(it) => {
                    format!("{:?} of {:?}: {}", it.number, it.of, it.point.offered)
                }
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            told,
            [
                "window 1 of 1: 1 at once, warming up",
                "1 of Some(1): 1 at once",
                "search 1: 16 at once, warming up",
                "1 of None: 16 at once",
            ]
        );
    }
}
