//! What a test may meet.

use std::io;

use lab_k8s::KubeError;
use miette::Diagnostic;
use thiserror::Error;

/// A lab could not be had or used.
#[derive(Debug, Error, Diagnostic)]
pub enum LabError {
    /// The program `lab` is not there.
    #[error("the program `lab` is neither beside this test nor on the PATH")]
    #[diagnostic(
        code(lab::library::no_program),
        help("`cargo install --path lab/cli` puts it on the PATH; LAB_PROGRAM names one")
    )]
    NoProgram,
    /// It cannot be started.
    #[error("failed to start `{program}`")]
    #[diagnostic(code(lab::library::start))]
    Start {
        /// The program.
        program: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It ended with an error.
    #[error("`lab {words}` failed ({status})\n{stderr}")]
    #[diagnostic(
        code(lab::library::lab_failed),
        help("the lines above are the end of what it said; `lab doctor` checks the machine")
    )]
    Failed {
        /// Its arguments.
        words: String,
        /// How it ended.
        status: String,
        /// The end of what it said.
        stderr: String,
    },
    /// It answered something else than was asked for.
    #[error("`lab {words}` gave an answer that cannot be read")]
    #[diagnostic(
        code(lab::library::answer),
        help("are the program `lab` and this library of the same version?")
    )]
    Answer {
        /// Its arguments.
        words: String,
        /// Why it cannot be read.
        #[source]
        source: serde_json::Error,
    },
    /// It knows no node image.
    #[error("`{program}` knows no image of a node")]
    #[diagnostic(
        code(lab::library::no_node_image),
        help("are the program `lab` and this library of the same version?")
    )]
    NoNodeImage {
        /// The program.
        program: String,
    },
    /// The cluster's API refused something.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kube(#[from] KubeError),
    /// The cluster's API refused something about a namespace.
    #[error("failed to {doing} namespace `{name}`")]
    #[diagnostic(
        code(lab::library::namespace),
        help("`lab status` tells whether the cluster still answers")
    )]
    Namespace {
        /// What was being done.
        doing: &'static str,
        /// The namespace.
        name: String,
        /// The API's answer.
        #[source]
        source: Box<lab_k8s::kube::Error>,
    },
}
