//! Messages of the Open Inference Protocol v2 over gRPC.
//!
//! Fields and tags are those of the published `grpc_service.proto` (package `inference`)
//! of Triton and `KServe`, as far as they are needed here: versions, identifiers and
//! parameters are left out, and are passed over where they come.

use bytes::Bytes;
use prost::Message;

/// Asks a model.
#[derive(Clone, PartialEq, Message)]
pub struct ModelInferRequest {
    /// The model's name.
    #[prost(string, tag = "1")]
    pub model_name: String,
    /// Input tensors.
    #[prost(message, repeated, tag = "5")]
    pub inputs: Vec<Tensor>,
    /// Outputs that are wanted; none: all.
    #[prost(message, repeated, tag = "6")]
    pub outputs: Vec<WantedOutput>,
    /// Each input's elements, little-endian, in the order of `inputs`.
    #[prost(bytes = "bytes", repeated, tag = "7")]
    pub raw_input_contents: Vec<Bytes>,
}

/// A model's answer.
#[derive(Clone, PartialEq, Message)]
pub struct ModelInferResponse {
    /// The model that answered.
    #[prost(string, tag = "1")]
    pub model_name: String,
    /// Output tensors.
    #[prost(message, repeated, tag = "5")]
    pub outputs: Vec<Tensor>,
    /// Each output's elements, little-endian, in the order of `outputs`; none, where the
    /// tensors have contents of their own.
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub raw_output_contents: Vec<Bytes>,
}

/// A tensor: `InferInputTensor` and `InferOutputTensor`, which have the same fields.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its datatype, for example `FP32`.
    #[prost(string, tag = "2")]
    pub datatype: String,
    /// Its shape.
    #[prost(int64, repeated, tag = "3")]
    pub shape: Vec<i64>,
    /// Its elements, where they are not raw.
    #[prost(message, optional, tag = "5")]
    pub contents: Option<Contents>,
}

/// `InferRequestedOutputTensor`.
#[derive(Clone, PartialEq, Message)]
pub struct WantedOutput {
    /// The output's name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// `InferTensorContents`: elements in the one field of their datatype, row by row.
#[derive(Clone, PartialEq, Message)]
pub struct Contents {
    /// Of `BOOL`.
    #[prost(bool, repeated, tag = "1")]
    pub bool_contents: Vec<bool>,
    /// Of `INT8`, `INT16` and `INT32`.
    #[prost(int32, repeated, tag = "2")]
    pub int_contents: Vec<i32>,
    /// Of `INT64`.
    #[prost(int64, repeated, tag = "3")]
    pub int64_contents: Vec<i64>,
    /// Of `UINT8`, `UINT16` and `UINT32`.
    #[prost(uint32, repeated, tag = "4")]
    pub uint_contents: Vec<u32>,
    /// Of `UINT64`.
    #[prost(uint64, repeated, tag = "5")]
    pub uint64_contents: Vec<u64>,
    /// Of `FP32`.
    #[prost(float, repeated, tag = "6")]
    pub fp32_contents: Vec<f32>,
    /// Of `FP64`.
    #[prost(double, repeated, tag = "7")]
    pub fp64_contents: Vec<f64>,
    /// Of `BYTES`.
    #[prost(bytes = "bytes", repeated, tag = "8")]
    pub bytes_contents: Vec<Bytes>,
}

/// Asks for a model's statistics, of all its versions.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ModelStatisticsRequest {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ModelStatisticsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) model_stats: Vec<ModelStatistics>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ModelStatistics {
    #[prost(uint64, tag = "4")]
    pub(crate) inference_count: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) execution_count: u64,
    #[prost(message, optional, tag = "6")]
    pub(crate) inference_stats: Option<InferStatistics>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) batch_stats: Vec<InferBatchStatistics>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct InferStatistics {
    #[prost(message, optional, tag = "1")]
    pub(crate) success: Option<StatisticDuration>,
    #[prost(message, optional, tag = "3")]
    pub(crate) queue: Option<StatisticDuration>,
    #[prost(message, optional, tag = "4")]
    pub(crate) compute_input: Option<StatisticDuration>,
    #[prost(message, optional, tag = "5")]
    pub(crate) compute_infer: Option<StatisticDuration>,
    #[prost(message, optional, tag = "6")]
    pub(crate) compute_output: Option<StatisticDuration>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct InferBatchStatistics {
    #[prost(uint64, tag = "1")]
    pub(crate) batch_size: u64,
    #[prost(message, optional, tag = "3")]
    pub(crate) compute_infer: Option<StatisticDuration>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct StatisticDuration {
    #[prost(uint64, tag = "1")]
    pub(crate) count: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) ns: u64,
}
