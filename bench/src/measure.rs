//! One window: the load on a thread of its own, and what it says of the server.

use std::{sync::Arc, time::Duration};

use hdrhistogram::Histogram;
use lab_model::{
    benchmark::{Bucket, Generator, Offered, OpenLoop, Point},
    void::Void,
};
use tokio_util::sync::CancellationToken;

use crate::{
    error::BenchError,
    host::Stolen,
    load::{Course, Driven, Pace, Watch, drive},
    prepare::Prepared,
    record::{Tally, micros, quantiles},
    series::SecondTally,
};

/// Buckets of a published histogram: enough for a picture.
const BUCKETS: u32 = 60;
/// Most of its own ceiling a generator may have used. Above half, what is measured is
/// the generator.
const MOST_CPU: f64 = 0.5;
/// Most that a generator's own lateness may be of a latency it measures.
const MOST_LAG: f64 = 0.05;
/// Most of this machine's CPU time that its host may have taken away: throughput is lower
/// by about this, and a tail by much more.
const MOST_STOLEN: f64 = 0.05;

/// What one window brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The figures.
    pub point: Point,
    /// Everything counted and timed, to be merged with others.
    pub tally: Tally,
}

/// Runs one course against a target.
///
/// # Errors
/// When the engine fails or the token is cancelled. Errors under load are counted.
pub(crate) async fn run(
    prepared: &Arc<Prepared>,
    course: &Course,
    watch: &Arc<Watch>,
    cancel: &CancellationToken,
) -> Result<Driven, BenchError> {
    let before = Stolen::now();
    let thread = {
        let (prepared, course, watch) = (Arc::clone(prepared), course.clone(), Arc::clone(watch));
        tokio::task::spawn_blocking(move || drive(&prepared, &course, &watch))
    };
    tokio::pin!(thread);
    // Who drops this future half-way ends the load.
    let _ends = Ends(watch);
    let driven = tokio::select! {
        driven = &mut thread => driven,
        () = cancel.cancelled() => {
            watch.cancel();
            thread.await
        }
    };
    let mut driven = driven
        .map_err(|source| BenchError::Thread { source })?
        .map_err(|source| BenchError::Engine { source })?;
    if driven.cancelled {
        return Err(BenchError::Cancelled);
    }
    let after = Stolen::now();
    driven.stolen = before
        .zip(after)
        .and_then(|(before, after)| after.share_since(before));
    Ok(driven)
}

/// Ends a load when it is dropped.
struct Ends<'a>(&'a Watch);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What a course says of the server, run by one generator.
pub(crate) fn window(course: &Course, driven: Driven) -> Window {
    let void = void(&driven);
    let tally = driven.tally;
    let seconds = Duration::from_nanos(driven.nanos).as_secs_f64();
    let cpu_seconds = Duration::from_nanos(driven.cpu).as_secs_f64();
    let open = matches!(course.pace, Pace::Open { .. }).then(|| OpenLoop {
        service: quantiles(&tally.service),
        lag: quantiles(&tally.lag),
        held: tally.held,
        realtime: driven.realtime,
    });
    let point = Point {
        offered: offered(course),
        requests: tally.answers(),
        errors: tally.errors(),
        seconds,
        throughput: per(tally.right_answers() + tally.carried, seconds),
        latency: tally.latency(),
        void,
        open,
        steady: driven.steady,
        generator: Generator {
            count: 1,
            cpu_seconds,
            cpu_micros_per_request: per_answer(driven.cpu, tally.answers()),
            bytes_sent: tally.bytes_sent,
            bytes_received: tally.bytes_received,
            stolen: driven.stolen,
        },
        server: None,
        used: None,
        series: driven.series.iter().map(SecondTally::figures).collect(),
        histogram: buckets(&tally.latency),
    };
    Window { point, tally }
}

/// What a course offers, for the record.
pub fn offered(course: &Course) -> Offered {
    match &course.pace {
        Pace::Closed { connections } => Offered::Closed {
            concurrency: *connections,
        },
        Pace::Open { arrivals, .. } => Offered::Open {
            arrivals: arrivals.kind(),
            rate: arrivals.mean_rate(course.window),
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn per(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

/// Microseconds of CPU for each answer; none where nothing was answered.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn per_answer(cpu: u64, answers: u64) -> f64 {
    if answers == 0 {
        0.0
    } else {
        micros(cpu) / answers as f64
    }
}

/// Why the figures say nothing of the server.
#[expect(clippy::cast_precision_loss, reason = "times are below 2^52 ns")]
fn void(driven: &Driven) -> Vec<Void> {
    let tally = &driven.tally;
    let used = driven.cpu as f64 / driven.wall.max(1) as f64;
    let busy = (used > MOST_CPU).then_some(Void::Busy {
        used,
        most: MOST_CPU,
    });
    let share = tally.lag_share();
    let late = (share > MOST_LAG).then(|| Void::Late {
        share,
        most: MOST_LAG,
        p99_micros: quantiles(&tally.lag).p99,
        ordinary: !driven.realtime,
    });
    let stolen = driven.stolen.filter(|share| *share > MOST_STOLEN);
    let stolen = stolen.map(|share| Void::Stolen {
        share,
        most: MOST_STOLEN,
    });
    busy.into_iter().chain(late).chain(stolen).collect()
}

/// The distribution in at most [`BUCKETS`] ranges, each wider than the last by one factor.
fn buckets(times: &Histogram<u64>) -> Vec<Bucket> {
    if times.is_empty() {
        return Vec::new();
    }
    let (least, most) = (micros(times.min().max(1)), micros(times.max()));
    let factor = (most / least).max(1.001).powf(1.0 / f64::from(BUCKETS));
    let mut buckets: Vec<Bucket> = (1..=BUCKETS)
        .map(|turn| Bucket {
            up_to: least * factor.powi(i32::try_from(turn).unwrap_or(i32::MAX)),
            count: 0,
        })
        .collect();
    let end = buckets.len() - 1;
    for step in times.iter_recorded() {
        let value = micros(step.value_iterated_to());
        let at = buckets.partition_point(|bucket| bucket.up_to < value);
        buckets[at.min(end)].count += step.count_at_value();
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Meter;

    #[test]
    fn what_the_host_took_voids_a_window_above_a_twentieth() {
        let mut driven = Meter::new(false).finish(true, false);
        let mut reasons = |stolen| {
            driven.stolen = stolen;
            void(&driven)
        };

        assert_eq!(reasons(None), []);
        assert_eq!(reasons(Some(0.05)), []);
        let (share, most) = (0.051, MOST_STOLEN);
        assert_eq!(reasons(Some(share)), [Void::Stolen { share, most }]);
    }
}
