//! Workload files: which load is offered to which model, and what it must answer.

mod bodies;
mod read;
#[cfg(test)]
mod tests;
mod trace;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use lab_model::definition::DefinitionError;
use miette::Diagnostic;
use thiserror::Error;

use crate::{
    load::{Arrivals, Course, Pace},
    server::Server,
    target::{Expect, Inference, Output, Request, Target},
    verdict::Budget,
};
pub use bodies::RequestsError;
use bodies::{Samples, Tensors};

/// How requests and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Open Inference Protocol v2 over HTTP, all JSON.
    V2Json,
    /// Open Inference Protocol v2 over HTTP, tensors as bytes after the JSON: the
    /// binary tensor data extension.
    V2Binary,
    /// Open Inference Protocol v2 over gRPC, tensors as bytes.
    V2Grpc,
    /// Seldon Core v1's `predictions`.
    SeldonV1,
    /// MLflow's scoring server's `/invocations`.
    Mlflow,
    /// Any HTTP request.
    Http,
}

impl Protocol {
    const ALL: [(&'static str, Self); 6] = [
        ("v2-json", Self::V2Json),
        ("v2-binary", Self::V2Binary),
        ("v2-grpc", Self::V2Grpc),
        ("seldon-v1", Self::SeldonV1),
        ("mlflow", Self::Mlflow),
        ("http", Self::Http),
    ];

    /// Whether it is one of the Open Inference Protocol's.
    pub const fn is_v2(self) -> bool {
        matches!(self, Self::V2Json | Self::V2Binary | Self::V2Grpc)
    }
}

/// Closed loops, one window for each number of connections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closed {
    /// Connections in flight.
    pub concurrency: Vec<u32>,
}

/// Open loops, one window each.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// When requests are due.
    pub arrivals: Vec<Arrivals>,
    /// Most connections.
    pub connections: u32,
}

/// A search for the highest rate that holds a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// p99 latency that must not be exceeded, microseconds.
    pub p99_micros: f64,
    /// Length of each window; less where enough requests come sooner, a quarter of it at least;
    /// more where hardly any would come.
    pub window: Duration,
    /// Time for the whole search.
    pub limit: Duration,
    /// Most connections.
    pub connections: u32,
}

/// A workload, read from its file and the samples file it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// How requests are written.
    pub protocol: Protocol,
    /// The model, of a protocol that names it.
    pub model: String,
    /// The answer it expects.
    pub expect: Expect,
    /// Its requests.
    pub requests: Vec<Request>,
    /// Inferences that each of them asks for.
    pub batch_size: u32,
    /// What they were written from, where that was not the bodies themselves.
    samples: Option<(Samples, Tensors)>,
    /// How many of the true labels the model must know, percent.
    pub min_agreement_percent: u8,
    /// Load before each window, at least and at most.
    pub warm_up: Duration,
    /// See `warm_up`.
    pub settle: Duration,
    /// Length of each window.
    pub window: Duration,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Most requests sent in one window.
    pub max_requests: u64,
    /// Seed of random arrivals.
    pub seed: u64,
    /// Closed loops.
    pub closed: Closed,
    /// Open loops.
    pub open: Option<Open>,
    /// A search.
    pub search: Option<Search>,
    /// What the server must reach.
    pub budgets: Vec<Budget>,
    method: Method,
    path: String,
    headers: HeaderMap,
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
    /// A file that the workload names does not hold what it should.
    #[error("`{}` does not hold what this workload says: {reason}", path.display())]
    #[diagnostic(code(lab::bench::samples_invalid), help("{help}"))]
    Samples {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// What it must be.
        help: &'static str,
    },
    /// Its samples cannot be put into requests.
    #[error("the requests of workload `{workload}` cannot be written")]
    #[diagnostic(
        code(lab::bench::requests),
        help("`samples` must fit `input`; `batch_size` says how many of them go into a request")
    )]
    Requests {
        /// The workload.
        workload: String,
        /// Why.
        source: RequestsError,
    },
}

impl Workload {
    /// Reads a workload from its file.
    ///
    /// # Errors
    /// Fails with every problem of the file, each with its place and key.
    pub fn load(path: &Path) -> Result<Self, WorkloadError> {
        let said = read::parse(&path.display().to_string(), &text(path)?)?;
        let beside = |name: &str| path.with_file_name(name);
        let (requests, samples) = if said.protocol == Protocol::Http {
            (bodies::as_they_are(&beside(&said.samples))?, None)
        } else {
            let samples = Samples::load(&beside(&said.samples), &said.tensors.input)?;
            (Vec::new(), Some((samples, said.tensors)))
        };
        let open = said.open.map(|open| open.resolve(&beside, said.window));
        let open = open.transpose()?;
        let workload = Self {
            expect: said.expect,
            name: said.name,
            protocol: said.protocol,
            model: said.model,
            requests,
            samples,
            batch_size: 1,
            min_agreement_percent: said.min_agreement_percent,
            warm_up: said.warm_up,
            settle: said.settle,
            window: said.window,
            timeout: said.timeout,
            max_requests: said.max_requests,
            seed: said.seed,
            closed: said.closed,
            open,
            search: said.search,
            budgets: said.budgets,
            method: said.method,
            path: said.path,
            headers: said.headers,
        };
        match (said.batch_size, &workload.samples) {
            (1, None) => Ok(workload),
            (size, _) => workload.written(size),
        }
    }

    /// The same workload with requests that ask for so many inferences each. What is known
    /// to be true of a batch is its first sample's label; all of its answer must stay.
    ///
    /// # Errors
    /// Where its samples cannot be put together so.
    pub fn batched(&self, size: u32) -> Result<Self, WorkloadError> {
        self.clone().written(size)
    }

    /// Writes its requests anew, so many inferences each.
    fn written(mut self, size: u32) -> Result<Self, WorkloadError> {
        let wrong = |source| WorkloadError::Requests {
            workload: self.name.clone(),
            source,
        };
        let samples = self.samples.as_ref();
        let (samples, tensors) = samples.ok_or_else(|| wrong(RequestsError::Bodies))?;
        let requests = samples.requests(self.protocol, tensors, size);
        self.requests = requests.map_err(wrong)?;
        if self.protocol.is_v2() {
            self.expect = inference(&self.model, &tensors.batched(size).outputs);
        }
        self.batch_size = size;
        Ok(self)
    }

    /// The workload's target on a server, whose address may have a path before the
    /// protocol's own; of gRPC, it may also be one of HTTP.
    pub fn target(&self, server: &Server) -> Target {
        let url = match self.protocol {
            Protocol::V2Grpc => server.grpc_url(),
            _ => server.url.as_str().into(),
        };
        Target {
            url: format!("{}{}", url.trim_end_matches('/'), self.path),
            trust: server.trust.clone(),
            method: self.method.clone(),
            headers: self.headers.clone(),
            requests: self.requests.clone(),
            expect: self.expect.clone(),
            min_agreement_percent: self.min_agreement_percent,
        }
    }

    /// One window for each load it asks for: closed loops, then open ones.
    pub fn courses(&self) -> Vec<Course> {
        let closed = self
            .closed
            .concurrency
            .iter()
            .map(|connections| Pace::Closed {
                connections: *connections,
            });
        let open = self.open.iter().flat_map(|open| {
            open.arrivals.iter().map(|arrivals| Pace::Open {
                arrivals: arrivals.clone(),
                connections: open.connections,
            })
        });
        closed.chain(open).map(|pace| self.course(pace)).collect()
    }

    /// A window of this workload at any pace.
    pub fn course(&self, pace: Pace) -> Course {
        Course {
            pace,
            warm_up: self.warm_up,
            settle: self.settle,
            window: self.window,
            timeout: self.timeout,
            max_requests: self.max_requests,
            seed: self.seed,
        }
    }
}

fn text(path: &Path) -> Result<String, WorkloadError> {
    fs::read_to_string(path).map_err(|source| WorkloadError::Read {
        path: path.to_owned(),
        source,
    })
}

/// What a workload file says; the files it names are still to be read.
struct Said {
    name: String,
    protocol: Protocol,
    model: String,
    expect: Expect,
    samples: String,
    tensors: Tensors,
    batch_size: u32,
    min_agreement_percent: u8,
    warm_up: Duration,
    settle: Duration,
    window: Duration,
    timeout: Duration,
    max_requests: u64,
    seed: u64,
    closed: Closed,
    open: Option<SaidOpen>,
    search: Option<Search>,
    budgets: Vec<Budget>,
    method: Method,
    path: String,
    headers: HeaderMap,
}

/// Open loops as a file says them.
struct SaidOpen {
    arrivals: Vec<Arrivals>,
    /// A file of recorded arrivals.
    trace: Option<String>,
    connections: u32,
}

impl SaidOpen {
    fn resolve(
        self,
        beside: &impl Fn(&str) -> PathBuf,
        window: Duration,
    ) -> Result<Open, WorkloadError> {
        let mut arrivals = self.arrivals;
        if let Some(trace) = self.trace {
            arrivals.push(Arrivals::Replay {
                offsets: trace::load(&beside(&trace), window)?,
            });
        }
        Ok(Open {
            arrivals,
            connections: self.connections,
        })
    }
}

/// What stands in a header map for a name and a value that may be none.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

/// The inference an answer of the Open Inference Protocol must be.
fn inference(model: &str, outputs: &[Output]) -> Expect {
    Expect::Inference(Inference {
        model: model.to_owned(),
        label: outputs
            .first()
            .map(|it| it.name.clone())
            .unwrap_or_default(),
        outputs: outputs.to_vec(),
    })
}
