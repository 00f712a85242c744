//! The `addr` and `multifunction` properties, which every PCI device has.

use qapi::Value;

use crate::error::{Error, Result};
use crate::object::PropertyValue;

/// Where a device is to be on its bus: device times 8 plus function, or unset for the first free
/// device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Address(pub Option<u8>);

impl Address {
    /// As the monitor shows it: -1 while unset.
    pub fn to_value(self) -> Value {
        Value::Int(self.0.map_or(-1, i64::from))
    }

    /// Device and function in hexadecimal, the function defaulting to 0: `1f.7`, `3`.
    fn parse(text: &str) -> Option<u8> {
        let (device, function) = text.split_once('.').unwrap_or((text, "0"));
        let hex = |text: &str| {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| plain)
        };
        let (device, function) = (hex(device)?, hex(function)?);
        (device < 32 && function < 8).then_some(device << 3 | function)
    }
}

/// The address that a property `name` of `class` is set to: text as on the command line, or the
/// number that the monitor shows.
///
/// # Errors
/// The value names no place on a bus.
pub fn set_address(class: &str, name: &str, value: Value) -> Result<Address> {
    let wrong = |value: &dyn std::fmt::Display| {
        Error::message(format!("Property '{class}.{name}' doesn't take value '{value}'"))
    };
    match value {
        Value::String(text) => {
            Address::parse(&text).map(|devfn| Address(Some(devfn))).ok_or_else(|| wrong(&text))
        }
        Value::Int(-1) => Ok(Address(None)),
        other => u8::from_value(name, other).map(|devfn| Address(Some(devfn))),
    }
}

/// The properties of a PCI device's class: `addr` and `multifunction`, kept in fields of these
/// names and of the types [`Address`] and `bool`, and then the class's own.
///
/// `pci_properties!(Rng, "virtio-rng-pci", property!(…), …)`.
#[macro_export]
macro_rules! pci_properties {
    ($object:ty, $class:literal $(, $own:expr)* $(,)?) => {
        &[
            $crate::object::Property {
                name: "addr",
                kind: "int32",
                description: "Slot and optional function number, example: 06.0 or 06",
                default: |_| Some($crate::pci::Address::default().to_value()),
                get: Some(|object, _| Ok($crate::object::downcast::<$object>(object).addr.to_value())),
                set: Some(|object, name, value| {
                    let address = $crate::pci::set_address($class, name, value)?;
                    $crate::object::downcast_mut::<$object>(object).addr = address;
                    Ok(())
                }),
                live: false,
            },
            $crate::property!($object, "multifunction", multifunction: bool, "on/off"),
            $($own),*
        ]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_device_and_function_in_hexadecimal() {
        let set = |text: &str| set_address("x", "addr", Value::String(text.into()));
        for (text, devfn) in [("1f.7", 0xff), ("0x1f.0", 0xf8), ("3", 0x18), ("00.0", 0)] {
            assert_eq!(set(text).unwrap(), Address(Some(devfn)), "{text}");
        }
        for text in ["", "zz", "20", "1.8", "-1", "+1", "3.0.0", "1.", ".1", "256", "0x0x1"] {
            let error = set(text).unwrap_err().to_string();
            assert_eq!(error, format!("Property 'x.addr' doesn't take value '{text}'"));
        }
        assert_eq!(set_address("x", "addr", Value::Int(11)).unwrap(), Address(Some(11)));
        assert_eq!(set_address("x", "addr", Value::Int(-1)).unwrap(), Address(None));
        assert!(set_address("x", "addr", Value::Int(256)).is_err());
        assert!(set_address("x", "addr", Value::Bool(true)).is_err());
    }
}
