//! Workload files: which load is offered to which model, and what it must answer.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use miette::{Diagnostic, NamedSource, SourceSpan};
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
    #[error("`{path}` is not a usable workload")]
    #[diagnostic(
        code(lab::bench::workload_invalid),
        help("compare it with `fixtures/workloads/digits.toml`")
    )]
    Invalid {
        /// The file.
        path: String,
        /// Its text.
        #[source_code]
        text: NamedSource<String>,
        /// What is wrong.
        #[related]
        problems: Vec<Problem>,
    },
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

/// One thing that is wrong in a workload file.
#[derive(Debug, Error, Diagnostic)]
#[error("{path}:{line}: {what}")]
pub struct Problem {
    path: String,
    line: usize,
    what: String,
    #[label]
    at: SourceSpan,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadFile {
    name: Spanned<String>,
    model: Spanned<String>,
    concurrency: Spanned<Vec<u32>>,
    warm_up_seconds: Spanned<f64>,
    window_seconds: Spanned<f64>,
    timeout_seconds: Spanned<f64>,
    max_requests: Spanned<u64>,
    samples: PathBuf,
    min_agreement_percent: Spanned<u8>,
    input: Output,
    outputs: Spanned<Vec<Output>>,
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
        let text = read(path)?;
        let file = parse(&path.display().to_string(), &text)?;
        let samples = path.with_file_name(&file.samples);
        let requests = requests(&samples, &read(&samples)?, &file.input)?;
        Ok(Self {
            sweep: Sweep {
                name: file.name.into_inner(),
                concurrency: file.concurrency.into_inner(),
                warm_up: Duration::from_secs_f64(file.warm_up_seconds.into_inner()),
                window: Duration::from_secs_f64(file.window_seconds.into_inner()),
                timeout: Duration::from_secs_f64(file.timeout_seconds.into_inner()),
                max_requests: file.max_requests.into_inner(),
            },
            inference: Inference {
                model: file.model.into_inner(),
                label: file.outputs.get_ref()[0].name.clone(),
                outputs: file.outputs.into_inner(),
                min_agreement_percent: file.min_agreement_percent.into_inner(),
            },
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

fn read(path: &Path) -> Result<String, WorkloadError> {
    fs::read_to_string(path).map_err(|source| WorkloadError::Read {
        path: path.to_owned(),
        source,
    })
}

fn parse(path: &str, text: &str) -> Result<WorkloadFile, WorkloadError> {
    let problems = match toml::from_str::<WorkloadFile>(text) {
        Ok(file) => {
            let problems = problems(path, text, &file);
            if problems.is_empty() {
                return Ok(file);
            }
            problems
        }
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            vec![problem(path, text, span, error.message().to_owned())]
        }
    };
    Err(WorkloadError::Invalid {
        path: path.to_owned(),
        text: NamedSource::new(path, text.to_owned()),
        problems,
    })
}

fn problem(path: &str, text: &str, span: Range<usize>, what: String) -> Problem {
    let before = text.get(..span.start).unwrap_or(text);
    Problem {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        what,
        at: span.into(),
    }
}

fn problems(path: &str, text: &str, file: &WorkloadFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut check = |right: bool, span: Range<usize>, what: &str| {
        if !right {
            problems.push(problem(path, text, span, what.to_owned()));
        }
    };
    check(
        !file.name.get_ref().trim().is_empty(),
        file.name.span(),
        "`name` must not be empty",
    );
    check(
        !file.model.get_ref().is_empty() && !file.model.get_ref().contains(['/', '?', '#', ' ']),
        file.model.span(),
        "`model` must be the model's name as the server knows it",
    );
    let concurrency = file.concurrency.get_ref();
    check(
        !concurrency.is_empty() && concurrency.iter().all(|one| (1..=4096).contains(one)),
        file.concurrency.span(),
        "`concurrency` must hold numbers from 1 to 4096, at least one",
    );
    let seconds = |value: &Spanned<f64>, least: f64| (least..=3600.0).contains(value.get_ref());
    check(
        seconds(&file.warm_up_seconds, 0.0),
        file.warm_up_seconds.span(),
        "`warm_up_seconds` must be from 0 to 3600",
    );
    check(
        seconds(&file.window_seconds, 0.1),
        file.window_seconds.span(),
        "`window_seconds` must be from 0.1 to 3600",
    );
    check(
        seconds(&file.timeout_seconds, 0.01),
        file.timeout_seconds.span(),
        "`timeout_seconds` must be from 0.01 to 3600",
    );
    check(
        *file.max_requests.get_ref() > 0,
        file.max_requests.span(),
        "`max_requests` must be at least 1",
    );
    check(
        *file.min_agreement_percent.get_ref() <= 100,
        file.min_agreement_percent.span(),
        "`min_agreement_percent` must be from 0 to 100",
    );
    check(
        !file.outputs.get_ref().is_empty(),
        file.outputs.span(),
        "`outputs` must name at least the output that holds the label",
    );
    problems
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

    fn messages(text: &str) -> Vec<String> {
        match parse("w.toml", text) {
            Ok(_) => Vec::new(),
            Err(WorkloadError::Invalid { problems, .. }) => {
                problems.iter().map(ToString::to_string).collect()
            }
            Err(other) => vec![other.to_string()],
        }
    }

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
            .replace("concurrency = [1, 4, 16]", "concurrency = []")
            .replace("window_seconds = 5", "window_seconds = 0");
        assert_eq!(
            messages(&text),
            [
                "w.toml:7: `concurrency` must hold numbers from 1 to 4096, at least one",
                "w.toml:9: `window_seconds` must be from 0.1 to 3600",
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let text = GOOD.replace("warm_up_seconds", "warmup_seconds");
        let messages = messages(&text);
        assert!(
            messages[0].starts_with("w.toml:8: unknown field `warmup_seconds`"),
            "{messages:?}"
        );
    }

    #[test]
    fn broken_toml_is_an_error_with_its_line() {
        let messages = messages("name = \"a\"\nmodel = \n");
        assert!(messages[0].starts_with("w.toml:2: "), "{messages:?}");
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
