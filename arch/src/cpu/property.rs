//! Properties of a CPU object that are not features: their types, ranges and values.

use super::error::Error;
use super::features::{aliases, feature_names};
use super::property_table::PROPERTIES;

/// A value in the recorded table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Initial {
    Bool(bool),
    Int(i128),
    Str(&'static str),
}

/// A row of the recorded table.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: &'static str,
    /// The type in QOM's words.
    pub(super) kind: &'static str,
    pub(super) default: Option<Initial>,
    /// The value in the full expansion of `base`; `None` if the expansion leaves it out.
    pub(super) expanded: Option<Initial>,
    pub(super) description: &'static str,
}

/// A property's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `bool`.
    Bool(bool),
    /// Any of the integer types; within the range of `i64` and `u64` together.
    Int(i128),
    /// `string`, `str`, an enumeration's member or a link's path.
    Str(String),
}

impl From<Initial> for Value {
    fn from(value: Initial) -> Value {
        match value {
            Initial::Bool(b) => Value::Bool(b),
            Initial::Int(i) => Value::Int(i),
            Initial::Str(s) => Value::Str(s.to_owned()),
        }
    }
}

/// What the listing commands say about a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuProperty {
    /// Its name.
    pub name: &'static str,
    /// Its type in QOM's words (`bool`, `uint32`, `string`…).
    pub kind: &'static str,
    /// The value without any setting, where the listing tells one.
    pub default: Option<Value>,
    /// A few words, often empty.
    pub description: &'static str,
    /// Whether `device-list-properties` shows it too (`qom-list-properties` shows all).
    pub of_device: bool,
}

/// Every property of the CPU classes, sorted by name. `max` and `host` have two that others lack:
/// `of_max` asks for those as well.
pub fn properties(of_max: bool) -> Vec<CpuProperty> {
    let feature =
        |name| CpuProperty { name, kind: "bool", default: None, description: "", of_device: true };
    let hidden = ["type", "parent_bus", "realized", "hotplugged", "hotpluggable"];
    let mut list: Vec<_> = PROPERTIES
        .iter()
        .filter(|p| of_max || !only_of_max(p.name))
        .map(|p| CpuProperty {
            name: p.name,
            kind: p.kind,
            default: p.default.map(Value::from),
            description: p.description,
            of_device: !hidden.contains(&p.name) && !p.name.starts_with("legacy-"),
        })
        .chain(feature_names().into_iter().map(feature))
        .chain(aliases().iter().map(|(alias, _)| feature(alias)))
        .collect();
    list.sort_by_key(|p| p.name);
    list
}

/// Properties that follow the host and so exist only where the model does.
pub(super) fn only_of_max(name: &str) -> bool {
    matches!(name, "migratable" | "host-cache-info")
}

pub(super) fn table() -> &'static [Property] {
    PROPERTIES
}

pub(super) fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES.binary_search_by_key(&name, |p| p.name).ok().map(|at| &PROPERTIES[at])
}

/// Why a property can have no value but its default here; `None` if it can.
pub(super) fn fixed(name: &str) -> Option<&'static str> {
    match name {
        n if n.starts_with("hv-") || n.starts_with("x-hv-") => {
            Some("there are no Hyper-V enlightenments")
        }
        "lmce" => Some("machine check banks are not shown to guests"),
        "lbr-fmt" | "lbr_fmt" => Some("last branch records are not shown to guests"),
        "apic-id" | "socket-id" | "die-id" | "core-id" | "thread-id" | "node-id" => {
            Some("it follows from the topology")
        }
        "memory" | "realized" | "start-powered-off" => Some("the machine decides it"),
        "kvm-pv-enforce-cpuid" => Some("KVM answers all its interfaces"),
        "fill-mtrr-mask" | "kvm-no-smi-migration" | "x-migrate-smi-count" => {
            Some("it is for the migration stream of another program")
        }
        "x-intel-pt-auto-level" | "x-vendor-cpuid-only" => {
            Some("it is for machines of older versions")
        }
        _ => None,
    }
}

impl Property {
    /// Whether the property only tells.
    pub(super) fn read_only(&self) -> bool {
        matches!(
            self.name,
            "crash-information"
                | "feature-words"
                | "filtered-features"
                | "unavailable-features"
                | "type"
                | "hotplugged"
                | "hotpluggable"
                | "legacy-memory"
                | "parent_bus"
        )
    }

    /// Least and greatest value of an integer property, and the name of its C type.
    fn range(&self) -> Option<(i128, i128, &'static str)> {
        Some(match (self.name, self.kind) {
            ("family", _) => (0, 0xff + 0xf, "int64"),
            ("model", _) => (0, 0xff, "int64"),
            ("stepping", _) => (0, 0xf, "int64"),
            ("tsc-frequency", _) => (0, i64::MAX.into(), "int64"),
            (_, "uint8") => (0, u8::MAX.into(), "uint8_t"),
            (_, "uint16") => (0, u16::MAX.into(), "uint16_t"),
            (_, "uint32") => (0, u32::MAX.into(), "uint32_t"),
            (_, "uint64") => (0, u64::MAX.into(), "uint64"),
            (_, "int32") => (i32::MIN.into(), i32::MAX.into(), "int32_t"),
            _ => return None,
        })
    }

    /// Checks a value that came with its own type.
    pub(super) fn check(&self, value: &Value) -> Result<(), Error> {
        let wrong = |expected| Err(Error::Kind(self.name.to_owned(), expected));
        match (value, self.range()) {
            (Value::Int(number), Some((least, greatest, c_type))) => {
                if (least..=greatest).contains(number) {
                    Ok(())
                } else if self.kind == "int" {
                    Err(Error::Range(self.name.to_owned(), *number, least, greatest))
                } else {
                    Err(Error::Expects(self.name.to_owned(), c_type))
                }
            }
            (_, Some(_)) => wrong("integer"),
            (Value::Bool(_), None) if self.kind == "bool" => Ok(()),
            (_, None) if self.kind == "bool" => wrong("boolean"),
            (Value::Str(text), None) => self.check_text(text),
            (_, None) => wrong("string"),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), Error> {
        match self.kind {
            "OnOffAuto" if !matches!(text, "on" | "off" | "auto") => {
                Err(Error::NotAccepted(self.name.to_owned(), text.to_owned()))
            }
            _ if self.name == "vendor" && text.len() != 12 => Err(Error::Vendor(text.to_owned())),
            _ => Ok(()),
        }
    }

    /// Reads a value from the command line.
    pub(super) fn parse(&self, text: &str) -> Result<Value, Error> {
        let expects = |what| Err(Error::Expects(self.name.to_owned(), what));
        let value = if self.kind == "bool" {
            Value::Bool(parse_bool(self.name, text)?)
        } else if let Some((least, ..)) = self.range() {
            // Unsigned texts may be negative and wrap, as strtoull lets them.
            let unsigned = self.kind.starts_with("uint");
            match parse_integer(text) {
                Some(n) if unsigned && n < 0 => Value::Int(n + (1 << 64)),
                Some(n) if unsigned || i64::try_from(n).is_ok() => Value::Int(n),
                _ if unsigned && least == 0 => return expects("uint64"),
                _ => return expects("int64"),
            }
        } else {
            Value::Str(text.to_owned())
        };
        self.check(&value)?;
        Ok(value)
    }
}

/// `on` and `off` in the spellings the command line knows.
pub(super) fn parse_bool(name: &str, text: &str) -> Result<bool, Error> {
    match text {
        "on" | "yes" | "true" | "y" => Ok(true),
        "off" | "no" | "false" | "n" => Ok(false),
        _ => Err(Error::Expects(name.to_owned(), "'on' or 'off'")),
    }
}

/// A C integer (decimal, 0x, or octal with a leading 0) of at most 64 bits.
fn parse_integer(text: &str) -> Option<i128> {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = match hex {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    match negative {
        true if magnitude > 1 << 63 => None,
        true => Some(-magnitude),
        false => Some(magnitude),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, text: &str) -> Result<Value, String> {
        find(name).unwrap().parse(text).map_err(|e| e.to_string())
    }

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(PROPERTIES.is_sorted_by_key(|p| p.name));
        assert!(find("family").is_some() && find("sse").is_none());
    }

    #[test]
    fn integers_in_every_base_and_range() {
        assert_eq!(parse("family", "0x10"), Ok(Value::Int(16)));
        assert_eq!(parse("family", "010"), Ok(Value::Int(8)));
        assert_eq!(parse("family", " 5"), Ok(Value::Int(5)));
        assert_eq!(parse("ucode-rev", "-1"), Ok(Value::Int(u64::MAX.into())));
        for text in ["", "x", "1k", "5.0", "--5", "99999999999999999999"] {
            assert_eq!(parse("family", text), Err("Parameter 'family' expects int64".into()));
        }
        assert_eq!(
            parse("family", "300"),
            Err("Property .family doesn't take value 300 (minimum: 0, maximum: 270)".into())
        );
        assert_eq!(parse("level", "zz"), Err("Parameter 'level' expects uint64".into()));
        assert_eq!(parse("level", "-1"), Err("Parameter 'level' expects uint32_t".into()));
        assert_eq!(
            parse("node-id", "99999999999"),
            Err("Parameter 'node-id' expects int32_t".into())
        );
    }

    #[test]
    fn texts_and_switches() {
        assert_eq!(parse("check", "y"), Ok(Value::Bool(true)));
        assert_eq!(parse("check", "1"), Err("Parameter 'check' expects 'on' or 'off'".into()));
        assert_eq!(
            parse("vendor", "abc"),
            Err("Property '.vendor' doesn't take value 'abc'".into())
        );
        assert_eq!(parse("vendor", "AuthenticAMD"), Ok(Value::Str("AuthenticAMD".into())));
        let family = find("family").unwrap();
        let error = family.check(&Value::Str("x".into())).unwrap_err();
        assert_eq!(error.to_string(), "Invalid parameter type for 'family', expected: integer");
    }

    #[test]
    fn listings_differ_between_models_and_commands() {
        let names = |of_max| properties(of_max).iter().map(|p| p.name).collect::<Vec<_>>();
        assert!(names(true).contains(&"migratable") && !names(false).contains(&"migratable"));
        let list = properties(false);
        let of = |name| list.iter().find(|p| p.name == name).unwrap();
        assert!(!of("legacy-cache").of_device && !of("type").of_device && of("sse4_1").of_device);
        assert_eq!(of("check").default, Some(Value::Bool(true)));
    }
}
