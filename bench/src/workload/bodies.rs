//! Request bodies, written once before the load.

use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::{Protocol, WorkloadError, text};
use crate::{
    grpc::message::{ModelInferRequest, Tensor, WantedOutput},
    target::{Output, Request},
};

/// How long the JSON before the tensors' bytes is: the binary tensor data extension.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    label: Option<i64>,
    input: Vec<f64>,
}

/// A request of the Open Inference Protocol v2.
#[derive(Serialize)]
struct InferenceRequest<'a> {
    inputs: [InputTensor<'a>; 1],
}

#[derive(Serialize)]
struct InputTensor<'a> {
    name: &'a str,
    shape: &'a [u64],
    datatype: &'a str,
    data: &'a [f64],
}

/// Tensors of one inference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensors {
    pub(super) model: String,
    pub(super) input: Output,
    /// Outputs that are asked for.
    pub(super) outputs: Vec<Output>,
}

impl Tensors {
    /// Those of so many inferences in one request: the first dimension is the batch's.
    pub(super) fn batched(&self, size: u32) -> Self {
        let batched = |tensor: &Output| {
            let mut tensor = tensor.clone();
            if let Some(first) = tensor.shape.first_mut() {
                *first *= u64::from(size);
            }
            tensor
        };
        Self {
            model: self.model.clone(),
            input: batched(&self.input),
            outputs: self.outputs.iter().map(batched).collect(),
        }
    }
}

/// What a workload's samples file holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Samples(Vec<Sample>);

impl Samples {
    /// Reads a file whose samples are to fit a tensor.
    pub(super) fn load(path: &Path, input: &Output) -> Result<Self, WorkloadError> {
        Self::parse(&text(path)?, input).map_err(|reason| WorkloadError::Samples {
            path: path.to_owned(),
            reason,
            help: "it must be a JSON list of `{\"label\": 3, \"input\": [numbers]}`, with as many numbers as `input.shape` says",
        })
    }

    pub(super) fn parse(text: &str, input: &Output) -> Result<Self, String> {
        let samples: Vec<Sample> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if samples.is_empty() {
            return Err("it is empty".to_owned());
        }
        let length: u64 = input.shape.iter().product();
        for (number, sample) in (1..).zip(&samples) {
            let has = sample.input.len();
            if has as u64 != length {
                return Err(format!(
                    "sample {number} has {has} numbers, `input.shape` asks for {length}"
                ));
            }
        }
        Ok(Self(samples))
    }

    /// Requests of so many inferences each, as the protocol writes them: each sample is in
    /// one of them; the last is filled up from the start.
    pub(super) fn requests(
        &self,
        protocol: Protocol,
        tensors: &Tensors,
        size: u32,
    ) -> Result<Vec<Request>, RequestsError> {
        let all = &self.0;
        let batch = usize::try_from(size).unwrap_or(usize::MAX);
        if batch > all.len() {
            return Err(RequestsError::TooFew {
                size,
                samples: all.len(),
            });
        }
        if batch > 1 && tensors.input.shape.is_empty() {
            return Err(RequestsError::NoDimension);
        }
        let tensors = tensors.batched(size);
        let starts = (0..all.len()).step_by(batch);
        starts
            .map(|start| {
                let samples = all.iter().cycle().skip(start).take(batch);
                let together = Sample {
                    label: all[start].label,
                    input: samples.flat_map(|it| it.input.iter().copied()).collect(),
                };
                write(protocol, &together, &tensors).map_err(RequestsError::Written)
            })
            .collect()
    }
}

/// Why requests cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestsError {
    /// A request would hold a sample twice.
    #[error("a batch of {size} needs as many samples, and there are {samples}")]
    TooFew {
        /// Inferences in a request.
        size: u32,
        /// Samples there are.
        samples: usize,
    },
    /// There is nothing to put samples side by side in.
    #[error("`input.shape` has no dimension for a batch")]
    NoDimension,
    /// The bodies are the workload's own.
    #[error("this protocol sends bodies as they are, not samples")]
    Bodies,
    /// A sample cannot be written in the model's datatype.
    #[error("{0}")]
    Written(String),
}

/// Bodies that are sent as they are: a JSON list.
pub(super) fn as_they_are(path: &Path) -> Result<Vec<Request>, WorkloadError> {
    let wrong = |reason: String| WorkloadError::Samples {
        path: path.to_owned(),
        reason,
        help: "it must be a JSON list of bodies; a text is sent as it is, anything else as JSON",
    };
    let bodies: Vec<Value> =
        serde_json::from_str(&text(path)?).map_err(|error| wrong(error.to_string()))?;
    if bodies.is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    let body = |value: Value| match value {
        Value::String(text) => Bytes::from(text),
        other => Bytes::from(other.to_string()),
    };
    Ok(bodies
        .into_iter()
        .map(|value| plain(body(value), None))
        .collect())
}

fn plain(body: Bytes, label: Option<i64>) -> Request {
    Request {
        headers: HeaderMap::new(),
        body,
        label,
    }
}

fn write(protocol: Protocol, sample: &Sample, tensors: &Tensors) -> Result<Request, String> {
    let input = &tensors.input;
    let rows = || nested(&sample.input, &input.shape);
    let body = match protocol {
        Protocol::V2Binary => return binary(sample, input, &tensors.outputs),
        Protocol::V2Grpc => return message(sample, tensors),
        Protocol::V2Json => serde_json::to_vec(&InferenceRequest {
            inputs: [InputTensor {
                name: &input.name,
                shape: &input.shape,
                datatype: &input.datatype,
                data: &sample.input,
            }],
        }),
        Protocol::SeldonV1 => serde_json::to_vec(&json!({"data": {"ndarray": rows()}})),
        Protocol::Mlflow => serde_json::to_vec(&json!({"inputs": rows()})),
        Protocol::Http => return Err("this protocol sends bodies, not samples".to_owned()),
    };
    let body = body.map_err(|error| error.to_string())?;
    Ok(plain(Bytes::from(body), sample.label))
}

/// Numbers in the nested lists that a shape asks for.
fn nested(numbers: &[f64], shape: &[u64]) -> Value {
    match shape {
        [] | [_] => numbers.iter().map(|number| whole_or_not(*number)).collect(),
        [_, rest @ ..] => {
            let each: u64 = rest.iter().product();
            let each = usize::try_from(each.max(1)).unwrap_or(usize::MAX);
            numbers
                .chunks(each)
                .map(|part| nested(part, rest))
                .collect()
        }
    }
}

/// A number without a fraction is written without one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
fn whole_or_not(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

fn binary(sample: &Sample, input: &Output, outputs: &[Output]) -> Result<Request, String> {
    let raw = raw(&input.datatype, &sample.input)?;
    let wanted: Vec<Value> = outputs
        .iter()
        .map(|output| json!({"name": output.name, "parameters": {"binary_data": true}}))
        .collect();
    let head = json!({
        "inputs": [{
            "name": input.name,
            "shape": input.shape,
            "datatype": input.datatype,
            "parameters": {"binary_data_size": raw.len()},
        }],
        "outputs": wanted,
    });
    let mut body = head.to_string().into_bytes();
    let headers = HeaderMap::from_iter([(JSON_LENGTH, HeaderValue::from(body.len()))]);
    body.extend_from_slice(&raw);
    Ok(Request {
        headers,
        body: Bytes::from(body),
        label: sample.label,
    })
}

/// A message of gRPC, its one tensor as bytes.
fn message(sample: &Sample, tensors: &Tensors) -> Result<Request, String> {
    let input = &tensors.input;
    let extent = |extent: &u64| i64::try_from(*extent).map_err(|error| error.to_string());
    let request = ModelInferRequest {
        model_name: tensors.model.clone(),
        inputs: vec![Tensor {
            name: input.name.clone(),
            datatype: input.datatype.clone(),
            shape: input.shape.iter().map(extent).collect::<Result<_, _>>()?,
            contents: None,
        }],
        outputs: tensors
            .outputs
            .iter()
            .map(|output| WantedOutput {
                name: output.name.clone(),
            })
            .collect(),
        raw_input_contents: vec![Bytes::from(raw(&input.datatype, &sample.input)?)],
    };
    Ok(plain(Bytes::from(request.encode_to_vec()), sample.label))
}

/// A tensor's bytes: little-endian, one after the other.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sample's numbers are written in the datatype the model takes"
)]
pub(crate) fn raw(datatype: &str, numbers: &[f64]) -> Result<Vec<u8>, String> {
    macro_rules! bytes {
        ($number:ty) => {
            numbers
                .iter()
                .flat_map(|number| (*number as $number).to_le_bytes())
                .collect()
        };
    }
    Ok(match datatype {
        "FP32" => bytes!(f32),
        "FP64" => bytes!(f64),
        "INT8" => bytes!(i8),
        "INT16" => bytes!(i16),
        "INT32" => bytes!(i32),
        "INT64" => bytes!(i64),
        "UINT8" | "BOOL" => bytes!(u8),
        "UINT16" => bytes!(u16),
        "UINT32" => bytes!(u32),
        "UINT64" => bytes!(u64),
        other => {
            return Err(format!(
                "datatype `{other}` has no bytes that are known here"
            ));
        }
    })
}
