//! Prometheus's query API.

use std::collections::BTreeMap;

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::{ClientError, Http};
use crate::failure::Failure;

/// A Prometheus server.
#[derive(Debug, Clone)]
pub struct Prometheus {
    http: Http,
}

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Prometheus {
    /// The server at `base`.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn new(base: Url) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::new(base)?,
        })
    }

    /// The answer to a `PromQL` query now.
    pub async fn query(&self, query: &str) -> Result<Vec<Sample>, Failure> {
        let answer: Answer = self
            .http
            .get("/api/v1/query", &[("query", query)])
            .await
            .map_err(|error| Failure::from(error).context(format!("query `{query}`")))?;
        samples(answer)
    }

    /// The one value of a query that gives one; none when nothing answers it yet.
    pub async fn value(&self, query: &str) -> Result<Option<f64>, Failure> {
        Ok(self.query(query).await?.first().map(|sample| sample.value))
    }
}

fn samples(answer: Answer) -> Result<Vec<Sample>, Failure> {
    match answer.data.result_type.as_str() {
        "vector" => serde_json::from_value::<Vec<Series>>(answer.data.result)?
            .into_iter()
            .map(|series| {
                Ok(Sample {
                    labels: series.metric,
                    value: number(&series.value.1)?,
                })
            })
            .collect(),
        "scalar" => {
            let (_, text): (f64, String) = serde_json::from_value(answer.data.result)?;
            Ok(vec![Sample {
                labels: BTreeMap::new(),
                value: number(&text)?,
            }])
        }
        other => Err(Failure::new(format!(
            "Prometheus answered a `{other}`, not a vector"
        ))),
    }
}

/// Prometheus writes `NaN` and `+Inf` as Rust reads them.
fn number(text: &str) -> Result<f64, Failure> {
    Ok(text.parse::<f64>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Sample> {
        samples(serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn reads_a_vector() {
        let found = read(include_str!("recorded/prometheus-vector.json"));
        assert_eq!(found[0].labels["model"], "digits");
        assert!((found[0].value - 1024.0).abs() < f64::EPSILON);
    }

    #[test]
    fn reads_a_scalar_and_an_empty_answer() {
        let scalar =
            read(r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"NaN"]}}"#);
        assert!(scalar[0].value.is_nan());
        let none = read(r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#);
        assert!(none.is_empty());
    }
}
