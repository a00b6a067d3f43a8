//! Workload files: which load is offered to which model, and what it must answer.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use lab_model::definition::{DefinitionError, Reader, read};
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml::Spanned;

use crate::{
    closed_loop::Sweep,
    target::{Expect, Inference, Output, Request, Target},
};

/// A workload, read from its file and the samples file it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The sweep it asks for.
    pub sweep: Sweep,
    /// The answer it expects.
    pub inference: Inference,
    /// Its requests.
    pub requests: Vec<Request>,
}

/// Why a workload could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum WorkloadError {
    /// A file could not be read.
    #[error("failed to read `{}`", path.display())]
    #[diagnostic(
        code(lab::bench::workload_missing),
        help("workloads lie in `fixtures/workloads`; their samples lie beside them")
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The workload says something wrong: every problem is told.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] DefinitionError),
    /// The samples are not what the workload says.
    #[error("`{}` does not hold samples for this workload: {reason}", path.display())]
    #[diagnostic(
        code(lab::bench::samples_invalid),
        help(
            "it must be a JSON list of `{{\"label\": 3, \"input\": [numbers]}}`, \
             with as many numbers as `input.shape` says"
        )
    )]
    Samples {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What a workload file says; the samples are still to be read.
struct Said {
    sweep: Sweep,
    inference: Inference,
    samples: PathBuf,
    input: Output,
}

#[derive(Debug, Deserialize)]
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

impl Workload {
    /// Reads a workload from its file.
    ///
    /// # Errors
    /// Fails with every problem of the file, each with its place and key.
    pub fn load(path: &Path) -> Result<Self, WorkloadError> {
        let said = parse(&path.display().to_string(), &text(path)?)?;
        let samples = path.with_file_name(&said.samples);
        let requests = requests(&samples, &text(&samples)?, &said.input)?;
        Ok(Self {
            sweep: said.sweep,
            inference: said.inference,
            requests,
        })
    }

    /// The workload's target on a server, given as `http://host:port`.
    pub fn target(&self, server: &str) -> Target {
        Target {
            url: format!(
                "{}/v2/models/{}/infer",
                server.trim_end_matches('/'),
                self.inference.model
            ),
            requests: self.requests.clone(),
            expect: Expect::Inference(self.inference.clone()),
        }
    }
}

fn text(path: &Path) -> Result<String, WorkloadError> {
    fs::read_to_string(path).map_err(|source| WorkloadError::Read {
        path: path.to_owned(),
        source,
    })
}

fn parse(path: &str, text: &str) -> Result<Said, DefinitionError> {
    let said = read(path, text, "workload", |top| Said {
        sweep: sweep(top),
        samples: plain(top.needed::<String>("samples")).into(),
        input: {
            top.require("input");
            top.table("input", tensor).unwrap_or_default()
        },
        inference: inference(top),
    });
    said.map_err(|problems| DefinitionError::of(path, problems))
}

fn sweep(top: &mut Reader<'_, '_>) -> Sweep {
    let name = top.needed::<String>("name");
    if let Some(empty) = name.as_ref().filter(|it| it.get_ref().trim().is_empty()) {
        top.problem(empty.span(), "key `name` must not be empty");
    }
    Sweep {
        name: plain(name),
        concurrency: concurrency(top),
        warm_up: seconds(top, "warm_up_seconds", 0.0),
        window: seconds(top, "window_seconds", 0.1),
        timeout: seconds(top, "timeout_seconds", 0.01),
        max_requests: whole(top, "max_requests", 1, u64::MAX),
    }
}

fn concurrency(top: &mut Reader<'_, '_>) -> Vec<u32> {
    top.require("concurrency");
    let Some(all) = top.list::<u64>("concurrency") else {
        return Vec::new();
    };
    let fitting: Vec<_> = all
        .iter()
        .filter_map(|one| u32::try_from(*one.get_ref()).ok())
        .filter(|one| (1..=4096).contains(one))
        .collect();
    if all.is_empty() || fitting.len() < all.len() {
        let message = "key `concurrency` must hold numbers from 1 to 4096, at least one";
        top.problem(top.place("concurrency"), message);
    }
    fitting
}

fn seconds(top: &mut Reader<'_, '_>, key: &'static str, least: f64) -> Duration {
    let said = top.needed::<f64>(key);
    let Some(fits) = said.filter(|it| {
        let fits = (least..=3600.0).contains(it.get_ref());
        if !fits {
            top.problem(
                it.span(),
                format!("key `{key}` must be from {least} to 3600"),
            );
        }
        fits
    }) else {
        return Duration::ZERO;
    };
    Duration::from_secs_f64(fits.into_inner())
}

/// A whole number between two others.
fn whole(top: &mut Reader<'_, '_>, key: &'static str, least: u64, most: u64) -> u64 {
    let said = top.needed::<u64>(key);
    if let Some(wrong) = said
        .as_ref()
        .filter(|it| !(least..=most).contains(it.get_ref()))
    {
        let most = if most == u64::MAX {
            String::new()
        } else {
            format!(" to {most}")
        };
        top.problem(
            wrong.span(),
            format!("key `{key}` must be from {least}{most}"),
        );
    }
    plain(said)
}

fn inference(top: &mut Reader<'_, '_>) -> Inference {
    let model = top.needed::<String>("model");
    if let Some(wrong) = model.as_ref().filter(|it| {
        let name = it.get_ref();
        name.is_empty() || name.contains(['/', '?', '#', ' '])
    }) {
        let message = "key `model` must be the model's name as the server knows it";
        top.problem(wrong.span(), message);
    }
    let outputs = top.tables("outputs", tensor);
    if outputs.is_empty() {
        let message = "key `outputs` must name at least the output that holds the label";
        top.problem(top.place("outputs"), message);
    }
    Inference {
        model: plain(model),
        label: outputs
            .first()
            .map(|it| it.name.clone())
            .unwrap_or_default(),
        outputs,
        min_agreement_percent: u8::try_from(whole(top, "min_agreement_percent", 0, 100))
            .unwrap_or_default(),
    }
}

fn tensor(table: &mut Reader<'_, '_>) -> Output {
    table.require("shape");
    let shape = table.list("shape").unwrap_or_default();
    Output {
        name: plain(table.needed("name")),
        datatype: plain(table.needed("datatype")),
        shape: shape.into_iter().map(Spanned::into_inner).collect(),
    }
}

/// What stands for a value that is missing; its problem is kept already.
fn plain<T: Default>(value: Option<Spanned<T>>) -> T {
    value.map(Spanned::into_inner).unwrap_or_default()
}

fn requests(path: &Path, text: &str, input: &Output) -> Result<Vec<Request>, WorkloadError> {
    let wrong = |reason: String| WorkloadError::Samples {
        path: path.to_owned(),
        reason,
    };
    let samples: Vec<Sample> =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if samples.is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    let length: u64 = input.shape.iter().product();
    samples
        .iter()
        .enumerate()
        .map(|(index, sample)| {
            if sample.input.len() as u64 != length {
                return Err(wrong(format!(
                    "sample {} has {} numbers, `input.shape` asks for {length}",
                    index + 1,
                    sample.input.len()
                )));
            }
            let body = serde_json::to_vec(&InferenceRequest {
                inputs: [InputTensor {
                    name: &input.name,
                    shape: &input.shape,
                    datatype: &input.datatype,
                    data: &sample.input,
                }],
            })
            .map_err(|error| wrong(error.to_string()))?;
            Ok(Request {
                body: Bytes::from(body),
                label: sample.label,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("../../fixtures/workloads/digits.toml");

    #[test]
    fn the_digits_workload_is_usable() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/workloads/digits.toml");
        let workload = Workload::load(&path).unwrap();
        assert_eq!(workload.sweep.concurrency, [1, 4, 16]);
        assert_eq!(workload.requests.len(), 64);
        let target = workload.target("http://127.0.0.1:8000/");
        assert_eq!(target.url, "http://127.0.0.1:8000/v2/models/digits/infer");
    }

    #[test]
    fn every_problem_is_told_with_line_and_key() {
        let text = GOOD
            .replace("model = \"digits\"", "modell = \"digits\"")
            .replace("concurrency = [1, 4, 16]", "concurrency = [1, 0]")
            .replace("window_seconds = 5", "window_seconds = 0")
            .replace("max_requests = 200000", "max_requests = \"many\"")
            .replace("min_agreement_percent = 0", "min_agreement_percent = 101")
            .replace("shape = [1, 10]", "shape = 10");

        let error = parse("w.toml", &text).err().unwrap();

        assert_eq!(
            error.to_string(),
            "7 problems in `w.toml`:
  w.toml:1: workload: key `model` is missing
  w.toml:3: workload: key `modell` is unknown; known are name, concurrency, \
             warm_up_seconds, window_seconds, timeout_seconds, max_requests, samples, input, \
             model, outputs, min_agreement_percent
  w.toml:7: workload: key `concurrency` must hold numbers from 1 to 4096, at least one
  w.toml:9: workload: key `window_seconds` must be from 0.1 to 3600
  w.toml:12: workload: key `max_requests` must be a whole number from 0
  w.toml:20: workload: key `min_agreement_percent` must be from 0 to 100
  w.toml:36: [outputs]: key `shape` must be a list of whole numbers from 0"
        );
    }

    #[test]
    fn a_sample_of_another_size_is_named() {
        let input = Output {
            name: "images".to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![1, 3],
        };
        let text = r#"[{"input":[1,2,3]},{"label":1,"input":[1,2]}]"#;
        let error = requests(Path::new("s.json"), text, &input).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`s.json` does not hold samples for this workload: \
             sample 2 has 2 numbers, `input.shape` asks for 3"
        );
    }
}
