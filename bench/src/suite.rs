//! A whole workload against one server: every window it asks for, its search, its budgets.

use std::sync::Arc;

use lab_model::{
    benchmark::{BenchmarkSummary, Offered, Point},
    budget::Load,
};
use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    load::{Course, Watch},
    measure::Window,
    observe::{Behind, Observer},
    record::{FailureClass, Tally},
    search,
    server::Server,
    session::{Loader, Session},
    verdict::{Gate, Reading},
    workload::Workload,
};

/// What is told while a workload runs.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A window begins.
    Begins {
        /// What it offers.
        course: &'a Course,
        /// What may be read while it runs.
        watch: &'a Arc<Watch>,
    },
    /// It has ended.
    Ended {
        /// What was measured.
        point: &'a Point,
    },
}

/// What a workload brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The figures.
    pub summary: BenchmarkSummary,
    /// Kinds of errors seen, by window, most frequent first.
    pub failures: Vec<FailureCount>,
    /// Whether it was cancelled before its end.
    pub cancelled: bool,
}

/// Errors of one kind in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// Which window, from 0.
    pub window: usize,
    /// The kind, for example `status 503` or `wrong answer`.
    pub class: FailureClass,
    /// How often.
    pub count: u64,
    /// The first one, in plain words.
    pub example: String,
}

/// What a workload is run with.
pub struct Bench<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// The server.
    pub server: &'a Server,
    /// Who knows what is behind the server's address, where somebody does.
    pub behind: Option<&'a dyn Behind>,
    /// Ends it early; what was measured by then is kept.
    pub cancel: &'a CancellationToken,
}

impl Bench<'_> {
    /// Runs the workload: first every request once, alone, then each window in turn,
    /// then the search.
    ///
    /// # Errors
    /// When the target cannot be asked or answers wrongly without load, or the engine
    /// fails. Errors under load are counted, not returned.
    pub async fn run(&self, tell: impl FnMut(Progress<'_>)) -> Result<Measured, BenchError> {
        let target = self.workload.target(self.server);
        let session = Session::open(&target, self.workload.timeout, self.cancel).await?;
        self.run_by(&session, tell).await
    }

    /// Runs the workload's windows and its search, with load from elsewhere.
    ///
    /// # Errors
    /// When the load cannot be made. Errors under load are counted, not returned.
    pub async fn run_by(
        &self,
        loader: &impl Loader,
        mut tell: impl FnMut(Progress<'_>),
    ) -> Result<Measured, BenchError> {
        let mut measured = Measured {
            summary: BenchmarkSummary {
                workload: self.workload.name.clone(),
                target: self.workload.target(self.server).words(),
                batch_size: self.workload.batch_size,
                points: Vec::new(),
                generators: None,
                highest: None,
                missed: Vec::new(),
            },
            failures: Vec::new(),
            cancelled: false,
        };
        for course in self.workload.courses() {
            match self.window(loader, &course, &mut tell).await {
                Ok((point, tally)) => {
                    let window = measured.summary.points.len();
                    measured.failures.extend(failures(window, &tally));
                    measured.summary.points.push(point);
                }
                Err(BenchError::Cancelled) => {
                    measured.cancelled = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(search) = &self.workload.search
            && !measured.cancelled
        {
            let found = search::run(self.workload, search, loader, &mut tell).await;
            match found {
                Ok(highest) => measured.summary.highest = Some(highest),
                Err(BenchError::Cancelled) => measured.cancelled = true,
                Err(error) => return Err(error),
            }
        }
        let readings: Vec<Reading> = measured.summary.points.iter().map(reading).collect();
        measured.summary.missed = Gate::judge(&self.workload.budgets, &readings).missed();
        Ok(measured)
    }

    /// One window, with what the server says of it.
    async fn window(
        &self,
        loader: &impl Loader,
        course: &Course,
        tell: &mut impl FnMut(Progress<'_>),
    ) -> Result<(Point, Tally), BenchError> {
        let watch = Arc::new(Watch::default());
        tell(Progress::Begins {
            course,
            watch: &watch,
        });
        let observer = Observer::of(self.workload, self.server, self.behind);
        let Window { point, tally } = observer.measure(loader, course, &watch).await?;
        tell(Progress::Ended { point: &point });
        Ok((point, tally))
    }
}

/// What a window says to budgets.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn reading(point: &Point) -> Reading {
    let right: u64 = point.histogram.iter().map(|bucket| bucket.count).sum();
    let right = right as f64;
    Reading {
        load: match point.offered {
            Offered::Closed { concurrency } => Load::Concurrency(concurrency),
            Offered::Open { rate, .. } => Load::Rate(rate),
        },
        throughput: point.throughput,
        p50_micros: point.latency.p50,
        p99_micros: point.latency.p99,
        error_percent: 100.0 * point.errors as f64 / (right + point.errors as f64).max(1.0),
        void: !point.void.is_empty(),
    }
}

fn failures(window: usize, tally: &Tally) -> Vec<FailureCount> {
    let mut failures: Vec<_> = tally
        .failures()
        .iter()
        .map(|(class, failures)| FailureCount {
            window,
            class: *class,
            count: failures.count,
            example: failures.example.clone(),
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}
