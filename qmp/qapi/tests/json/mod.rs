//! JSON texts as values, for tests.

use qapi::{Dict, Value};

/// A parsed JSON text.
pub(crate) fn value(text: &str) -> Value {
    convert(serde_json::from_str(text).expect("a JSON text"))
}

/// The members of a JSON object.
pub(crate) fn dict(text: &str) -> Dict {
    value(text).into_dict().expect("a JSON object")
}

/// The same value in the crate's own type.
pub(crate) fn convert(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (_, Some(number)) => Value::Uint(number),
            _ => Value::Number(number.as_f64().expect("a number")),
        },
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Array(elements) => {
            Value::List(elements.into_iter().map(convert).collect())
        }
        serde_json::Value::Object(members) => {
            Value::Dict(members.into_iter().map(|(key, member)| (key, convert(member))).collect())
        }
    }
}
