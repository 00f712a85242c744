//! Enumerations.

use super::names::camel;
use super::{docs, info, member_docs};
use crate::model::Entity;
use std::fmt::Write;

/// Writes an enumeration.
pub(super) fn emit(text: &mut String, entity: &Entity, values: &[(String, Vec<String>)]) {
    let name = &entity.name;
    docs(text, "///", &entity.doc.body);
    let _ =
        writeln!(text, "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum {name} {{");
    for (value, _) in values {
        member_docs(text, entity.doc.member(value).unwrap_or_default());
        let _ = writeln!(text, "{},", camel(value));
    }
    let variants: String =
        values.iter().map(|(value, _)| format!("{name}::{},", camel(value))).collect();
    let arms: String =
        values.iter().map(|(value, _)| format!("{name}::{} => {value:?},", camel(value))).collect();
    // An enumeration without values has nothing to match on.
    let body = if values.is_empty() {
        "match self {}".to_owned()
    } else {
        format!("match self {{ {arms} }}")
    };
    let _ = writeln!(
        text,
        "}}

        impl {name} {{
            /// Its descriptor.
            pub const INFO: &'static qapi::info::EnumInfo = &{info};
            /// Every value, in the order of the schema.
            pub const ALL: &'static [{name}] = &[{variants}];

            /// The value on the wire.
            pub fn as_str(self) -> &'static str {{
                {body}
            }}
        }}

        impl std::fmt::Display for {name} {{
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{
                f.write_str(self.as_str())
            }}
        }}

        impl std::str::FromStr for {name} {{
            type Err = qapi::UnknownName;

            fn from_str(text: &str) -> Result<{name}, qapi::UnknownName> {{
                let known = {name}::ALL.iter().copied().find(|value| value.as_str() == text);
                known.ok_or(qapi::UnknownName)
            }}
        }}

        impl qapi::Decode for {name} {{
            fn decode(value: qapi::Value, at: &qapi::decode::At<'_>) -> Result<{name}, qapi::Error> {{
                qapi::decode::enumeration(value, at)
            }}
        }}

        impl qapi::Encode for {name} {{
            fn encode(self) -> qapi::Value {{
                qapi::Value::from(self.as_str())
            }}
        }}

        pub(super) static {info}: qapi::info::EnumInfo = qapi::info::EnumInfo {{
            name: {name:?},
            values: &[{described}],
            features: {features},
        }};
        ",
        info = info::static_name(name),
        described = values
            .iter()
            .map(|(value, features)| {
                let features = info::strings(features);
                format!("qapi::info::EnumValue {{ name: {value:?}, features: {features} }},")
            })
            .collect::<String>(),
        features = info::strings(&entity.features),
    );
}
