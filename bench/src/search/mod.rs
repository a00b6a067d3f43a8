//! The highest rate that holds a target.
//!
//! A closed-loop window says roughly what the server can do; open-loop windows with
//! Poisson arrivals then close in on the highest rate whose p99 holds, until enough of them
//! held at the answer or above: a rate that held once by luck is none.

mod next;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lab_model::benchmark::{Found, Highest, Point, Tried};

use crate::{
    error::BenchError,
    load::{Arrivals, Course, Pace, Watch},
    session::Loader,
    suite::Progress,
    workload::{Search, Workload},
};
use next::{Next, best, next};

/// Connections of the closed loop that gives the first guess.
const GUESS: u32 = 16;
/// A window is no longer than so many requests need: thirty of them are its slowest
/// hundredth.
const ENOUGH: f64 = 3_000.0;
/// And no shorter than so many need, within a quarter of the search's time: of fewer there
/// is hardly a tail.
const FEWEST: f64 = 30.0;

struct Searching<'a, L, T> {
    workload: &'a Workload,
    search: &'a Search,
    loader: &'a L,
    began: Instant,
    tried: Vec<Tried>,
    tell: T,
}

/// Searches. The same seed sends the same arrivals at the same rates.
///
/// # Errors
/// When the load cannot be made or is cancelled.
pub(crate) async fn run(
    workload: &Workload,
    search: &Search,
    loader: &impl Loader,
    tell: impl FnMut(Progress<'_>),
) -> Result<Highest, BenchError> {
    let mut searching = Searching {
        workload,
        search,
        loader,
        began: Instant::now(),
        tried: Vec::new(),
        tell,
    };
    let found = searching.find().await?;
    Ok(Highest {
        p99_micros: search.p99_micros,
        found,
        tried: searching.tried,
    })
}

impl<L: Loader, T: FnMut(Progress<'_>)> Searching<'_, L, T> {
    async fn find(&mut self) -> Result<Found, BenchError> {
        let ceiling = self.ceiling().await?;
        loop {
            match next(ceiling, self.search.p99_micros, &self.tried) {
                Next::Try(rate) if self.is_late(rate) => return Ok(self.unconfirmed()),
                Next::Try(rate) => self.try_at(rate).await?,
                Next::Found(rate) => return Ok(Found::Rate { rate }),
                Next::Nothing => return Ok(Found::None),
            }
        }
    }

    fn is_late(&self, rate: f64) -> bool {
        self.began.elapsed() + self.length(rate) > self.search.limit
    }

    fn unconfirmed(&self) -> Found {
        best(self.search.p99_micros, &self.tried)
            .map_or(Found::None, |rate| Found::Unconfirmed { rate })
    }

    /// Right answers a second of a closed loop.
    async fn ceiling(&mut self) -> Result<f64, BenchError> {
        let pace = Pace::Closed { connections: GUESS };
        let course = self.course(pace, self.search.window);
        Ok(self.window(&course).await?.throughput)
    }

    async fn try_at(&mut self, rate: f64) -> Result<(), BenchError> {
        let pace = Pace::Open {
            arrivals: Arrivals::Poisson { rate },
            connections: self.search.connections,
        };
        let course = self.course(pace, self.length(rate));
        let point = self.window(&course).await?;
        let says_nothing = point.requests == 0 && point.errors == 0;
        self.tried.push(Tried {
            rate,
            p50: point.latency.p50,
            p99: point.latency.p99,
            errors: point.errors,
            held: !says_nothing && point.errors == 0 && point.latency.p99 <= self.search.p99_micros,
            void: says_nothing || !point.void.is_empty(),
        });
        Ok(())
    }

    async fn window(&mut self, course: &Course) -> Result<Point, BenchError> {
        let watch = Arc::new(Watch::default());
        (self.tell)(Progress::Begins {
            course,
            watch: &watch,
        });
        let point = self.loader.measure(course, &watch).await?.point;
        (self.tell)(Progress::Ended { point: &point });
        Ok(point)
    }

    /// How long a rate is offered: time saved is there to ask again.
    fn length(&self, rate: f64) -> Duration {
        let Search { window, limit, .. } = *self.search;
        let time_of = |requests: f64| Duration::try_from_secs_f64(requests / rate).unwrap_or(limit);
        let usual = time_of(ENOUGH).clamp(window / 4, window);
        usual.max(time_of(FEWEST).min(limit / 4))
    }

    /// Short of warm-up: the server is warm from the windows before.
    fn course(&self, pace: Pace, window: Duration) -> Course {
        let warm_up = window / 8;
        Course {
            warm_up,
            settle: warm_up,
            window,
            seed: self.workload.seed + self.tried.len() as u64,
            ..self.workload.course(pace)
        }
    }
}
