//! Where a decoder's values come from: JSON, whose values have a kind of their own, or `key=value` text, whose values
//! are all strings and get their kind from the type that is asked for. Rules and messages are those observed in QEMU 7.2
//! (`-blockdev` for the text form), except that a negative number is never taken for a huge unsigned one.

use crate::decode::At;
use crate::{Dict, Error, Value};
use std::fmt::Write;

/// How values of one origin become booleans, numbers and lists.
pub trait Source {
    /// A boolean.
    fn boolean(&self, value: Value, at: &At<'_>) -> Result<bool, Error>;
    /// A signed integer; narrower types check their range themselves.
    fn signed(&self, value: Value, at: &At<'_>) -> Result<i64, Error>;
    /// An unsigned integer; narrower types check their range themselves.
    fn unsigned(&self, value: Value, at: &At<'_>) -> Result<u64, Error>;
    /// A number of bytes.
    fn size(&self, value: Value, at: &At<'_>) -> Result<u64, Error>;
    /// A finite number.
    fn number(&self, value: Value, at: &At<'_>) -> Result<f64, Error>;
    /// A string.
    fn string(&self, value: Value, at: &At<'_>) -> Result<String, Error>;
    /// The absence of a value.
    fn null(&self, value: Value, at: &At<'_>) -> Result<(), Error>;
    /// The elements of a list.
    fn list(&self, value: Value, at: &At<'_>) -> Result<Vec<Value>, Error>;
    /// The members of an object.
    fn object(&self, value: Value, at: &At<'_>) -> Result<Dict, Error>;
    /// What kind of value this can be taken for.
    fn kind(&self, value: &Value) -> Kind;
    /// Writes an element's index as the end of a path.
    fn write_index(&self, path: &mut String, index: usize);
}

/// The kind of a value, by which an alternate chooses its branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// A boolean.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// A list.
    List,
    /// An object.
    Dict,
    /// A text that becomes a string, a boolean or a number as the type demands.
    Text,
}

/// Values with a kind of their own, as a monitor reads them.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Source for Json {
    fn boolean(&self, value: Value, at: &At<'_>) -> Result<bool, Error> {
        value.as_bool().ok_or_else(|| at.wrong_type("boolean"))
    }

    fn signed(&self, value: Value, at: &At<'_>) -> Result<i64, Error> {
        value.as_i64().ok_or_else(|| at.wrong_type("integer"))
    }

    fn unsigned(&self, value: Value, at: &At<'_>) -> Result<u64, Error> {
        value.as_u64().ok_or_else(|| Error::expects(&at.path(), "uint64"))
    }

    fn size(&self, value: Value, at: &At<'_>) -> Result<u64, Error> {
        self.unsigned(value, at)
    }

    fn number(&self, value: Value, at: &At<'_>) -> Result<f64, Error> {
        value.as_f64().ok_or_else(|| at.wrong_type("number"))
    }

    fn string(&self, value: Value, at: &At<'_>) -> Result<String, Error> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(at.wrong_type("string")),
        }
    }

    fn null(&self, value: Value, at: &At<'_>) -> Result<(), Error> {
        match value {
            Value::Null => Ok(()),
            _ => Err(at.wrong_type("null")),
        }
    }

    fn list(&self, value: Value, at: &At<'_>) -> Result<Vec<Value>, Error> {
        match value {
            Value::List(elements) => Ok(elements),
            _ => Err(at.wrong_type("array")),
        }
    }

    fn object(&self, value: Value, at: &At<'_>) -> Result<Dict, Error> {
        value.into_dict().map_err(|_| at.wrong_type("object"))
    }

    fn kind(&self, value: &Value) -> Kind {
        match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) | Value::Uint(_) | Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::List(_) => Kind::List,
            Value::Dict(_) => Kind::Dict,
        }
    }

    fn write_index(&self, path: &mut String, index: usize) {
        // Writing to a string cannot fail.
        let _ = write!(path, "[{index}]");
    }
}

/// Text values from `key=value` options: objects of objects and strings, lists as objects with the keys 0, 1, 2 ….
#[derive(Clone, Copy, Debug)]
pub struct KeyVal;

impl KeyVal {
    /// The text of a scalar.
    fn text(value: Value, at: &At<'_>, expected: &str) -> Result<String, Error> {
        match value {
            Value::String(text) => Ok(text),
            Value::Dict(_) => {
                Err(Error::generic(format!("Parameters '{}.*' are unexpected", at.path())))
            }
            _ => Err(at.wrong_type(expected)),
        }
    }
}

impl Source for KeyVal {
    fn boolean(&self, value: Value, at: &At<'_>) -> Result<bool, Error> {
        match KeyVal::text(value, at, "boolean")?.as_str() {
            "on" | "yes" | "true" | "y" => Ok(true),
            "off" | "no" | "false" | "n" => Ok(false),
            _ => Err(Error::expects(&at.path(), "'on' or 'off'")),
        }
    }

    fn signed(&self, value: Value, at: &At<'_>) -> Result<i64, Error> {
        parse_signed(&KeyVal::text(value, at, "integer")?)
            .ok_or_else(|| Error::expects(&at.path(), "integer"))
    }

    fn unsigned(&self, value: Value, at: &At<'_>) -> Result<u64, Error> {
        parse_unsigned(&KeyVal::text(value, at, "integer")?)
            .ok_or_else(|| Error::expects(&at.path(), "integer"))
    }

    fn size(&self, value: Value, at: &At<'_>) -> Result<u64, Error> {
        parse_size(&KeyVal::text(value, at, "size")?)
            .ok_or_else(|| Error::expects(&at.path(), "size"))
    }

    fn number(&self, value: Value, at: &At<'_>) -> Result<f64, Error> {
        KeyVal::text(value, at, "number")?
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| at.wrong_type("number"))
    }

    fn string(&self, value: Value, at: &At<'_>) -> Result<String, Error> {
        KeyVal::text(value, at, "string")
    }

    fn null(&self, value: Value, at: &At<'_>) -> Result<(), Error> {
        match KeyVal::text(value, at, "null")?.as_str() {
            "" => Ok(()),
            _ => Err(at.wrong_type("null")),
        }
    }

    fn list(&self, value: Value, at: &At<'_>) -> Result<Vec<Value>, Error> {
        let mut members = value.into_dict().map_err(|_| at.wrong_type("array"))?;
        let count = members.len();
        if members.keys().any(|key| key.parse::<usize>().is_err()) {
            return Err(Error::generic(format!(
                "Parameters '{}.*' used inconsistently",
                at.path()
            )));
        }
        let take = |index: usize| {
            members
                .take(&index.to_string())
                .ok_or_else(|| Error::generic(format!("Parameter '{}.{index}' missing", at.path())))
        };
        (0..count).map(take).collect()
    }

    fn object(&self, value: Value, at: &At<'_>) -> Result<Dict, Error> {
        value.into_dict().map_err(|_| at.wrong_type("object"))
    }

    fn kind(&self, value: &Value) -> Kind {
        match value {
            Value::String(_) => Kind::Text,
            other => Json.kind(other),
        }
    }

    fn write_index(&self, path: &mut String, index: usize) {
        // Writing to a string cannot fail.
        let _ = write!(path, ".{index}");
    }
}

/// A decimal, hexadecimal (0x) or octal (0) number without a sign.
fn parse_digits(text: &str) -> Option<u64> {
    let (digits, radix) = match text.get(..2) {
        Some("0x" | "0X") => (&text[2..], 16),
        _ if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        _ => (text, 10),
    };
    // The library would accept a sign here.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// An integer with an optional sign.
fn parse_signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => 0i64.checked_sub_unsigned(parse_digits(digits)?),
        None => i64::try_from(parse_unsigned(text)?).ok(),
    }
}

/// An integer with an optional plus sign.
fn parse_unsigned(text: &str) -> Option<u64> {
    parse_digits(text.strip_prefix('+').unwrap_or(text))
}

/// A number of bytes, with a binary suffix (B, K, M, G, T, P, E in either case) and, if it is decimal, a fraction. Without
/// a suffix it counts bytes. `None` if it is malformed or does not fit 64 bits.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, shift) = match text.char_indices().last() {
        // In a hexadecimal number B and E are digits.
        Some(_) if text.starts_with("0x") || text.starts_with("0X") => (text, 0),
        Some((end, letter)) => match "BKMGTPE".find(letter.to_ascii_uppercase()) {
            Some(power) => (&text[..end], 10 * power as u32),
            None => (text, 0),
        },
        None => return None,
    };
    if let Some((whole, fraction)) = number.split_once('.') {
        return parse_fraction(whole, fraction, shift);
    }
    let whole = if number.starts_with("0x") || number.starts_with("0X") {
        parse_digits(number)?
    } else {
        parse_decimal(number)?
    };
    whole.checked_mul(1 << shift)
}

/// Decimal digits only; unlike in [`parse_digits`], a leading zero means nothing.
fn parse_decimal(text: &str) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A whole number of units of `1 << shift` bytes and a fraction of one, rounded down to bytes.
fn parse_fraction(whole: &str, fraction: &str, shift: u32) -> Option<u64> {
    // A fraction of a byte is no size.
    if shift == 0 && fraction.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let whole = parse_decimal(whole)?.checked_mul(1 << shift)?;
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    whole.checked_add((fraction * (1u64 << shift) as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_every_base_and_no_more_than_64_bits() {
        assert_eq!(parse_signed("-5"), Some(-5));
        assert_eq!(parse_signed("+0x10"), Some(16));
        assert_eq!(parse_signed("010"), Some(8));
        assert_eq!(parse_signed("0"), Some(0));
        assert_eq!(parse_signed("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_signed("-9223372036854775809"), None);
        assert_eq!(parse_signed("9223372036854775808"), None);
        assert_eq!(parse_unsigned("18446744073709551615"), Some(u64::MAX));
        for text in ["", "-", "+", "x", "1k", "0x", "--5", "+-5", "0x-5", "09", "1 ", "é"] {
            assert_eq!(parse_signed(text), None, "{text}");
        }
        assert_eq!(parse_unsigned("-1"), None);
    }

    #[test]
    fn sizes_take_binary_suffixes_and_fractions() {
        assert_eq!(parse_size("0"), Some(0));
        assert_eq!(parse_size("512"), Some(512));
        assert_eq!(parse_size("08"), Some(8));
        assert_eq!(parse_size("1b"), Some(1));
        assert_eq!(parse_size("1.5M"), Some(3 << 19));
        assert_eq!(parse_size("1g"), Some(1 << 30));
        assert_eq!(parse_size("15E"), Some(15 << 60));
        assert_eq!(parse_size("0x1E"), Some(0x1e));
        for text in ["", "k", "1x", "-1", "16E", "1.5", "1.K", "1e3", ".5.5M", "é", "1é", "1kk"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
