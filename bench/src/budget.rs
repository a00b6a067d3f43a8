//! What a workload's figures must keep.

use lab_model::benchmark::{BenchmarkSummary, Offered, Point};

use crate::workload::Budget;

impl Budget {
    /// The budgets that a summary misses, each in words.
    ///
    /// A void window says nothing of the server, so it can miss no budget of speed; but
    /// where every window that a budget asks about is void, that is said.
    pub fn missed(&self, summary: &BenchmarkSummary) -> Vec<String> {
        [
            self.throughput.and_then(|least| throughput(summary, least)),
            self.p99_micros.and_then(|most| p99(summary, most)),
            self.error_share.and_then(|most| errors(summary, most)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn valid(summary: &BenchmarkSummary, closed: bool) -> impl Iterator<Item = &Point> {
    summary.points.iter().filter(move |point| {
        point.void.is_empty() && matches!(point.offered, Offered::Closed { .. }) == closed
    })
}

fn throughput(summary: &BenchmarkSummary, least: f64) -> Option<String> {
    let best = valid(summary, true).map(|point| point.throughput);
    match best.max_by(f64::total_cmp) {
        Some(best) if best >= least => None,
        Some(best) => Some(format!(
            "at most {best:.1} right answers a second; the budget asks for {least:.1}"
        )),
        None => Some(
            "no closed loop was measured that the budget of throughput could be held to".to_owned(),
        ),
    }
}

fn p99(summary: &BenchmarkSummary, most: f64) -> Option<String> {
    let worst = valid(summary, false).map(|point| point.latency.p99);
    match worst.max_by(f64::total_cmp) {
        Some(worst) if worst <= most => None,
        Some(worst) => Some(format!(
            "p99 of {:.2} ms; the budget allows {:.2} ms",
            worst / 1e3,
            most / 1e3
        )),
        None => {
            Some("no open loop was measured that the budget of p99 could be held to".to_owned())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn errors(summary: &BenchmarkSummary, most: f64) -> Option<String> {
    let share = |point: &Point| {
        let all = point.errors as f64 + point.throughput * point.seconds;
        point.errors as f64 / all.max(1.0)
    };
    let worst = summary.points.iter().map(share).fold(0.0, f64::max);
    (worst > most).then(|| {
        format!(
            "{:.3} % of the requests of a window failed; the budget allows {:.3} %",
            100.0 * worst,
            100.0 * most
        )
    })
}

#[cfg(test)]
mod tests {
    use lab_model::benchmark::{ArrivalKind, Generator, LatencyMicros};

    use super::*;

    fn point(offered: Offered, throughput: f64, p99: f64, errors: u64) -> Point {
        Point {
            offered,
            requests: 1000,
            errors,
            seconds: 1.0,
            throughput,
            latency: LatencyMicros {
                p50: p99 / 2.0,
                p90: None,
                p95: p99,
                p99,
                p999: None,
                p9999: None,
                max: p99,
            },
            open: None,
            steady: true,
            void: Vec::new(),
            generator: Generator {
                count: 1,
                cpu_seconds: 0.1,
                cpu_micros_per_request: 10.0,
                bytes_sent: 1,
                bytes_received: 1,
            },
            server: None,
            pods: Vec::new(),
            series: Vec::new(),
            histogram: Vec::new(),
        }
    }

    fn summary() -> BenchmarkSummary {
        let closed = Offered::Closed { concurrency: 4 };
        let open = Offered::Open {
            arrivals: ArrivalKind::Poisson,
            rate: 100.0,
        };
        let mut void = point(closed, 9000.0, 1.0, 0);
        void.void.push("the generator was too slow".to_owned());
        BenchmarkSummary {
            workload: "w".to_owned(),
            target: "POST /".to_owned(),
            points: vec![
                point(closed, 500.0, 8000.0, 0),
                point(open, 100.0, 21_000.0, 1),
                void,
            ],
            highest: None,
            missed: Vec::new(),
        }
    }

    fn missed(budget: Budget) -> Vec<String> {
        budget.missed(&summary())
    }

    #[test]
    fn what_is_kept_is_not_told() {
        let budget = Budget {
            throughput: Some(500.0),
            p99_micros: Some(21_000.0),
            error_share: Some(0.01),
        };
        assert_eq!(missed(budget), Vec::<String>::new());
    }

    #[test]
    fn what_is_missed_is_told_with_figure_and_budget() {
        let budget = Budget {
            throughput: Some(800.0),
            p99_micros: Some(20_000.0),
            error_share: Some(0.0),
        };
        assert_eq!(
            missed(budget),
            [
                "at most 500.0 right answers a second; the budget asks for 800.0",
                "p99 of 21.00 ms; the budget allows 20.00 ms",
                "0.990 % of the requests of a window failed; the budget allows 0.000 %",
            ]
        );
    }
}
