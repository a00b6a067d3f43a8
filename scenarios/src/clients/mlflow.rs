//! MLflow's tracking and registry REST API.

use std::collections::BTreeMap;

use reqwest::{Method, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{ClientError, Http};

/// MLflow's tracking server.
#[derive(Debug, Clone)]
pub struct MlFlow {
    http: Http,
}

/// A run, its lists made into maps.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// `RUNNING`, `FINISHED`, `FAILED` …
    pub status: String,
    /// Where its artifacts are.
    pub artifact_uri: String,
    /// Parameters.
    pub params: BTreeMap<String, String>,
    /// The last value of each metric.
    pub metrics: BTreeMap<String, f64>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelVersion {
    /// Its number, as text.
    pub version: String,
    /// The run it came from.
    pub run_id: String,
    /// `READY` when it can be used.
    pub status: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Pair {
    key: String,
    value: String,
}

#[derive(Deserialize)]
struct Metric {
    key: String,
    value: f64,
}

#[derive(Deserialize)]
struct RunInfo {
    run_id: String,
    status: String,
    artifact_uri: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RunData {
    params: Vec<Pair>,
    metrics: Vec<Metric>,
    tags: Vec<Pair>,
}

#[derive(Deserialize)]
struct WireRun {
    info: RunInfo,
    #[serde(default)]
    data: RunData,
}

#[derive(Deserialize)]
struct Runs {
    #[serde(default)]
    runs: Vec<WireRun>,
}

#[derive(Deserialize)]
struct OneRun {
    run: WireRun,
}

#[derive(Deserialize)]
struct Experiment {
    experiment_id: String,
}

#[derive(Deserialize)]
struct OneExperiment {
    experiment: Experiment,
}

#[derive(Deserialize)]
struct WireVersion {
    version: String,
    #[serde(default)]
    run_id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    model_versions: Vec<WireVersion>,
}

#[derive(Deserialize)]
struct OneVersion {
    model_version: WireVersion,
}

fn map(pairs: Vec<Pair>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|pair| (pair.key, pair.value))
        .collect()
}

impl From<WireRun> for Run {
    fn from(wire: WireRun) -> Self {
        Self {
            id: wire.info.run_id,
            status: wire.info.status,
            artifact_uri: wire.info.artifact_uri,
            params: map(wire.data.params),
            metrics: wire
                .data
                .metrics
                .into_iter()
                .map(|metric| (metric.key, metric.value))
                .collect(),
            tags: map(wire.data.tags),
        }
    }
}

impl From<WireVersion> for ModelVersion {
    fn from(wire: WireVersion) -> Self {
        Self {
            version: wire.version,
            run_id: wire.run_id,
            status: wire.status,
            tags: map(wire.tags),
        }
    }
}

impl MlFlow {
    /// The tracking server at `base`.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn new(base: Url) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::new(base)?,
        })
    }

    /// The runs of an experiment that carry a tag with this value, newest first.
    /// An experiment that does not exist yet has none.
    pub async fn runs_tagged(
        &self,
        experiment: &str,
        tag: &str,
        value: &str,
    ) -> Result<Vec<Run>, ClientError> {
        let query = [("experiment_name", experiment)];
        let found = self
            .http
            .get::<OneExperiment>("/api/2.0/mlflow/experiments/get-by-name", &query)
            .await;
        let id = match found {
            Ok(one) => one.experiment.experiment_id,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let body = json!({
            "experiment_ids": [id],
            "filter": format!("tags.\"{tag}\" = '{value}'"),
            "max_results": 100,
        });
        let path = "/api/2.0/mlflow/runs/search";
        let answer: Runs = self.http.send(Method::POST, path, &body).await?;
        Ok(answer.runs.into_iter().map(Run::from).collect())
    }

    /// One run.
    pub async fn run(&self, id: &str) -> Result<Run, ClientError> {
        let answer: OneRun = self
            .http
            .get("/api/2.0/mlflow/runs/get", &[("run_id", id)])
            .await?;
        Ok(answer.run.into())
    }

    /// The versions of a registered model that came from a run.
    pub async fn versions_from_run(
        &self,
        model: &str,
        run_id: &str,
    ) -> Result<Vec<ModelVersion>, ClientError> {
        let mut versions = self.versions(model).await?;
        versions.retain(|version| version.run_id == run_id);
        Ok(versions)
    }

    /// Every version of a registered model.
    pub async fn versions(&self, model: &str) -> Result<Vec<ModelVersion>, ClientError> {
        let filter = format!("name = '{model}'");
        let answer: Versions = self
            .http
            .get(
                "/api/2.0/mlflow/model-versions/search",
                &[("filter", &filter), ("max_results", "1000")],
            )
            .await?;
        Ok(answer
            .model_versions
            .into_iter()
            .map(ModelVersion::from)
            .collect())
    }

    /// One version of a registered model.
    pub async fn version(&self, model: &str, version: &str) -> Result<ModelVersion, ClientError> {
        let answer: OneVersion = self
            .http
            .get(
                "/api/2.0/mlflow/model-versions/get",
                &[("name", model), ("version", version)],
            )
            .await?;
        Ok(answer.model_version.into())
    }

    /// The version that an alias points at, if any does.
    pub async fn aliased(
        &self,
        model: &str,
        alias: &str,
    ) -> Result<Option<ModelVersion>, ClientError> {
        let answer = self
            .http
            .get::<OneVersion>(
                "/api/2.0/mlflow/registered-models/alias",
                &[("name", model), ("alias", alias)],
            )
            .await;
        match answer {
            Ok(one) => Ok(Some(one.model_version.into())),
            Err(error) if error.is_not_found() || says_no_such_alias(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An artifact of a run, as JSON.
    pub async fn artifact_json<T: DeserializeOwned>(
        &self,
        run_id: &str,
        path: &str,
    ) -> Result<T, ClientError> {
        self.http
            .get("/get-artifact", &[("run_uuid", run_id), ("path", path)])
            .await
    }

    /// An artifact of a run, as text.
    pub async fn artifact_text(&self, run_id: &str, path: &str) -> Result<String, ClientError> {
        let mut url = self.http.url("/get-artifact");
        url.query_pairs_mut()
            .extend_pairs([("run_uuid", run_id), ("path", path)]);
        self.http.get_with_headers(url, &[]).await
    }
}

/// MLflow says `INVALID_PARAMETER_VALUE` (400) for an alias that nothing has.
fn says_no_such_alias(error: &ClientError) -> bool {
    matches!(error, ClientError::Status { body, .. } if body.contains("alias"))
}

/// The signature in an `MLmodel` file: its inputs and outputs, as JSON.
///
/// `MLmodel` is YAML; MLflow writes the signature's two lists as JSON text in one
/// line each, so that no YAML reader is needed for them.
pub fn signature(ml_model: &str) -> Option<(Value, Value)> {
    let part = ml_model
        .split_once("\nsignature:")
        .map(|(_, after)| after)
        .or_else(|| ml_model.strip_prefix("signature:"))?;
    Some((yaml_json(part, "inputs")?, yaml_json(part, "outputs")?))
}

/// The JSON text of `  key: '…'`, which YAML may fold over several lines.
fn yaml_json(block: &str, key: &str) -> Option<Value> {
    let after = block.split_once(&format!("{key}: "))?.1;
    let quoted = after.strip_prefix('\'')?;
    // In single quotes YAML writes one quote as two.
    let end = quoted.replace("''", "\u{1}").find('\'')?;
    let text = quoted.replace("''", "\u{1}")[..end]
        .replace('\u{1}', "'")
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ");
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_run() {
        let answer: Runs = serde_json::from_str(include_str!("recorded/mlflow-runs.json")).unwrap();
        let run = Run::from(answer.runs.into_iter().next().unwrap());
        insta::assert_json_snapshot!(
            serde_json::json!({
                "status": run.status, "params": run.params, "metrics": run.metrics,
                "tags": run.tags,
            }),
            @r#"
        {
          "status": "FINISHED",
          "params": {
            "dataset": "digits",
            "max_iter": "30",
            "seed": "7"
          },
          "metrics": {
            "accuracy": 0.9625
          },
          "tags": {
            "airflow_run_id": "scenario-baseline-1",
            "registration": "registered"
          }
        }
        "#
        );
    }

    #[test]
    fn reads_versions_and_an_empty_registry() {
        let answer: Versions =
            serde_json::from_str(include_str!("recorded/mlflow-versions.json")).unwrap();
        let version = ModelVersion::from(answer.model_versions.into_iter().next().unwrap());
        assert_eq!(version.version, "1");
        assert_eq!(version.status, "READY");
        assert_eq!(version.tags["data_hash"], "0f3c");

        let empty: Versions = serde_json::from_str("{}").unwrap();
        assert!(empty.model_versions.is_empty());
    }

    #[test]
    fn reads_the_signature_of_an_ml_model_file() {
        let (inputs, outputs) = signature(include_str!("recorded/MLmodel")).unwrap();
        assert_eq!(inputs[0]["tensor-spec"]["shape"], json!([-1, 64]));
        assert_eq!(outputs[0]["tensor-spec"]["dtype"], "int64");
    }

    #[test]
    fn an_ml_model_file_without_signature_has_none() {
        assert_eq!(signature("flavors:\n  sklearn: {}\n"), None);
    }
}
