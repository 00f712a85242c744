//! The envelope of a command: which members a request may have, and capability negotiation's own arguments.

use qapi::{Dict, Error, QMPCapability, QmpCapabilitiesArgs, Value};

/// A message with its envelope taken off.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    /// Echoed in the reply, whatever it is.
    pub(crate) id: Option<Value>,
    /// To be handled at once rather than in its turn, even if it is a mistake.
    pub(crate) oob: bool,
    pub(crate) body: Result<Call, Error>,
}

/// A well-formed call of a command that need not exist.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Dict,
}

impl Request {
    /// A mistake without an envelope.
    pub(crate) fn refused(error: Error) -> Request {
        Request { id: None, oob: false, body: Err(error) }
    }

    /// Takes the envelope off; `oob`: out-of-band execution was negotiated.
    pub(crate) fn new(message: Value, oob: bool) -> Request {
        let Ok(mut members) = message.into_dict() else {
            return Request::refused(Error::generic("QMP input must be a JSON object"));
        };
        let id = members.remove("id");
        let at_once = oob && members.contains_key("exec-oob") && !members.contains_key("execute");
        Request { id, oob: at_once, body: call(members, oob) }
    }
}

fn call(mut members: Dict, oob: bool) -> Result<Call, Error> {
    // The first mistake in wire order is reported, but sorting is for those who make one.
    if members.iter().any(|(key, value)| member(key, value, oob).is_err()) {
        members.iter_wire().try_for_each(|(key, value)| member(key, value, oob))?;
    }
    let name = match (members.remove("execute"), members.remove("exec-oob")) {
        (Some(Value::String(name)), None) | (None, Some(Value::String(name))) => name,
        (None, _) => return Err(Error::generic("QMP input lacks member 'execute'")),
        (Some(_), _) => {
            return Err(Error::generic("QMP input member 'execute' clashes with 'exec-oob'"));
        }
    };
    let arguments = match members.remove("arguments") {
        Some(Value::Dict(arguments)) => arguments,
        _ => Dict::new(),
    };
    Ok(Call { name, arguments })
}

fn member(key: &str, value: &Value, oob: bool) -> Result<(), Error> {
    let mistake = match (key, value) {
        ("execute", Value::String(_)) | ("arguments", Value::Dict(_)) => return Ok(()),
        ("exec-oob", Value::String(_)) if oob => return Ok(()),
        ("execute", _) => "must be a string",
        ("exec-oob", _) if oob => "must be a string",
        ("arguments", _) => "must be an object",
        _ => "is unexpected",
    };
    Err(Error::generic(format!("QMP input member '{key}' {mistake}")))
}

/// The arguments of `qmp_capabilities`: whether out-of-band execution is to be enabled.
pub(crate) fn capabilities(arguments: Dict) -> Result<bool, Error> {
    let arguments: QmpCapabilitiesArgs = qapi::from_json(Value::Dict(arguments))?;
    Ok(arguments.enable.is_some_and(|enable| enable.contains(&QMPCapability::Oob)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn refusal(text: &str, oob: bool) -> String {
        let request = Request::new(parse(text).unwrap(), oob);
        request.body.unwrap_err().desc.replace("QMP input member ", "")
    }

    #[test]
    fn the_first_mistake_in_wire_order_is_named() {
        for (text, oob, mistake) in [
            (r#"{"execute":1,"a":2,"b":3}"#, false, "'a' is unexpected"),
            (r#"{"b":2,"a":3}"#, false, "'a' is unexpected"),
            (r#"{"execute":"a","arguments":[],"b":1}"#, false, "'b' is unexpected"),
            (r#"{"exec-oob":1,"execute":1}"#, true, "'exec-oob' must be a string"),
            (r#"{"exec-oob":"a","execute":1}"#, true, "'execute' must be a string"),
            (r#"{"exec-oob":"a","execute":"b"}"#, true, "'execute' clashes with 'exec-oob'"),
            (r#"{"exec-oob":"a","execute":"b"}"#, false, "'exec-oob' is unexpected"),
            (r#"{"exec-oob":"x","arguments":1}"#, true, "'arguments' must be an object"),
        ] {
            assert_eq!(refusal(text, oob), mistake, "{text}");
        }
    }

    #[test]
    fn only_a_lone_exec_oob_is_answered_at_once() {
        for (text, at_once) in [
            (r#"{"exec-oob":1}"#, true),
            (r#"{"exec-oob":"a","z":1}"#, true),
            (r#"{"exec-oob":"a","execute":"b"}"#, false),
            (r#"{"execute":"a"}"#, false),
        ] {
            assert_eq!(Request::new(parse(text).unwrap(), true).oob, at_once, "{text}");
            assert!(!Request::new(parse(text).unwrap(), false).oob);
        }
    }

    #[test]
    fn capabilities_are_checked_strictly() {
        let read = |text: &str| {
            let arguments = parse(text).unwrap().into_dict().unwrap();
            capabilities(arguments).map_err(|error| error.desc)
        };
        assert_eq!(read("{}"), Ok(false));
        assert_eq!(read("{'enable': []}"), Ok(false));
        assert_eq!(read("{'enable': ['oob', 'oob']}"), Ok(true));
        for (text, mistake) in [
            ("{'enable': ['oob', 'x']}", "Parameter 'null' does not accept value 'x'"),
            ("{'enable': 'oob'}", "Invalid parameter type for 'enable', expected: array"),
            ("{'enable': [1]}", "Invalid parameter type for 'enable[0]', expected: string"),
            ("{'enable': ['oob'], 'x': 1}", "Parameter 'x' is unexpected"),
            ("{'b': 1, 'a': 1}", "Parameter 'b' is unexpected"),
        ] {
            assert_eq!(read(text), Err(mistake.into()), "{text}");
        }
    }
}
