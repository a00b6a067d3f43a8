//! What an answer over gRPC says.

use bytes::Bytes;
use prost::Message;
use serde_json::Value;

use super::message::{Contents, ModelInferResponse, Tensor};
use crate::{
    judge::{Described, Wrong, fits, wrong},
    target::Inference,
};

/// gRPC's names of its codes, from 0.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The name of a code, for example `UNAVAILABLE`. `None`: there is no such code.
pub(crate) fn code_name(code: u16) -> Option<&'static str> {
    CODES.get(usize::from(code)).copied()
}

/// The label of an answer that holds all it must.
pub(crate) fn inferred(expect: &Inference, message: &[u8]) -> Result<Value, Wrong> {
    let answer = ModelInferResponse::decode(message)
        .map_err(|error| wrong(format!("not an inference: {error}")))?;
    let shapes: Vec<Vec<u64>> = answer.outputs.iter().map(shape).collect();
    let described: Vec<_> = answer
        .outputs
        .iter()
        .zip(&shapes)
        .map(|(tensor, shape)| Described {
            name: &tensor.name,
            datatype: &tensor.datatype,
            shape,
        })
        .collect();
    fits(expect, &answer.model_name, &described)?;
    let at = answer
        .outputs
        .iter()
        .position(|tensor| tensor.name == expect.label)
        .ok_or_else(|| wrong(format!("output `{}` is missing", expect.label)))?;
    data(&answer.outputs[at], answer.raw_output_contents.get(at))
        .ok_or_else(|| wrong(format!("output `{}` has no data", expect.label)))
}

/// A negative extent is none that anybody expects.
fn shape(tensor: &Tensor) -> Vec<u64> {
    let extent = |extent: &i64| u64::try_from(*extent).unwrap_or(u64::MAX);
    tensor.shape.iter().map(extent).collect()
}

/// A tensor's elements, in whichever form they came; where the datatype is not one of
/// numbers, its bytes.
fn data(tensor: &Tensor, raw: Option<&Bytes>) -> Option<Value> {
    let data = match (raw, &tensor.contents) {
        (Some(raw), _) => elements(&tensor.datatype, raw),
        (None, Some(contents)) => typed(&tensor.datatype, contents),
        (None, None) => Value::Null,
    };
    data.as_array()
        .is_some_and(|it| !it.is_empty())
        .then_some(data)
}

fn elements(datatype: &str, raw: &[u8]) -> Value {
    macro_rules! each {
        ($number:ty) => {
            raw.as_chunks()
                .0
                .iter()
                .map(|bytes| <$number>::from_le_bytes(*bytes))
                .collect()
        };
    }
    match datatype {
        "FP32" => each!(f32),
        "FP64" => each!(f64),
        "INT8" => each!(i8),
        "INT16" => each!(i16),
        "INT32" => each!(i32),
        "INT64" => each!(i64),
        "UINT16" => each!(u16),
        "UINT32" => each!(u32),
        "UINT64" => each!(u64),
        _ => raw.iter().copied().collect(),
    }
}

fn typed(datatype: &str, contents: &Contents) -> Value {
    match datatype {
        "FP32" => contents.fp32_contents.iter().copied().collect(),
        "FP64" => contents.fp64_contents.iter().copied().collect(),
        "INT8" | "INT16" | "INT32" => contents.int_contents.iter().copied().collect(),
        "INT64" => contents.int64_contents.iter().copied().collect(),
        "UINT8" | "UINT16" | "UINT32" => contents.uint_contents.iter().copied().collect(),
        "UINT64" => contents.uint64_contents.iter().copied().collect(),
        "BOOL" => contents.bool_contents.iter().copied().collect(),
        _ => contents
            .bytes_contents
            .iter()
            .map(|it| it.to_vec())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Output;

    fn expect() -> Inference {
        Inference {
            model: "digits".to_owned(),
            outputs: vec![Output {
                name: "label".to_owned(),
                datatype: "INT64".to_owned(),
                shape: vec![1],
            }],
            label: "label".to_owned(),
        }
    }

    fn answer(label: i64) -> ModelInferResponse {
        ModelInferResponse {
            model_name: "digits".to_owned(),
            outputs: vec![Tensor {
                name: "label".to_owned(),
                datatype: "INT64".to_owned(),
                shape: vec![1],
                contents: None,
            }],
            raw_output_contents: vec![Bytes::copy_from_slice(&label.to_le_bytes())],
        }
    }

    fn label(answer: &ModelInferResponse) -> Result<Value, String> {
        inferred(&expect(), &answer.encode_to_vec()).map_err(|wrong| wrong.reason)
    }

    #[test]
    fn a_label_is_the_same_raw_or_typed() {
        let mut typed = answer(7);
        typed.raw_output_contents.clear();
        typed.outputs[0].contents = Some(Contents {
            int64_contents: vec![7],
            ..Contents::default()
        });
        assert_eq!(label(&answer(7)), Ok(Value::from(vec![7])));
        assert_eq!(label(&typed), label(&answer(7)));
    }

    #[test]
    fn what_an_inference_lacks_is_named() {
        let mut other = answer(7);
        other.model_name = "iris".to_owned();
        assert_eq!(
            label(&other).unwrap_err(),
            "model `iris` answered, `digits` was asked"
        );
        let mut other = answer(7);
        other.outputs[0].shape = vec![2];
        assert_eq!(
            label(&other).unwrap_err(),
            "output `label` is INT64 [2], expected INT64 [1]"
        );
        let mut other = answer(7);
        other.raw_output_contents.clear();
        assert_eq!(label(&other).unwrap_err(), "output `label` has no data");
        let mut other = answer(7);
        other.outputs.clear();
        assert_eq!(label(&other).unwrap_err(), "output `label` is missing");
        let wrong = inferred(&expect(), b"\xff").unwrap_err();
        assert!(
            wrong.reason.starts_with("not an inference: "),
            "{}",
            wrong.reason
        );
    }

    /// The bytes of an answer as the published proto has them, written by hand: field 1
    /// and 5 and 6, with a version (2) and an identifier (3) that are passed over.
    #[test]
    fn tags_are_those_of_the_published_proto() {
        let bytes = b"\x0a\x06digits\x12\x011\x1a\x01x\
            \x2a\x11\x0a\x05label\x12\x05INT64\x1a\x01\x01\
            \x32\x08\x07\0\0\0\0\0\0\0";
        assert_eq!(inferred(&expect(), bytes), Ok(Value::from(vec![7])));
    }
}
