//! The highest rate that holds a target.
//!
//! A closed-loop window says roughly what the server can do; open-loop windows with
//! Poisson arrivals then close in on the highest rate whose p99 holds, and the answer is
//! confirmed by further windows: a rate that held once by luck is stepped down from.

use std::{sync::Arc, time::Instant};

use lab_model::benchmark::{Found, Highest, Tried};

use crate::{
    error::BenchError,
    load::{Arrivals, Course, Pace, Watch},
    session::Loader,
    suite::Progress,
    workload::{Search, Workload},
};

/// Connections of the closed loop that gives the first guess.
const GUESS: u32 = 16;
/// The interval is close enough when its ends are this share apart.
const CLOSE: f64 = 0.05;
/// A rate is confirmed by this many windows that held, the first one included.
const CONFIRM: usize = 3;
/// What a rate that was not confirmed is lowered by.
const STEP_DOWN: f64 = 0.95;
/// The least rate that is tried, requests a second.
const LEAST: f64 = 1.0;

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
        // An open loop cannot hold more than a closed one reaches with many connections,
        // save for luck: a little above it bounds the answer.
        let mut fails = 1.2 * ceiling;
        let mut holds = 0.0;
        let mut rate = 0.7 * ceiling;
        while fails - holds > CLOSE * fails && rate >= LEAST {
            if self.is_late() {
                return Ok(unconfirmed(holds));
            }
            if self.holds(rate).await? {
                holds = rate;
            } else {
                fails = rate;
            }
            rate = f64::midpoint(holds, fails);
        }
        if holds < LEAST {
            return Ok(Found::None);
        }
        self.confirm(holds).await
    }

    async fn confirm(&mut self, mut rate: f64) -> Result<Found, BenchError> {
        let mut held = 1;
        while held < CONFIRM {
            if self.is_late() {
                return Ok(unconfirmed(rate));
            }
            if self.holds(rate).await? {
                held += 1;
            } else {
                rate *= STEP_DOWN;
                held = 0;
            }
            if rate < LEAST {
                return Ok(Found::None);
            }
        }
        Ok(Found::Rate { rate })
    }

    fn is_late(&self) -> bool {
        self.began.elapsed() + self.search.window > self.search.limit
    }

    /// Right answers a second of a closed loop.
    async fn ceiling(&mut self) -> Result<f64, BenchError> {
        let course = self.course(Pace::Closed { connections: GUESS });
        let (throughput, _, _) = self.window(&course).await?;
        Ok(throughput.max(LEAST))
    }

    async fn holds(&mut self, rate: f64) -> Result<bool, BenchError> {
        let course = self.course(Pace::Open {
            arrivals: Arrivals::Poisson { rate },
            connections: self.search.connections,
        });
        let (_, p99, errors) = self.window(&course).await?;
        let held = errors == 0 && p99 <= self.search.p99_micros;
        self.tried.push(Tried {
            rate,
            p99,
            errors,
            held,
        });
        Ok(held)
    }

    async fn window(&mut self, course: &Course) -> Result<(f64, f64, u64), BenchError> {
        let watch = Arc::new(Watch::default());
        (self.tell)(Progress::Begins {
            course,
            watch: &watch,
        });
        let point = self.loader.measure(course, &watch).await?.point;
        (self.tell)(Progress::Ended { point: &point });
        Ok((point.throughput, point.latency.p99, point.errors))
    }

    /// Short of warm-up: the server is warm from the windows before.
    fn course(&self, pace: Pace) -> Course {
        let warm_up = self.search.window / 8;
        Course {
            warm_up,
            settle: warm_up,
            window: self.search.window,
            seed: self.workload.seed + self.tried.len() as u64,
            ..self.workload.course(pace)
        }
    }
}

const fn unconfirmed(rate: f64) -> Found {
    if rate < LEAST {
        Found::None
    } else {
        Found::Unconfirmed { rate }
    }
}
