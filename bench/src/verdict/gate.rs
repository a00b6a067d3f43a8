//! Budgets: what a server must reach, whatever it did before.

use lab_model::{
    budget::{Bound, Check, Load, Missed},
    definition::Reader,
};
use serde::{Deserialize, Serialize};

/// Keys of a budget that bound something.
const BOUNDS: [&str; 4] = [
    "min_throughput",
    "max_p50_micros",
    "max_p99_micros",
    "max_error_percent",
];

/// Most connections of a closed loop.
const MOST_CONNECTIONS: u32 = 4096;

/// What is promised at one load. What is not said is not promised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// The load.
    pub load: Load,
    /// The least right answers per second.
    pub min_throughput: Option<f64>,
    /// The highest median latency, microseconds.
    pub max_p50_micros: Option<f64>,
    /// The highest 99th percentile of the latency, microseconds.
    pub max_p99_micros: Option<f64>,
    /// The highest share of requests without a right answer, percent.
    pub max_error_percent: Option<f64>,
}

/// What was measured at one load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The load.
    pub load: Load,
    /// Right answers per second.
    pub throughput: f64,
    /// Median latency, microseconds.
    pub p50_micros: f64,
    /// 99th percentile of the latency, microseconds.
    pub p99_micros: f64,
    /// Share of requests without a right answer, percent.
    pub error_percent: f64,
    /// Whether the figures say anything of the server: not where the generator fell behind.
    pub void: bool,
}

/// All promises and what became of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// One for each promise.
    pub checks: Vec<Check>,
}

impl Gate {
    /// Holds what was measured against the budgets.
    ///
    /// A budget is held against one measurement and knows no noise: it is for what users
    /// were promised, with room to spare. Whether an upgrade changed anything is asked with
    /// a comparison.
    pub fn judge(budgets: &[Budget], readings: &[Reading]) -> Self {
        let checks = budgets.iter().flat_map(|budget| {
            let reading = readings
                .iter()
                .find(|it| it.load == budget.load && !it.void)
                .copied();
            budget
                .bounds()
                .into_iter()
                .filter_map(move |(bound, limit)| {
                    let limit = limit?;
                    let figure = reading.map(|it| figure(bound, &it));
                    Some(Check {
                        load: budget.load,
                        bound,
                        budget: limit,
                        figure,
                        passed: figure.is_some_and(|it| keeps(bound, it, limit)),
                    })
                })
        });
        Self {
            checks: checks.collect(),
        }
    }

    /// Whether every promise was kept.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// The promises that were not kept.
    pub fn missed(&self) -> Vec<Missed> {
        let missed = self.checks.iter().filter(|check| !check.passed);
        missed.copied().map(Missed::Check).collect()
    }
}

impl Budget {
    const fn bounds(&self) -> [(Bound, Option<f64>); 4] {
        [
            (Bound::MinThroughput, self.min_throughput),
            (Bound::MaxP50Micros, self.max_p50_micros),
            (Bound::MaxP99Micros, self.max_p99_micros),
            (Bound::MaxErrorPercent, self.max_error_percent),
        ]
    }

    /// Reads one `[[budgets]]` table of a workload file; problems are kept by the reader.
    pub fn read(table: &mut Reader<'_, '_>) -> Self {
        let budget = Self {
            load: load(table),
            min_throughput: number(table, "min_throughput", f64::MAX),
            max_p50_micros: number(table, "max_p50_micros", f64::MAX),
            max_p99_micros: number(table, "max_p99_micros", f64::MAX),
            max_error_percent: number(table, "max_error_percent", 100.0),
        };
        let none = BOUNDS.iter().all(|key| table.place(key) == table.span());
        if none {
            table.problem(
                table.span(),
                format!("must have at least one of `{}`", BOUNDS.join("`, `")),
            );
        }
        if let (Some(p50), Some(p99)) = (budget.max_p50_micros, budget.max_p99_micros)
            && p99 < p50
        {
            table.problem(
                table.place("max_p99_micros"),
                "key `max_p99_micros` must not be below `max_p50_micros`",
            );
        }
        budget
    }
}

fn load(table: &mut Reader<'_, '_>) -> Load {
    let concurrency = table.get::<u64>("concurrency");
    let rate = number(table, "rate", f64::MAX);
    match (concurrency, rate) {
        (Some(said), None) => match u32::try_from(*said.get_ref()) {
            Ok(fits) if (1..=MOST_CONNECTIONS).contains(&fits) => return Load::Concurrency(fits),
            _ => table.problem(
                said.span(),
                format!("key `concurrency` must be from 1 to {MOST_CONNECTIONS}"),
            ),
        },
        (None, Some(rate)) => return Load::Rate(rate),
        _ => table.problem(
            table.span(),
            "must name its load by one of `concurrency` and `rate`",
        ),
    }
    Load::Concurrency(1)
}

/// A number of which none is promised less than; an error share may be zero, no other may.
fn number(table: &mut Reader<'_, '_>, key: &'static str, most: f64) -> Option<f64> {
    let said = table.get::<f64>(key)?;
    let value = *said.get_ref();
    let least_fits = value > 0.0 || (most <= 100.0 && value >= 0.0);
    if least_fits && value <= most {
        return Some(value);
    }
    let message = if most <= 100.0 {
        format!("key `{key}` must be from 0 to {most}")
    } else {
        format!("key `{key}` must be above 0")
    };
    table.problem(said.span(), message);
    None
}

/// What a reading says of what is bounded.
const fn figure(bound: Bound, reading: &Reading) -> f64 {
    match bound {
        Bound::MinThroughput => reading.throughput,
        Bound::MaxP50Micros => reading.p50_micros,
        Bound::MaxP99Micros => reading.p99_micros,
        Bound::MaxErrorPercent => reading.error_percent,
    }
}

fn keeps(bound: Bound, figure: f64, limit: f64) -> bool {
    match bound {
        Bound::MinThroughput => figure >= limit,
        Bound::MaxP50Micros | Bound::MaxP99Micros | Bound::MaxErrorPercent => figure <= limit,
    }
}

#[cfg(test)]
mod tests {
    use lab_model::definition::{DefinitionError, read};

    use super::*;

    const READING: Reading = Reading {
        load: Load::Concurrency(16),
        throughput: 1900.0,
        p50_micros: 8100.0,
        p99_micros: 21_300.4,
        error_percent: 0.02,
        void: false,
    };

    fn budgets(text: &str) -> Result<Vec<Budget>, String> {
        read("w.toml", text, "workload", |top| {
            top.tables("budgets", Budget::read)
        })
        .map_err(|problems| DefinitionError::of("w.toml", problems).to_string())
    }

    fn promised() -> Vec<Budget> {
        budgets(
            "[[budgets]]
concurrency = 16
min_throughput = 1900
max_p99_micros = 20000
max_error_percent = 0
[[budgets]]
rate = 2000
max_p50_micros = 900",
        )
        .unwrap()
    }

    #[test]
    fn a_gate_tells_figure_and_budget() {
        let gate = Gate::judge(&promised(), &[READING]);
        assert!(!gate.passed());
        let told: Vec<String> = gate.checks.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "16 at once: throughput 1900/s, at least 1900/s",
                "16 at once: p99 21300.4 µs, at most 20000 µs",
                "16 at once: errors 0.02 %, at most 0 %",
                "2000/s offered: p50 was not measured, at most 900 µs",
            ]
        );
        insta::assert_json_snapshot!(gate);
    }

    #[test]
    fn a_promise_just_kept_is_kept() {
        let gate = Gate::judge(&promised()[..1], &[READING]);
        let kept: Vec<bool> = gate.checks.iter().map(|check| check.passed).collect();
        assert_eq!(kept, [true, false, false]);
        assert_eq!(gate.missed().len(), 2);
    }

    #[test]
    fn void_figures_keep_no_promise() {
        let void = Reading {
            void: true,
            ..READING
        };
        let gate = Gate::judge(&promised()[..1], &[void]);
        assert!(gate.checks.iter().all(|check| !check.passed));
        assert_eq!(gate.checks[0].figure, None);
    }

    #[test]
    fn no_promise_is_kept() {
        assert!(Gate::judge(&[], &[READING]).passed());
    }

    #[test]
    fn absurd_budgets_are_told_with_their_key() {
        let said = budgets(
            "[[budgets]]
concurrency = 0
max_error_percent = 101
[[budgets]]
concurrency = 4
rate = 10
min_throughput = -1
[[budgets]]
concurrency = 4
max_p50_micros = 900
max_p99_micros = 100
[[budgets]]
max_p99 = 3",
        );
        insta::assert_snapshot!(said.unwrap_err());
    }
}
