//! Alternates: an enumeration whose variant the kind of the JSON value selects.

use super::names::camel;
use super::{docs, info, member_docs, rust_type};
use crate::model::{BUILTINS, Entity, Kind, Schema, Ty};
use std::fmt::Write;

/// The kind of JSON value that selects a branch of this type; `None` if none is its own.
pub(crate) fn kind(schema: &Schema, ty: &Ty) -> Option<&'static str> {
    match ty {
        Ty::List(_) => Some("List"),
        Ty::Named(name) => match schema.get(name).map(|entity| &entity.kind)? {
            Kind::Enum(_) => Some("String"),
            Kind::Struct(_) | Kind::Union { .. } => Some("Dict"),
            _ => None,
        },
        Ty::Builtin(name) => {
            let known = BUILTINS.iter().find(|(known, ..)| known == name);
            match known.map(|(_, _, kind)| *kind)? {
                "Str" => Some("String"),
                "Int" | "Number" => Some("Number"),
                "Bool" => Some("Bool"),
                "Null" => Some("Null"),
                _ => None,
            }
        }
    }
}

/// Writes an alternate.
pub(crate) fn emit(text: &mut String, schema: &Schema, entity: &Entity, branches: &[(String, Ty)]) {
    let name = &entity.name;
    docs(text, "///", &entity.doc.body);
    let _ = writeln!(text, "#[derive(Clone, Debug, PartialEq)]\npub enum {name} {{");
    let mut kinds = String::new();
    let mut decodes = String::new();
    let mut encodes = String::new();
    let mut choices = String::new();
    for (branch, ty) in branches {
        member_docs(text, entity.doc.member(branch).unwrap_or_default());
        let variant = camel(branch);
        let rust = rust_type(ty);
        let _ = writeln!(text, "{variant}({rust}),");
        let kind = kind(schema, ty).unwrap_or_default();
        let _ = write!(kinds, "qapi::source::Kind::{kind},");
        let _ = write!(
            decodes,
            "Some(qapi::source::Kind::{kind}) => qapi::Decode::decode(value, at).map({name}::{variant}),"
        );
        let _ = write!(encodes, "{name}::{variant}(value) => qapi::Encode::encode(value),");
        let _ = write!(choices, "{},", info::ty(schema, ty));
    }
    let _ = writeln!(
        text,
        "}}

        impl {name} {{
            /// Its descriptor.
            pub const INFO: &'static qapi::info::AlternateInfo = &{info};
        }}

        pub(super) static {info}: qapi::info::AlternateInfo = qapi::info::AlternateInfo {{
            name: {name:?},
            choices: &[{choices}],
            features: {features},
        }};

        impl qapi::Decode for {name} {{
            fn decode(value: qapi::Value, at: &qapi::decode::At<'_>) -> Result<{name}, qapi::Error> {{
                match at.branch(&value, &[{kinds}]) {{
                    {decodes}
                    _ => Err(at.no_branch({name:?})),
                }}
            }}
        }}

        impl qapi::Encode for {name} {{
            fn encode(self) -> qapi::Value {{
                match self {{ {encodes} }}
            }}
        }}
        ",
        info = info::static_name(name),
        features = info::strings(&entity.features),
    );
}
