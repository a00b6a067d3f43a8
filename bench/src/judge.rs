//! Judges answers: status first, then what an inference must hold.

use std::borrow::Cow;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    grpc,
    record::FailureClass,
    target::{Expect, Inference},
};

/// An answer with its status.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) status: Status<'a>,
    /// HTTP's body, or gRPC's message.
    pub(crate) body: &'a [u8],
}

/// How a server says whether it answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Status<'a> {
    Http(u16),
    /// A code, and the server's words on it.
    Grpc(u16, &'a str),
}

impl Status<'_> {
    const fn is_right(self) -> bool {
        matches!(self, Self::Http(200) | Self::Grpc(0, _))
    }
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
        label: label(expect, answer)?,
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
    if answer.status.is_right() && answer.body == reference.body {
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
    let seen = label(expect, answer)?;
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
fn label(expect: &Expect, answer: &Answer<'_>) -> Result<Option<Value>, Wrong> {
    let body = answer.body;
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
        Expect::Inference(inference) => match answer.status {
            Status::Http(_) => inferred(inference, body).map(Some),
            Status::Grpc(..) => grpc::inferred(inference, body).map(Some),
        },
    }
}

pub(crate) fn wrong(reason: String) -> Wrong {
    Wrong {
        class: FailureClass::WrongAnswer,
        reason,
    }
}

fn status(answer: &Answer<'_>) -> Result<(), Wrong> {
    if answer.status.is_right() {
        return Ok(());
    }
    let (status, reason) = match answer.status {
        Status::Http(status) => {
            let words = StatusCode::from_u16(status).map(|it| it.to_string());
            let words = words.unwrap_or_else(|_| status.to_string());
            (status, format!("{words}: {}", excerpt(answer.body)))
        }
        Status::Grpc(code, words) => {
            let name = grpc::code_name(code).unwrap_or("no code of gRPC");
            let words = excerpt(words.as_bytes());
            (code, format!("{code} {name}: {words}"))
        }
    };
    Err(Wrong {
        class: FailureClass::Status(status),
        reason,
    })
}

/// A tensor as an answer describes it.
pub(crate) struct Described<'a> {
    pub(crate) name: &'a str,
    pub(crate) datatype: &'a str,
    pub(crate) shape: &'a [u64],
}

/// Checks that the right model answered, with all outputs it must have.
pub(crate) fn fits(
    expect: &Inference,
    model: &str,
    tensors: &[Described<'_>],
) -> Result<(), Wrong> {
    if model != expect.model.as_str() {
        return Err(wrong(format!(
            "model `{model}` answered, `{}` was asked",
            expect.model
        )));
    }
    for output in &expect.outputs {
        let Some(tensor) = tensors.iter().find(|one| one.name == output.name) else {
            return Err(wrong(format!("output `{}` is missing", output.name)));
        };
        if tensor.shape != output.shape || tensor.datatype != output.datatype {
            return Err(wrong(format!(
                "output `{}` is {} {:?}, expected {} {:?}",
                output.name, tensor.datatype, tensor.shape, output.datatype, output.shape
            )));
        }
    }
    Ok(())
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
    let described: Vec<_> = answer
        .outputs
        .iter()
        .map(|tensor| Described {
            name: &tensor.name,
            datatype: &tensor.datatype,
            shape: &tensor.shape,
        })
        .collect();
    fits(expect, &answer.model_name, &described)?;
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
            status: Status::Http(status),
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

    #[test]
    fn a_code_of_grpc_is_named() {
        let refused = |code| {
            let status = Status::Grpc(code, "queue full");
            refer(&Expect::Status, &Answer { status, body: b"" }).unwrap_err()
        };
        assert_eq!(refused(14).class, FailureClass::Status(14));
        assert_eq!(refused(14).reason, "14 UNAVAILABLE: queue full");
        assert_eq!(refused(99).reason, "99 no code of gRPC: queue full");
    }
}
