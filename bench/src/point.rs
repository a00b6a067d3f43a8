//! One point of a sweep: workers at one concurrency through warm-up and window.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lab_model::benchmark::ClosedLoopPoint;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    closed_loop::{BenchError, Sweep},
    connection::{Connection, Unanswered},
    judge::{Reference, judge},
    statistics::Tally,
    target::{Address, Target},
};

/// Pause after a failed connection, so that a server that is gone is not asked
/// thousands of times a second.
const RECONNECT_PAUSE: Duration = Duration::from_millis(20);

/// A target that was asked once without load.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) target: Target,
    pub(crate) address: Address,
    pub(crate) references: Vec<Reference>,
    pub(crate) timeout: Duration,
}

/// What the workers of one point share.
struct Shared {
    prepared: Arc<Prepared>,
    window_start: Instant,
    window_end: Instant,
    /// Requests that may still be sent in the window.
    budget: AtomicU64,
}

/// What a worker brought back.
struct Worked {
    tally: Tally,
    last_answer: Instant,
}

/// Measures one point.
pub(crate) async fn measure(
    prepared: &Arc<Prepared>,
    sweep: &Sweep,
    concurrency: u32,
    cancel: &CancellationToken,
) -> Result<(ClosedLoopPoint, Tally), BenchError> {
    let window_start = Instant::now() + sweep.warm_up;
    let shared = Arc::new(Shared {
        prepared: Arc::clone(prepared),
        window_start,
        window_end: window_start + sweep.window,
        budget: AtomicU64::new(sweep.max_requests),
    });
    let mut workers = JoinSet::new();
    for number in 0..concurrency {
        // Workers begin at different requests, so that they do not march in step.
        let first = number as usize * prepared.target.requests.len() / concurrency as usize;
        workers.spawn(work(Arc::clone(&shared), first, cancel.clone()));
    }
    let mut tally = Tally::new();
    let mut last_answer = window_start;
    while let Some(worked) = workers.join_next().await {
        let worked = worked.map_err(|source| BenchError::Worker { source })?;
        tally.merge(&worked.tally);
        last_answer = last_answer.max(worked.last_answer);
    }
    if cancel.is_cancelled() {
        return Err(BenchError::Cancelled);
    }
    let seconds = (last_answer - window_start).as_secs_f64();
    Ok((point(concurrency, &tally, seconds), tally))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a window never holds 2^52 answers"
)]
fn point(concurrency: u32, tally: &Tally, seconds: f64) -> ClosedLoopPoint {
    let throughput = if seconds > 0.0 {
        tally.right_answers() as f64 / seconds
    } else {
        0.0
    };
    ClosedLoopPoint {
        concurrency,
        requests: tally.answers(),
        errors: tally.errors(),
        seconds,
        throughput,
        latency: tally.latency(),
    }
}

/// Sends requests until the window ends, the budget is spent or the token cancelled.
///
/// A request that began within the window counts whenever its answer comes: leaving
/// out those still unanswered at its end would leave out the slowest.
async fn work(shared: Arc<Shared>, first: usize, cancel: CancellationToken) -> Worked {
    let mut worked = Worked {
        tally: Tally::new(),
        last_answer: shared.window_start,
    };
    let mut connection = Connection::new(shared.prepared.address.clone());
    for turn in first.. {
        let now = Instant::now();
        let counts = now >= shared.window_start;
        if now >= shared.window_end || (counts && !shared.take_one()) {
            break;
        }
        let asked = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            asked = ask(&shared.prepared, &mut connection, turn) => asked,
        };
        if counts {
            worked.last_answer = Instant::now();
            asked.count(&mut worked.tally);
        }
        if asked.failed_to_connect() {
            tokio::select! {
                () = cancel.cancelled() => break,
                () = sleep(RECONNECT_PAUSE) => {}
            }
        }
    }
    worked
}

impl Shared {
    /// Takes one request from the budget, where one is left.
    fn take_one(&self) -> bool {
        self.budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok()
    }
}

/// How one request went.
enum Asked {
    Right { micros: u64 },
    Wrong(crate::judge::Wrong),
    Unanswered(Unanswered),
}

impl Asked {
    fn count(&self, tally: &mut Tally) {
        match self {
            Self::Right { micros } => tally.right(*micros),
            Self::Wrong(wrong) => tally.wrong(wrong.class, || wrong.reason.clone()),
            Self::Unanswered(none) => tally.wrong(none.class, || none.reason.clone()),
        }
    }

    const fn failed_to_connect(&self) -> bool {
        matches!(
            self,
            Self::Unanswered(Unanswered {
                class: crate::statistics::FailureClass::Connect,
                ..
            })
        )
    }
}

async fn ask(prepared: &Prepared, connection: &mut Connection, turn: usize) -> Asked {
    let index = turn % prepared.target.requests.len();
    let body = prepared.target.requests[index].body.clone();
    if let Err(none) = connection.ready(prepared.timeout).await {
        return Asked::Unanswered(none);
    }
    let began = Instant::now();
    let answer = connection.post(body, prepared.timeout).await;
    let took = began.elapsed();
    match answer {
        Err(none) => Asked::Unanswered(none),
        Ok(answer) => match judge(
            &prepared.target.expect,
            &prepared.references[index],
            &answer,
        ) {
            Err(wrong) => Asked::Wrong(wrong),
            Ok(()) => Asked::Right {
                micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            },
        },
    }
}
