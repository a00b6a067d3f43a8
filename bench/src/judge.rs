//! Judges answers: status first, then what an inference must hold.

use std::borrow::Cow;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    record::FailureClass,
    target::{Expect, Inference},
};

/// An answer with its status.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// The longest part of an answer that an error message repeats, bytes.
const EXAMPLE_BYTES: usize = 300;

/// Why an answer is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) class: FailureClass,
    pub(crate) reason: String,
}

/// What a request was answered when it was sent alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    body: Vec<u8>,
    label: Option<Value>,
}

impl Reference {
    /// Whether the label is the true one.
    pub(crate) fn knows(&self, truth: i64) -> bool {
        self.label.as_ref().and_then(first_integer) == Some(truth)
    }
}

fn first_integer(data: &Value) -> Option<i64> {
    match data {
        Value::Array(values) => values.first().and_then(first_integer),
        value => value.as_i64(),
    }
}

/// An Open Inference Protocol v2 answer; keys this engine does not judge are passed over.
#[derive(Deserialize)]
struct InferenceAnswer<'a> {
    #[serde(borrow)]
    model_name: Cow<'a, str>,
    #[serde(borrow)]
    outputs: Vec<Tensor<'a>>,
}

#[derive(Deserialize)]
struct Tensor<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    datatype: Cow<'a, str>,
    shape: Vec<u64>,
    data: Option<Value>,
    #[serde(default)]
    parameters: Parameters,
}

/// What the binary tensor data extension says of a tensor.
#[derive(Default, Deserialize)]
struct Parameters {
    /// Bytes of its data after the JSON.
    binary_data_size: Option<usize>,
}

/// Judges an answer to a request that was sent alone, and keeps it as the reference.
pub(crate) fn refer(expect: &Expect, answer: &Answer<'_>) -> Result<Reference, Wrong> {
    status(answer)?;
    Ok(Reference {
        label: label(expect, answer.body)?,
        body: answer.body.to_vec(),
    })
}

/// Judges an answer under load by the reference.
#[inline]
pub(crate) fn judge(
    expect: &Expect,
    reference: &Reference,
    answer: &Answer<'_>,
) -> Result<(), Wrong> {
    // The same bytes say the same: nothing else is looked at while the load runs.
    if answer.status == 200 && answer.body == reference.body {
        return Ok(());
    }
    judge_closely(expect, reference, answer)
}

#[cold]
fn judge_closely(expect: &Expect, reference: &Reference, answer: &Answer<'_>) -> Result<(), Wrong> {
    status(answer)?;
    let what = match expect {
        Expect::Status => return Ok(()),
        Expect::Same => "the body",
        Expect::Json(pointer) => pointer,
        Expect::Inference(inference) => inference.label.as_str(),
    };
    let seen = label(expect, answer.body)?;
    match (&reference.label, &seen) {
        (Some(expected), Some(seen)) if expected == seen => Ok(()),
        (Some(expected), Some(seen)) => Err(wrong(format!(
            "`{what}` is {seen}, and was {expected} for the same request without load"
        ))),
        _ => Err(wrong(format!(
            "{what} is not what it was for the same request without load: {}",
            excerpt(answer.body)
        ))),
    }
}

/// What must stay the same, where that is less than the whole body.
fn label(expect: &Expect, body: &[u8]) -> Result<Option<Value>, Wrong> {
    match expect {
        Expect::Status | Expect::Same => Ok(None),
        Expect::Json(pointer) => {
            let answer: Value = serde_json::from_slice(body)
                .map_err(|error| wrong(format!("not JSON ({error}): {}", excerpt(body))))?;
            let missing = || wrong(format!("nothing is at `{pointer}`: {}", excerpt(body)));
            answer
                .pointer(pointer)
                .cloned()
                .map(Some)
                .ok_or_else(missing)
        }
        Expect::Inference(inference) => inferred(inference, body).map(Some),
    }
}

fn wrong(reason: String) -> Wrong {
    Wrong {
        class: FailureClass::WrongAnswer,
        reason,
    }
}

fn status(answer: &Answer<'_>) -> Result<(), Wrong> {
    if answer.status == 200 {
        return Ok(());
    }
    let words = StatusCode::from_u16(answer.status).map(|it| it.to_string());
    Err(Wrong {
        class: FailureClass::Status(answer.status),
        reason: format!(
            "{}: {}",
            words.unwrap_or_else(|_| answer.status.to_string()),
            excerpt(answer.body)
        ),
    })
}

/// The label of an answer that holds all it must.
fn inferred(expect: &Inference, body: &[u8]) -> Result<Value, Wrong> {
    let unread = |error| wrong(format!("not an inference ({error}): {}", excerpt(body)));
    // With the binary extension the tensors' bytes follow the JSON.
    let mut parts = serde_json::Deserializer::from_slice(body).into_iter::<InferenceAnswer<'_>>();
    let answer = match parts.next() {
        Some(answer) => answer.map_err(unread)?,
        None => return Err(wrong("not an inference: no body".to_owned())),
    };
    let binary = &body[parts.byte_offset()..];
    if answer.model_name != expect.model.as_str() {
        return Err(wrong(format!(
            "model `{}` answered, `{}` was asked",
            answer.model_name, expect.model
        )));
    }
    for output in &expect.outputs {
        let Some(tensor) = answer.outputs.iter().find(|one| one.name == output.name) else {
            return Err(wrong(format!("output `{}` is missing", output.name)));
        };
        if tensor.shape != output.shape || tensor.datatype != output.datatype {
            return Err(wrong(format!(
                "output `{}` is {} {:?}, expected {} {:?}",
                output.name, tensor.datatype, tensor.shape, output.datatype, output.shape
            )));
        }
    }
    let mut at = 0;
    for tensor in answer.outputs {
        let bytes = tensor.parameters.binary_data_size.unwrap_or(0);
        if tensor.name == expect.label.as_str() {
            return match tensor.data {
                Some(data) => Ok(data),
                None => binary
                    .get(at..at + bytes)
                    .filter(|it| !it.is_empty())
                    .map(Value::from)
                    .ok_or_else(|| wrong(format!("output `{}` has no data", expect.label))),
            };
        }
        at += bytes;
    }
    Err(wrong(format!("output `{}` is missing", expect.label)))
}

fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(EXAMPLE_BYTES)];
    let text = String::from_utf8_lossy(head);
    if head.len() < body.len() {
        format!("{text}…")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Output;

    fn expect() -> Expect {
        Expect::Inference(Inference {
            model: "digits".to_owned(),
            outputs: vec![Output {
                name: "label".to_owned(),
                datatype: "INT64".to_owned(),
                shape: vec![1],
            }],
            label: "label".to_owned(),
        })
    }

    fn answer(status: u16, body: &'static str) -> Answer<'static> {
        Answer {
            status,
            body: body.as_bytes(),
        }
    }

    const SEVEN: &str = r#"{"model_name":"digits","model_version":"1","outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[7]}]}"#;
    const EIGHT: &str = r#"{"model_name":"digits","model_version":"1","outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[8]}]}"#;

    #[test]
    fn the_same_label_with_other_bytes_is_right() {
        let reference = refer(&expect(), &answer(200, SEVEN)).unwrap();
        let later = r#"{"outputs":[{"data":[7],"shape":[1],"datatype":"INT64","name":"label"}],"model_name":"digits"}"#;
        assert_eq!(judge(&expect(), &reference, &answer(200, later)), Ok(()));
        assert!(reference.knows(7) && !reference.knows(8));
    }

    #[test]
    fn the_answer_to_another_request_is_wrong() {
        let reference = refer(&expect(), &answer(200, SEVEN)).unwrap();
        let wrong = judge(&expect(), &reference, &answer(200, EIGHT)).unwrap_err();
        assert_eq!(wrong.class, FailureClass::WrongAnswer);
        assert_eq!(
            wrong.reason,
            "`label` is [8], and was [7] for the same request without load"
        );
    }

    #[test]
    fn what_an_inference_lacks_is_named() {
        for (body, reason) in [
            ("", "not an inference"),
            (
                r#"{"model_name":"iris","outputs":[]}"#,
                "model `iris` answered",
            ),
            (
                r#"{"model_name":"digits","outputs":[]}"#,
                "output `label` is missing",
            ),
            (
                r#"{"model_name":"digits","outputs":[{"name":"label","datatype":"FP32","shape":[1],"data":[7.0]}]}"#,
                "output `label` is FP32 [1], expected INT64 [1]",
            ),
        ] {
            let wrong = refer(&expect(), &answer(200, body)).unwrap_err();
            assert!(wrong.reason.starts_with(reason), "{}", wrong.reason);
        }
    }

    #[test]
    fn a_refusal_keeps_the_servers_words() {
        let wrong = refer(&Expect::Status, &answer(503, "queue full")).unwrap_err();
        assert_eq!(wrong.class, FailureClass::Status(503));
        assert_eq!(wrong.reason, "503 Service Unavailable: queue full");
    }
}
