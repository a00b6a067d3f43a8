//! The Open Inference Protocol v2 over gRPC: its messages, their framing, and exchanges.
//!
//! Knows no load: what drives an exchange is somewhere else.

mod answer;
mod call;
mod exchange;
mod framing;
pub mod message;

pub(crate) use answer::{code_name, inferred};
pub(crate) use call::{ask, call, head};
pub(crate) use exchange::{Exchange, Fault, Reply};
pub use framing::{frame, unframe};

/// Path of the call that infers, `service/method`.
pub const MODEL_INFER: &str = "/inference.GRPCInferenceService/ModelInfer";
/// Path of Triton's extension that tells a model's statistics.
pub const MODEL_STATISTICS: &str = "/inference.GRPCInferenceService/ModelStatistics";
