//! Judges answers: status first, then what an inference must hold.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    connection::Answer,
    statistics::FailureClass,
    target::{Expect, Inference},
};

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
    body: Bytes,
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
    data: Value,
}

/// Judges an answer to a request that was sent alone, and keeps it as the reference.
pub(crate) fn refer(expect: &Expect, answer: &Answer) -> Result<Reference, Wrong> {
    status(answer)?;
    let label = match expect {
        Expect::Status => None,
        Expect::Inference(inference) => Some(label(inference, &answer.body)?),
    };
    Ok(Reference {
        body: answer.body.clone(),
        label,
    })
}

/// Judges an answer under load by the reference.
pub(crate) fn judge(expect: &Expect, reference: &Reference, answer: &Answer) -> Result<(), Wrong> {
    status(answer)?;
    let Expect::Inference(inference) = expect else {
        return Ok(());
    };
    if answer.body == reference.body {
        return Ok(());
    }
    let seen = label(inference, &answer.body)?;
    match &reference.label {
        Some(expected) if *expected != seen => Err(wrong(format!(
            "`{}` is {seen}, and was {expected} for the same request without load",
            inference.label
        ))),
        _ => Ok(()),
    }
}

fn wrong(reason: String) -> Wrong {
    Wrong {
        class: FailureClass::WrongAnswer,
        reason,
    }
}

fn status(answer: &Answer) -> Result<(), Wrong> {
    if answer.status == StatusCode::OK {
        return Ok(());
    }
    Err(Wrong {
        class: FailureClass::Status(answer.status.as_u16()),
        reason: format!("{}: {}", answer.status, excerpt(&answer.body)),
    })
}

/// The label of an answer that holds all it must.
fn label(expect: &Inference, body: &[u8]) -> Result<Value, Wrong> {
    let answer: InferenceAnswer<'_> = serde_json::from_slice(body)
        .map_err(|error| wrong(format!("not an inference ({error}): {}", excerpt(body))))?;
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
    answer
        .outputs
        .into_iter()
        .find(|one| one.name == expect.label.as_str())
        .map(|tensor| tensor.data)
        .ok_or_else(|| wrong(format!("output `{}` is missing", expect.label)))
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
            min_agreement_percent: 90,
        })
    }

    fn answer(status: u16, body: &'static str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            body: Bytes::from_static(body.as_bytes()),
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
