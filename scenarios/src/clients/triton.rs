//! Triton's Open Inference Protocol (v2) over HTTP.

use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ClientError, Http};
use crate::failure::Failure;

/// A Triton server.
#[derive(Debug, Clone)]
pub struct Triton {
    http: Http,
}

/// One row of pixels, 8 × 8, each from 0 to 16.
pub type Image = Vec<f32>;

/// What the model says of some images.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Version of the model that answered.
    pub model_version: String,
    /// The digit seen in each image.
    pub labels: Vec<i64>,
    /// Ten probabilities an image.
    pub probabilities: Vec<f64>,
}

/// A tensor's name, type and shape as the metadata tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TensorMetadata {
    /// Its name.
    pub name: String,
    /// `FP32`, `INT64` …
    pub datatype: String,
    /// Its shape; -1 is the batch.
    pub shape: Vec<i64>,
}

/// What Triton tells of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ModelMetadata {
    /// The versions served.
    pub versions: Vec<String>,
    /// What goes in.
    pub inputs: Vec<TensorMetadata>,
    /// What comes out.
    pub outputs: Vec<TensorMetadata>,
}

#[derive(Deserialize)]
struct Tensor {
    name: String,
    data: Vec<f64>,
}

#[derive(Deserialize)]
struct Answer {
    model_version: String,
    outputs: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Stats {
    model_stats: Vec<VersionStats>,
}

#[derive(Deserialize)]
struct VersionStats {
    inference_stats: InferenceStats,
}

#[derive(Deserialize)]
struct InferenceStats {
    success: Tally,
}

#[derive(Deserialize)]
struct Tally {
    #[serde(default)]
    count: f64,
}

/// The body of an inference request for some images.
pub fn infer_body(images: &[Image]) -> Value {
    let width = images.first().map_or(0, Vec::len);
    json!({"inputs": [{
        "name": "images",
        "datatype": "FP32",
        "shape": [images.len(), width],
        "data": images.concat(),
    }]})
}

impl Triton {
    /// The server at `base`, over a new connection for every request: a connection
    /// that is kept stays with its pod, also when that pod is on its way out.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn new(base: Url) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::reconnecting(base)?,
        })
    }

    /// The same server, over connections that are kept open.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn keeping_connections(&self) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::new(self.http.base().clone())?,
        })
    }

    /// Whether the server says that the model is ready.
    pub async fn is_ready(&self, model: &str) -> Result<bool, ClientError> {
        let (status, _) = self.http.look(&format!("/v2/models/{model}/ready")).await?;
        Ok(status == StatusCode::OK)
    }

    /// What the server tells of the model.
    pub async fn metadata(&self, model: &str) -> Result<ModelMetadata, ClientError> {
        self.http.get(&format!("/v2/models/{model}"), &[]).await
    }

    /// Successful inference requests of the model, all versions, since this server
    /// began.
    pub async fn success_count(&self, model: &str) -> Result<f64, Failure> {
        let stats: Stats = self
            .http
            .get(&format!("/v2/models/{model}/stats"), &[])
            .await?;
        Ok(stats
            .model_stats
            .iter()
            .map(|version| version.inference_stats.success.count)
            .sum())
    }

    /// What the model says of some images.
    pub async fn infer(&self, model: &str, images: &[Image]) -> Result<Prediction, Failure> {
        let (status, text) = self.infer_raw(model, &infer_body(images)).await?;
        if status == StatusCode::OK {
            prediction(&text)
        } else {
            Err(Failure::new(format!(
                "POST /v2/models/{model}/infer answered {status}: {text}"
            )))
        }
    }

    /// Sends any body; whatever the answer, gives its status and text.
    pub async fn infer_raw(
        &self,
        model: &str,
        body: &Value,
    ) -> Result<(StatusCode, String), ClientError> {
        self.http
            .exchange(&format!("/v2/models/{model}/infer"), body)
            .await
    }
}

/// Reads the answer to an inference request.
pub fn prediction(text: &str) -> Result<Prediction, Failure> {
    let answer: Answer = serde_json::from_str(text)?;
    let mut labels = None;
    let mut probabilities = Vec::new();
    for output in answer.outputs {
        match output.name.as_str() {
            "label" => labels = Some(output.data),
            "probabilities" => probabilities = output.data,
            _ => {}
        }
    }
    let labels = labels.ok_or_else(|| Failure::new("the answer has no output `label`"))?;
    Ok(Prediction {
        model_version: answer.model_version,
        labels: labels.into_iter().map(whole).collect(),
        probabilities,
    })
}

/// A class number, which JSON may write as `7` or `7.0`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "class numbers are whole and small"
)]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

/// The `error` of a refused request, or the whole text where there is none.
pub fn error_message(text: &str) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    serde_json::from_str::<Refusal>(text).map_or_else(|_| text.to_owned(), |said| said.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_carries_the_shape() {
        let body = infer_body(&[vec![0.0; 64], vec![16.0; 64]]);
        assert_eq!(body["inputs"][0]["shape"], json!([2, 64]));
        assert_eq!(
            body["inputs"][0]["data"].as_array().map(Vec::len),
            Some(128)
        );
    }

    #[test]
    fn reads_a_prediction() {
        let said = prediction(include_str!("recorded/triton-infer.json")).unwrap();
        assert_eq!(said.model_version, "2");
        assert_eq!(said.labels, [7, 3]);
        assert_eq!(said.probabilities.len(), 4);
    }

    #[test]
    fn an_answer_without_labels_is_refused() {
        let failure = prediction(r#"{"model_version": "1", "outputs": []}"#).unwrap_err();
        assert_eq!(failure.to_string(), "the answer has no output `label`");
    }

    #[test]
    fn reads_the_error_of_a_refusal() {
        assert_eq!(
            error_message(r#"{"error":"unexpected shape"}"#),
            "unexpected shape"
        );
        assert_eq!(error_message("gone"), "gone");
    }
}
