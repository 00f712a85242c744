//! The types of the clock's own properties.

use qapi::Value;

use crate::error::{Error, Result};
use crate::object::PropertyValue;

/// Makes an enumeration a property: its names are the values.
macro_rules! choice {
    ($type:ty, $kind:literal, $($name:literal => $variant:path),+) => {
        impl PropertyValue for $type {
            const KIND: &'static str = $kind;

            fn to_value(&self) -> Value {
                match self {
                    $($variant => $name.into(),)+
                }
            }

            fn from_value(name: &str, value: Value) -> Result<Self> {
                match value.as_str() {
                    $(Some($name) => Ok($variant),)+
                    Some(other) => Err(Error::message(format!(
                        "Parameter '{name}' does not accept value '{other}'"
                    ))),
                    None => Err(Error::message(format!(
                        "Invalid parameter type for '{name}', expected: string"
                    ))),
                }
            }
        }
    };
}

/// What becomes of periodic interrupts that the guest is too late for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LostTickPolicy {
    /// They are lost.
    #[default]
    Discard,
    /// They are delivered one by one as the guest reads register C.
    Slew,
}

choice!(LostTickPolicy, "LostTickPolicy", "discard" => Self::Discard, "slew" => Self::Slew);

/// Which clock is behind the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Source {
    /// The host's date and time.
    #[default]
    Host,
    /// The host's date and time at the start, then a clock that never jumps.
    RealTime,
    /// The same, then the machine's own time.
    Virtual,
}

choice!(Source, "str", "host" => Self::Host, "rt" => Self::RealTime, "vm" => Self::Virtual);
