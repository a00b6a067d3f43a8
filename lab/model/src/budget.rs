//! What a server was promised to reach, and whether it did.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A load at which something is promised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// Connections in flight at once, each sending when the last was answered.
    Concurrency(u32),
    /// Requests a second, sent when they are due.
    Rate(f64),
}

/// What a budget bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Least throughput, 1/s.
    MinThroughput,
    /// Highest median latency, microseconds.
    MaxP50Micros,
    /// Highest 99th percentile, microseconds.
    MaxP99Micros,
    /// Highest share of errors, percent.
    MaxErrorPercent,
}

/// One promise and what became of it. `Display` says it in English, [`Check::korean`] in
/// Korean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The load.
    pub load: Load,
    /// What is bounded.
    pub bound: Bound,
    /// The bound.
    pub budget: f64,
    /// What was measured; none where nothing was, or the figures are void.
    pub figure: Option<f64>,
    /// Whether it was kept. What was not measured is not kept.
    pub passed: bool,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Missed {
    /// With its figures.
    Check(Check),
    /// In words, as older records have it.
    Told(String),
}

impl Bound {
    const fn unit(self) -> &'static str {
        match self {
            Self::MinThroughput => "/s",
            Self::MaxP50Micros | Self::MaxP99Micros => " µs",
            Self::MaxErrorPercent => " %",
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency(connections) => write!(f, "{connections} at once"),
            Self::Rate(rate) => write!(f, "{rate}/s offered"),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bound) = match self.bound {
            Bound::MinThroughput => ("throughput", "at least"),
            Bound::MaxP50Micros => ("p50", "at most"),
            Bound::MaxP99Micros => ("p99", "at most"),
            Bound::MaxErrorPercent => ("errors", "at most"),
        };
        let unit = self.bound.unit();
        write!(f, "{}: {name} ", self.load)?;
        match self.figure {
            Some(figure) => write!(f, "{}{unit}", rounded(figure))?,
            None => write!(f, "was not measured")?,
        }
        write!(f, ", {bound} {}{unit}", self.budget)
    }
}

impl Check {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        let load = match self.load {
            Load::Concurrency(connections) => format!("동시 {connections}"),
            Load::Rate(rate) => format!("초당 {rate}"),
        };
        let (name, bound) = match self.bound {
            Bound::MinThroughput => ("처리율", "최소"),
            Bound::MaxP50Micros => ("p50", "최대"),
            Bound::MaxP99Micros => ("p99", "최대"),
            Bound::MaxErrorPercent => ("오류", "최대"),
        };
        let unit = self.bound.unit();
        let figure = match self.figure {
            Some(figure) => format!("{}{unit}", rounded(figure)),
            None => "재지 못함".to_owned(),
        };
        format!(
            "{load}: {name} {figure}, 기준 {bound} {}{unit}",
            self.budget
        )
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(check) => check.fmt(f),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl Missed {
    /// The same in Korean.
    pub fn korean(&self) -> String {
        match self {
            Self::Check(check) => check.korean(),
            Self::Told(text) => text.clone(),
        }
    }
}

/// Without the digits that come of computing only.
fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: Check = Check {
        load: Load::Concurrency(16),
        bound: Bound::MaxP99Micros,
        budget: 20_000.0,
        figure: Some(21_300.400_04),
        passed: false,
    };

    #[test]
    fn a_promise_is_told_with_figure_and_budget_in_both_languages() {
        let unmeasured = Check {
            load: Load::Rate(2000.0),
            bound: Bound::MinThroughput,
            budget: 1900.0,
            figure: None,
            passed: false,
        };
        let said = [CHECK, unmeasured].map(|it| [it.to_string(), it.korean()]);
        assert_eq!(
            said.as_flattened(),
            [
                "16 at once: p99 21300.4 µs, at most 20000 µs",
                "동시 16: p99 21300.4 µs, 기준 최대 20000 µs",
                "2000/s offered: throughput was not measured, at least 1900/s",
                "초당 2000: 처리율 재지 못함, 기준 최소 1900/s",
            ]
        );
    }

    #[test]
    fn figures_are_recorded_and_words_of_older_records_are_read() {
        let missed = [
            Missed::Check(CHECK),
            Missed::Told("p99 was too high".to_owned()),
        ];
        let json = serde_json::to_string(&missed).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Missed>>(&json).unwrap(), missed);
        assert!(json.ends_with(r#","p99 was too high"]"#), "{json}");
    }
}
