//! Properties: named, typed values of an object.

use std::any::Any;

use qapi::Value;

use crate::error::{Error, Result};

/// Reads a property of an object; the name lets computed tables share one function.
pub type Getter = fn(object: &dyn Any, name: &'static str) -> Result<Value>;
/// Sets a property of an object.
pub type Setter = fn(object: &mut dyn Any, name: &'static str, value: Value) -> Result<()>;

/// One property of a class.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// The name of its type in QOM: `uint32`, `str`, `bool`, `size`, …
    pub kind: &'static str,
    /// What it means, for `help` and `device-list-properties`.
    pub description: &'static str,
    /// The value of a new object by the property's name, where one is documented.
    pub default: fn(name: &'static str) -> Option<Value>,
    /// Reads it; `None` if it can only be written.
    pub get: Option<Getter>,
    /// Sets it; `None` if it can only be read.
    pub set: Option<Setter>,
    /// Whether it can be set after the object was realized.
    pub live: bool,
}

/// The object as its own type. A class table names accessors of the type it makes, so anything
/// else is a mistake in the program.
pub fn downcast<T: Any>(object: &dyn Any) -> &T {
    object.downcast_ref().expect("property of another class")
}

/// As [`downcast`], to change it.
pub fn downcast_mut<T: Any>(object: &mut dyn Any) -> &mut T {
    object.downcast_mut().expect("property of another class")
}

/// Makes a [`Property`] from a field of the object's type. The field's type gives the QOM type,
/// and the type's `Default` the documented default.
///
/// `property!(IsaSerial, "iobase", iobase: u32, "first I/O port")`; a leading `live` allows changes
/// after realize, a leading `read` makes it read-only.
#[macro_export]
macro_rules! property {
    (@make $object:ty, $name:literal, $field:ident: $type:ty, $text:literal, $set:expr, $live:expr) => {
        $crate::object::Property {
            name: $name,
            kind: <$type as $crate::object::PropertyValue>::KIND,
            description: $text,
            default: |_| {
                let object = <$object as ::core::default::Default>::default();
                $crate::object::PropertyValue::to_default(&object.$field)
            },
            get: Some(|object, _| {
                let object = $crate::object::downcast::<$object>(object);
                Ok($crate::object::PropertyValue::to_value(&object.$field))
            }),
            set: $set,
            live: $live,
        }
    };
    (@set $object:ty, $field:ident) => {
        Some(|object, name, value| {
            let value = $crate::object::PropertyValue::from_value(name, value)?;
            $crate::object::downcast_mut::<$object>(object).$field = value;
            Ok(())
        })
    };
    (live $object:ty, $name:literal, $field:ident: $type:ty, $text:literal) => {
        $crate::property!(@make $object, $name, $field: $type, $text,
            $crate::property!(@set $object, $field), true)
    };
    (read $object:ty, $name:literal, $field:ident: $type:ty, $text:literal) => {
        $crate::property!(@make $object, $name, $field: $type, $text, None, false)
    };
    ($object:ty, $name:literal, $field:ident: $type:ty, $text:literal) => {
        $crate::property!(@make $object, $name, $field: $type, $text,
            $crate::property!(@set $object, $field), false)
    };
}

/// A Rust type that can be a property.
pub trait PropertyValue: Sized {
    /// The name of the type in QOM.
    const KIND: &'static str;
    /// As the monitor shows it.
    fn to_value(&self) -> Value;
    /// From a monitor's value or, as text, from the command line.
    ///
    /// # Errors
    /// The value is of another kind or out of range; the text names the property.
    fn from_value(name: &str, value: Value) -> Result<Self>;
    /// The documented default, if there is one.
    fn to_default(&self) -> Option<Value> {
        Some(self.to_value())
    }
}

fn wrong_kind(name: &str, expected: &str) -> Error {
    Error::message(format!("Invalid parameter type for '{name}', expected: {expected}"))
}

impl PropertyValue for bool {
    const KIND: &'static str = "bool";
    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
    fn from_value(name: &str, value: Value) -> Result<Self> {
        match value {
            Value::Bool(value) => Ok(value),
            Value::String(text) => match text.as_str() {
                "on" | "yes" | "true" | "y" => Ok(true),
                "off" | "no" | "false" | "n" => Ok(false),
                _ => Err(Error::message(format!("Parameter '{name}' expects 'on' or 'off'"))),
            },
            _ => Err(wrong_kind(name, "boolean")),
        }
    }
}

/// Parses C notation: `0x` hexadecimal, leading `0` octal, else decimal, with a sign.
fn parse_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (16, hex),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
    Some(if negative { -value } else { value })
}

macro_rules! integer {
    ($($type:ty => $kind:literal, $range:literal;)*) => {$(
        impl PropertyValue for $type {
            const KIND: &'static str = $kind;
            fn to_value(&self) -> Value {
                match i64::try_from(*self) {
                    Ok(value) => Value::Int(value),
                    Err(_) => Value::Uint(*self as u64),
                }
            }
            fn from_value(name: &str, value: Value) -> Result<Self> {
                let number = match &value {
                    Value::Int(number) => i128::from(*number),
                    Value::Uint(number) => i128::from(*number),
                    Value::String(text) => parse_integer(text)
                        .ok_or_else(|| qapi::Error::expects(name, "integer"))?,
                    _ => return Err(wrong_kind(name, "integer")),
                };
                <$type>::try_from(number)
                    .map_err(|_| Error::message(format!("Parameter '{name}' expects {}", $range)))
            }
        }
    )*};
}

integer! {
    u8 => "uint8", "uint8_t";
    u16 => "uint16", "uint16_t";
    u32 => "uint32", "uint32_t";
    u64 => "uint64", "uint64";
    i32 => "int32", "int32_t";
    i64 => "int", "int64";
}

impl PropertyValue for String {
    const KIND: &'static str = "str";
    fn to_value(&self) -> Value {
        Value::String(self.clone())
    }
    fn from_value(name: &str, value: Value) -> Result<Self> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(wrong_kind(name, "string")),
        }
    }
}

/// An unset value shows as the empty string or as all ones, has no documented default, and cannot
/// be set back.
impl<T: PropertyValue + Unset> PropertyValue for Option<T> {
    const KIND: &'static str = T::KIND;
    fn to_value(&self) -> Value {
        self.as_ref().map_or_else(T::unset, PropertyValue::to_value)
    }
    fn from_value(name: &str, value: Value) -> Result<Self> {
        T::from_value(name, value).map(Some)
    }
    fn to_default(&self) -> Option<Value> {
        self.as_ref().and_then(PropertyValue::to_default)
    }
}

/// How an unset property is shown.
pub trait Unset {
    /// The value shown.
    fn unset() -> Value;
}

impl Unset for String {
    fn unset() -> Value {
        Value::String(String::new())
    }
}

impl Unset for u32 {
    fn unset() -> Value {
        Value::Int(i64::from(u32::MAX))
    }
}

/// A choice that may be left to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnOffAuto {
    /// Forced on.
    On,
    /// Forced off.
    Off,
    /// As it fits.
    #[default]
    Auto,
}

impl PropertyValue for OnOffAuto {
    const KIND: &'static str = "OnOffAuto";
    fn to_value(&self) -> Value {
        Value::String(match self {
            Self::On => "on".into(),
            Self::Off => "off".into(),
            Self::Auto => "auto".into(),
        })
    }
    fn from_value(name: &str, value: Value) -> Result<Self> {
        match value {
            Value::String(text) => match text.as_str() {
                "on" => Ok(Self::On),
                "off" => Ok(Self::Off),
                "auto" => Ok(Self::Auto),
                _ => Err(Error::message(format!(
                    "Parameter '{name}' does not accept value '{text}'"
                ))),
            },
            _ => Err(wrong_kind(name, "string")),
        }
    }
}

/// Refuses a monitor's value whose JSON kind does not fit the property's type. The command line,
/// where everything is text, does not go through here.
pub(super) fn check_json_kind(property: &Property, value: &Value) -> Result<()> {
    let (fits, expected) = match property.kind {
        "bool" => (matches!(value, Value::Bool(_)), "boolean"),
        "uint8" | "uint16" | "uint32" | "uint64" | "int32" | "int" | "size" => {
            (matches!(value, Value::Int(_) | Value::Uint(_)), "integer")
        }
        _ => (matches!(value, Value::String(_)), "string"),
    };
    if fits { Ok(()) } else { Err(wrong_kind(property.name, expected)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::String(value.into())
    }

    #[test]
    fn numbers_come_in_c_notation_and_within_range() {
        assert_eq!(u32::from_value("x", text("0x3f8")).unwrap(), 0x3f8);
        assert_eq!(u32::from_value("x", text("010")).unwrap(), 8);
        assert_eq!(i32::from_value("x", text("-1")).unwrap(), -1);
        assert_eq!(u64::from_value("x", Value::Uint(u64::MAX)).unwrap(), u64::MAX);
        for bad in ["", "0x", "-", "1k", "--1", "0x-1"] {
            let error = u8::from_value("x", text(bad)).unwrap_err().to_string();
            assert_eq!(error, "Parameter 'x' expects integer", "{bad}");
        }
        for bad in ["256", "-1"] {
            let error = u8::from_value("x", text(bad)).unwrap_err().to_string();
            assert_eq!(error, "Parameter 'x' expects uint8_t", "{bad}");
        }
    }

    #[test]
    fn values_of_another_kind_are_named() {
        let error = u8::from_value("x", Value::Bool(true)).unwrap_err().to_string();
        assert_eq!(error, "Invalid parameter type for 'x', expected: integer");
        let error = bool::from_value("x", text("maybe")).unwrap_err().to_string();
        assert_eq!(error, "Parameter 'x' expects 'on' or 'off'");
        assert!(String::from_value("x", Value::Null).is_err());
        assert!(OnOffAuto::from_value("x", text("On")).is_err());
    }

    #[test]
    fn an_unset_option_has_no_default() {
        assert_eq!(None::<String>.to_value(), text(""));
        assert_eq!(None::<String>.to_default(), None);
        assert_eq!(Some(5u32).to_default(), Some(Value::Int(5)));
    }
}
