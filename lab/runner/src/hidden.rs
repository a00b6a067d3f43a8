//! Takes secrets out of facts before anybody sees them.

use lab_model::{event::Fact, remark::Remark, secrets::Secrets};
use serde_json::Value;

/// The fact, with a mask where a secret stood.
pub(crate) fn without(secrets: &Secrets, fact: Fact) -> Fact {
    let Ok(mut value) = serde_json::to_value(&fact) else {
        return fact;
    };
    if !mask(secrets, &mut value) {
        return fact;
    }
    // Only text was changed; where a name must not hold a mask, nothing is told of it.
    serde_json::from_value(value).unwrap_or(Fact::Noted {
        remark: Remark::LeftOut,
    })
}

/// Masks every text below a value; tells whether there was something to mask.
fn mask(secrets: &Secrets, value: &mut Value) -> bool {
    match value {
        Value::String(text) => match secrets.mask(text) {
            Some(masked) => {
                *text = masked;
                true
            }
            None => false,
        },
        Value::Array(items) => mask_all(secrets, items.iter_mut()),
        Value::Object(entries) => mask_all(secrets, entries.values_mut()),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn mask_all<'v>(secrets: &Secrets, values: impl Iterator<Item = &'v mut Value>) -> bool {
    let mut masked = false;
    for value in values {
        masked |= mask(secrets, value);
    }
    masked
}
