//! Descriptors: what the generated code says about types.

use super::names::{screaming, snake};
use crate::model::{Arguments, BUILTINS, Entity, Field, Kind, Schema, Ty};

/// The name of the static that describes a Rust type.
pub(super) fn static_name(rust: &str) -> String {
    screaming(rust)
}

/// The static that describes a definition, from anywhere in the generated code. Statics name each other directly, because the
/// descriptors of types that contain each other form cycles.
pub(crate) fn of(schema: &Schema, name: &str) -> String {
    let module = schema.get(name).map(|entity| &schema.modules[entity.module]);
    let module = module.map_or(String::new(), |module| snake(&module.name));
    format!("&super::{module}::{}", static_name(name))
}

/// The descriptor of a type.
pub(crate) fn ty(schema: &Schema, ty: &Ty) -> String {
    match ty {
        Ty::Builtin(name) => {
            let kind = BUILTINS.iter().find(|(known, ..)| known == name);
            let kind = kind.map_or("Any", |(_, _, kind)| kind);
            format!("qapi::info::TypeInfo::Builtin(qapi::info::Builtin::{kind})")
        }
        Ty::List(element) => format!("qapi::info::TypeInfo::List(&{})", self::ty(schema, element)),
        Ty::Named(name) => {
            let kind = match schema.get(name).map(|entity| &entity.kind) {
                Some(Kind::Enum(_)) => "Enum",
                Some(Kind::Alternate(_)) => "Alternate",
                _ => "Object",
            };
            format!("qapi::info::TypeInfo::{kind}({})", of(schema, name))
        }
    }
}

/// A list of strings.
pub(crate) fn strings(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("&[{}]", quoted.join(", "))
}

/// The descriptors of members.
pub(crate) fn members<'a>(schema: &Schema, fields: impl Iterator<Item = &'a Field>) -> String {
    let members = fields.map(|field| {
        format!(
            "qapi::info::Member {{ name: {:?}, ty: {}, optional: {}, features: {} }},",
            field.name,
            ty(schema, &field.ty),
            field.optional,
            strings(&field.features)
        )
    });
    format!("&[{}]", members.collect::<String>())
}

/// The descriptor of arguments.
pub(crate) fn arguments(
    schema: &Schema,
    entity: &Entity,
    arguments: &Arguments,
    open: bool,
) -> String {
    let kind = if open { "Open" } else { "Object" };
    match arguments {
        Arguments::None => "qapi::info::Arguments::None".to_owned(),
        Arguments::Named(name) => format!("qapi::info::Arguments::{kind}({})", of(schema, name)),
        Arguments::Inline(_) => {
            let module = snake(&schema.modules[entity.module].name);
            let rust = super::arguments_type(entity, arguments).unwrap_or_default();
            let name = static_name(&rust);
            format!("qapi::info::Arguments::{kind}(&super::{module}::{name})")
        }
    }
}
