//! Closed loop: a fixed number of connections, each sending its next request when
//! the last was answered.
//!
//! Says how fast a server is at a given number of users who wait. It says nothing of
//! arrivals that do not wait: a stall holds back the requests that would have met it.

use std::{sync::Arc, time::Duration};

use lab_model::benchmark::BenchmarkSummary;
use miette::Diagnostic;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    connection::Connection,
    judge::{Reference, refer},
    point::{Prepared, measure},
    statistics::Tally,
    target::{Address, Expect, Target, TargetError},
};

/// A sweep over concurrency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Name of the workload.
    pub name: String,
    /// Connections in flight, one point each.
    pub concurrency: Vec<u32>,
    /// Load before each measured window.
    pub warm_up: Duration,
    /// Length of each measured window.
    pub window: Duration,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Most requests sent in one window.
    pub max_requests: u64,
}

/// What a sweep measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The figures.
    pub summary: BenchmarkSummary,
    /// Kinds of errors seen, by concurrency, most frequent first.
    pub failures: Vec<FailureCount>,
}

/// Errors of one kind at one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// The point's concurrency.
    pub concurrency: u32,
    /// The kind, for example `status 503` or `wrong answer`.
    pub class: String,
    /// How often.
    pub count: u64,
    /// The first one, in plain words.
    pub example: String,
}

/// Why a sweep could not be measured.
#[derive(Debug, Error, Diagnostic)]
pub enum BenchError {
    /// The target cannot be asked.
    #[error("failed to use the target")]
    #[diagnostic(transparent)]
    Target(#[from] TargetError),
    /// A request was answered wrongly before there was any load.
    #[error("request {number} of {of} to `{url}` was not answered rightly without load: {reason}")]
    #[diagnostic(
        code(lab::bench::wrong_without_load),
        help(
            "`lab status NAME` shows whether the server is ready; `curl` the address to see its answer"
        )
    )]
    WrongWithoutLoad {
        /// The address.
        url: String,
        /// The request, from 1.
        number: usize,
        /// All requests.
        of: usize,
        /// What was wrong.
        reason: String,
    },
    /// The model does not know enough of the true labels.
    #[error("the model knows {known} of {of} labels; at least {at_least} % were asked for")]
    #[diagnostic(
        code(lab::bench::disagrees),
        help("check that the workload's `samples` are what this model was trained on")
    )]
    Disagrees {
        /// Right labels.
        known: usize,
        /// Requests with a known label.
        of: usize,
        /// The share asked for, percent.
        at_least: u8,
    },
    /// The sweep was cancelled.
    #[error("the benchmark was cancelled")]
    #[diagnostic(
        code(lab::bench::cancelled),
        help("run it again with `lab bench NAME`")
    )]
    Cancelled,
    /// A worker ended by a bug.
    #[error("a load worker ended by itself")]
    #[diagnostic(code(lab::bench::worker), help("this is a bug; please report it"))]
    Worker {
        /// How it ended.
        source: tokio::task::JoinError,
    },
}

/// Runs the sweep against the target: first every request once, alone, then each
/// concurrency in turn.
///
/// # Errors
/// Fails where the target cannot be asked or answers wrongly without load, or the
/// token is cancelled. Errors under load are counted, not returned.
pub async fn run(
    target: &Target,
    sweep: &Sweep,
    cancel: &CancellationToken,
) -> Result<Measured, BenchError> {
    let prepared = Arc::new(prepare(target, sweep.timeout, cancel).await?);
    let mut measured = Measured {
        summary: BenchmarkSummary {
            workload: sweep.name.clone(),
            target: target.words(),
            points: Vec::new(),
        },
        failures: Vec::new(),
    };
    for &concurrency in &sweep.concurrency {
        let (point, tally) = measure(&prepared, sweep, concurrency.max(1), cancel).await?;
        measured
            .failures
            .extend(failures(point.concurrency, &tally));
        measured.summary.points.push(point);
    }
    Ok(measured)
}

fn failures(concurrency: u32, tally: &Tally) -> Vec<FailureCount> {
    let mut failures: Vec<_> = tally
        .failures()
        .iter()
        .map(|(class, failures)| FailureCount {
            concurrency,
            class: class.to_string(),
            count: failures.count,
            example: failures.example.clone(),
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}

/// Sends every request once, alone, and keeps the answers as what is right.
async fn prepare(
    target: &Target,
    timeout: Duration,
    cancel: &CancellationToken,
) -> Result<Prepared, BenchError> {
    let address = target.address()?;
    let url = target.url.clone();
    if target.requests.is_empty() {
        return Err(TargetError::NoRequests { url }.into());
    }
    let references = tokio::select! {
        () = cancel.cancelled() => return Err(BenchError::Cancelled),
        references = ask_each(target, address.clone(), timeout) => references?,
    };
    agree(target, &references)?;
    Ok(Prepared {
        target: target.clone(),
        address,
        references,
        timeout,
    })
}

async fn ask_each(
    target: &Target,
    address: Address,
    timeout: Duration,
) -> Result<Vec<Reference>, BenchError> {
    let mut connection = Connection::new(address);
    let mut references = Vec::new();
    for request in &target.requests {
        let wrong = |reason| BenchError::WrongWithoutLoad {
            url: target.url.clone(),
            number: references.len() + 1,
            of: target.requests.len(),
            reason,
        };
        let unanswered =
            |none: crate::connection::Unanswered| wrong(format!("{}: {}", none.class, none.reason));
        connection.ready(timeout).await.map_err(unanswered)?;
        let answer = connection.post(request.body.clone(), timeout).await;
        let reference = refer(&target.expect, &answer.map_err(unanswered)?);
        references.push(reference.map_err(|why| wrong(why.reason))?);
    }
    Ok(references)
}

/// Checks that the model knows enough of the true labels.
fn agree(target: &Target, references: &[Reference]) -> Result<(), BenchError> {
    let Expect::Inference(inference) = &target.expect else {
        return Ok(());
    };
    let judged: Vec<bool> = target
        .requests
        .iter()
        .zip(references)
        .filter_map(|(request, reference)| request.label.map(|truth| reference.knows(truth)))
        .collect();
    let known = judged.iter().filter(|knows| **knows).count();
    let at_least = inference.min_agreement_percent;
    if known * 100 < judged.len() * usize::from(at_least) {
        return Err(BenchError::Disagrees {
            known,
            of: judged.len(),
            at_least,
        });
    }
    Ok(())
}
