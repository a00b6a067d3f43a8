//! A whole workload against one server: every window it asks for, its search, its budgets.

use std::{sync::Arc, time::Duration};

use lab_model::benchmark::{BenchmarkSummary, PodUsage, Point};
use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    load::{Course, Phase, Watch},
    prepare::client,
    record::Tally,
    search,
    session::Session,
    triton::{self, Counters},
    workload::Workload,
};

/// Time allowed for a question about the server while it is under load.
const ASIDE: Duration = Duration::from_secs(5);

/// What the server's pods have used since they started; where nobody can say, nothing.
pub trait Pods {
    /// CPU time so far and memory now, of each pod.
    fn usage(&self) -> impl Future<Output = Vec<PodUsage>> + Send;
}

/// A server whose pods nobody knows.
#[derive(Debug, Clone, Copy)]
pub struct Unknown;

impl Pods for Unknown {
    async fn usage(&self) -> Vec<PodUsage> {
        Vec::new()
    }
}

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
    pub class: String,
    /// How often.
    pub count: u64,
    /// The first one, in plain words.
    pub example: String,
}

/// What a workload is run with.
#[derive(Debug)]
pub struct Bench<'a, P> {
    /// The workload.
    pub workload: &'a Workload,
    /// `http://host:port` of the server.
    pub server: &'a str,
    /// Its pods.
    pub pods: &'a P,
    /// Ends it early; what was measured by then is kept.
    pub cancel: &'a CancellationToken,
}

impl<P: Pods> Bench<'_, P> {
    /// Runs the workload: first every request once, alone, then each window in turn,
    /// then the search.
    ///
    /// # Errors
    /// When the target cannot be asked or answers wrongly without load, or the engine
    /// fails. Errors under load are counted, not returned.
    pub async fn run(&self, mut tell: impl FnMut(Progress<'_>)) -> Result<Measured, BenchError> {
        let target = self.workload.target(self.server);
        let session = Session::open(&target, self.workload.timeout, self.cancel).await?;
        let mut measured = Measured {
            summary: BenchmarkSummary {
                workload: self.workload.name.clone(),
                target: target.words(),
                points: Vec::new(),
                highest: None,
                missed: Vec::new(),
            },
            failures: Vec::new(),
            cancelled: false,
        };
        for course in self.workload.courses() {
            match self.window(&session, &course, &mut tell).await {
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
            let found = search::run(self.workload, search, &session, &mut tell).await;
            match found {
                Ok(highest) => measured.summary.highest = Some(highest),
                Err(BenchError::Cancelled) => measured.cancelled = true,
                Err(error) => return Err(error),
            }
        }
        measured.summary.missed = self.workload.budget.missed(&measured.summary);
        Ok(measured)
    }

    /// One window, with what the server says of it.
    async fn window(
        &self,
        session: &Session,
        course: &Course,
        tell: &mut impl FnMut(Progress<'_>),
    ) -> Result<(Point, Tally), BenchError> {
        let watch = Arc::new(Watch::default());
        tell(Progress::Begins {
            course,
            watch: &watch,
        });
        let observed = async {
            watch.reached(Phase::Window).await;
            let before = self.observe().await;
            watch.reached(Phase::Drain).await;
            (before, self.observe().await)
        };
        let (window, (before, after)) = tokio::try_join!(session.measure(course, &watch), async {
            Ok(observed.await)
        })?;
        let mut point = window.point;
        point.server = before
            .counters
            .zip(after.counters)
            .and_then(|(before, after)| after.since(&before));
        point.pods = used(&before.pods, after.pods);
        tell(Progress::Ended { point: &point });
        Ok((point, window.tally))
    }

    async fn observe(&self) -> Observed {
        let counters = async {
            let client = client(ASIDE).ok()?;
            triton::counters(&client, self.server, &self.workload.model).await
        };
        let (counters, pods) = tokio::join!(
            async {
                if self.workload.protocol.is_v2() {
                    counters.await
                } else {
                    None
                }
            },
            self.pods.usage()
        );
        Observed { counters, pods }
    }
}

struct Observed {
    counters: Option<Counters>,
    pods: Vec<PodUsage>,
}

/// What each pod used between two looks. A pod that was not there before is left out.
fn used(before: &[PodUsage], after: Vec<PodUsage>) -> Vec<PodUsage> {
    let since = |mut now: PodUsage| {
        let then = before.iter().find(|one| one.pod == now.pod)?;
        now.cpu_seconds -= then.cpu_seconds;
        (now.cpu_seconds >= 0.0).then_some(now)
    };
    after.into_iter().filter_map(since).collect()
}

fn failures(window: usize, tally: &Tally) -> Vec<FailureCount> {
    let mut failures: Vec<_> = tally
        .failures()
        .iter()
        .map(|(class, failures)| FailureCount {
            window,
            class: class.to_string(),
            count: failures.count,
            example: failures.example.clone(),
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}
