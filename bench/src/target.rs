//! What is asked, and which answers count as right.

use bytes::Bytes;

/// An HTTP endpoint with the requests it is sent in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `http://host:port/path` of the endpoint.
    pub url: String,
    /// Bodies sent by POST, in turn; never empty.
    pub bodies: Vec<Bytes>,
    /// Which answers are right.
    pub expect: Expect,
}

/// Which answers are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Any body with status 200.
    Status,
    /// An Open Inference Protocol v2 answer.
    Inference(Inference),
}

/// A right answer in the Open Inference Protocol v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inference {
    /// Name of the model that must have answered.
    pub model: String,
    /// Outputs that must be there.
    pub outputs: Vec<Output>,
    /// Name of the output whose values must be the same for the same body at any load.
    pub stable: Option<String>,
}

/// An output tensor that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its datatype, for example `INT64`.
    pub datatype: String,
    /// Its shape.
    pub shape: Vec<u64>,
}
