//! Two servers measured against each other, in turns, on one machine.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    load::{Course, Pace, Watch},
    measure::Window,
    null::NullServer,
    observe::Observer,
    record::micros,
    server::Server,
    session::Session,
    stall,
    verdict::{
        Comparison, Failure, Measure, Plan, PlanError, Sample, ServerMicros, Side, Step, Verdict,
        compare,
    },
    workload::Workload,
};

/// Length of a run. Ten pairs and their calibration are half a minute of load on `a`.
const RUN: Duration = Duration::from_secs(1);
/// Load before each run: the server is warm, its connections are new.
const WARM_UP: Duration = Duration::from_millis(250);
/// Length of a canary's run.
const CANARY: Duration = Duration::from_millis(300);
/// Times the calibration's pairs are drawn again.
const RESAMPLES: u32 = 1000;

/// What the two servers are asked.
#[derive(Debug, Clone)]
pub struct Duel<'a> {
    /// The workload; its own windows and searches are not run.
    pub workload: &'a Workload,
    /// Connections in flight.
    pub concurrency: u32,
    /// What there was.
    pub a: &'a Server,
    /// What shall come.
    pub b: &'a Server,
}

/// What is told while servers are compared.
#[derive(Debug, Clone, Copy)]
pub enum Stage<'a> {
    /// `a` against itself: what this machine calls different that is not.
    Calibration(Step<'a>),
    /// `a` against `b`.
    Comparison(Step<'a>),
}

/// What was measured and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The verdict.
    pub verdict: Verdict,
    /// Every run.
    pub comparison: Comparison,
}

/// Why two servers could not be compared.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DuelError {
    /// One of them cannot be measured.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Bench(#[from] BenchError),
    /// The plan can come to no verdict.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Plan(#[from] PlanError),
}

impl Duel<'_> {
    /// Compares: first `a` with itself where `calibrates`, then `a` with `b`, both by the plan.
    ///
    /// # Errors
    /// When a server cannot be asked or answers wrongly without load, or the plan can come
    /// to no verdict. Runs that fail are kept and told in the verdict.
    pub async fn run(
        &self,
        plan: &Plan,
        calibrates: bool,
        cancel: &CancellationToken,
        mut tell: impl FnMut(Stage<'_>),
    ) -> Result<Compared, DuelError> {
        plan.check()?;
        let engine = |source| BenchError::Engine { source };
        let server = NullServer::start(Duration::ZERO).map_err(engine)?;
        let timeout = self.workload.timeout;
        let open = async |server: &Server| {
            Session::open(&self.workload.target(server), timeout, cancel).await
        };
        let (a, b) = (open(self.a).await?, open(self.b).await?);
        let null = Session::open(&stall::target(&server), timeout, cancel).await?;
        let mut runs = Runs {
            duel: self,
            sessions: [&a, &a],
            servers: [self.a, self.a],
            null: &null,
        };
        let mut false_alarms = None;
        if calibrates {
            let same = compare(plan, &mut runs, cancel, |step| {
                tell(Stage::Calibration(step));
            })
            .await?;
            false_alarms = plan.false_alarms(&same.pairs(), RESAMPLES).ok();
        }
        runs.sessions = [&a, &b];
        runs.servers = [self.a, self.b];
        let comparison = compare(plan, &mut runs, cancel, |step| {
            tell(Stage::Comparison(step));
        })
        .await?;
        Ok(Compared {
            verdict: comparison.verdict(false_alarms),
            comparison,
        })
    }

    fn course(&self, window: Duration, seed: u64) -> Course {
        let pace = Pace::Closed {
            connections: self.concurrency,
        };
        Course {
            warm_up: WARM_UP,
            settle: WARM_UP,
            window,
            seed,
            ..self.workload.course(pace)
        }
    }
}

struct Runs<'a> {
    duel: &'a Duel<'a>,
    sessions: [&'a Session; 2],
    servers: [&'a Server; 2],
    null: &'a Session,
}

impl Measure for Runs<'_> {
    async fn run(&mut self, side: Side, seed: u64) -> Result<Sample, Failure> {
        let at = usize::from(side == Side::B);
        let observer = Observer::of(self.duel.workload, self.servers[at], None);
        let course = self.duel.course(RUN, seed);
        let window = observer
            .measure(self.sessions[at], &course, &Arc::new(Watch::default()))
            .await?;
        sample(&window)
    }

    async fn canary(&mut self) -> Result<f64, Failure> {
        let course = self.duel.course(CANARY, 0);
        let window = self.null.measure(&course, &Arc::default()).await?;
        Ok(window.point.throughput)
    }
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        Self::Told(error.to_string())
    }
}

/// A run whose figures say something of the server.
fn sample(window: &Window) -> Result<Sample, Failure> {
    let point = &window.point;
    let worst = window
        .tally
        .failures()
        .iter()
        .max_by_key(|(_, failures)| failures.count);
    if let Some((class, failures)) = worst {
        return Err(Failure::Errors {
            errors: point.errors,
            class: *class,
            example: failures.example.clone(),
        });
    }
    if let Some(void) = point.void.first() {
        return Err(Failure::Void { void: void.clone() });
    }
    Ok(Sample {
        throughput: point.throughput,
        p50_micros: point.latency.p50,
        p95_micros: point.latency.p95,
        p99_micros: point.latency.p99,
        server: point.server.as_ref().map(|server| ServerMicros {
            queue: server.queue,
            input: server.compute_input,
            infer: server.compute_infer,
            output: server.compute_output,
        }),
        client_micros: Some(point.generator.cpu_micros_per_request),
        cold_start_micros: window.tally.first_answer().map(micros),
    })
}
