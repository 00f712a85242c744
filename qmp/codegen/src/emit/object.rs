//! Structures, and the arguments of commands and events.

use super::names::snake;
use super::{docs, field_type, info, member_docs};
use crate::model::{Entity, Field, Fields, Kind, Schema, Ty};
use std::fmt::Write;

/// Writes a structure called `rust`.
pub(super) fn emit(
    text: &mut String,
    schema: &Schema,
    entity: &Entity,
    fields: &Fields,
    rust: &str,
) {
    match entity.kind {
        Kind::Command(_) => {
            let _ = writeln!(text, "/// The arguments of `{}`.", entity.name);
        }
        Kind::Event(_) => {
            let _ = writeln!(text, "/// The data of `{}`.", entity.name);
        }
        _ => docs(text, "///", &entity.doc.body),
    }
    let derive = if has_default(schema, fields) { ", Default" } else { "" };
    let _ = writeln!(text, "#[derive(Clone, Debug, PartialEq{derive})]\npub struct {rust} {{");
    if let Some(base) = &fields.base {
        let _ = writeln!(text, "/// The members of `{base}`.\npub base: {base},");
    }
    for field in &fields.own {
        emit_field(text, schema, entity, field, rust);
    }
    let base = fields.base.as_deref();
    let _ = writeln!(
        text,
        "}}

        pub(super) static {info}: qapi::info::ObjectInfo = qapi::info::ObjectInfo {{
            name: {name:?},
            base: {base},
            members: {members},
            tag: None,
            variants: &[],
            features: {features},
        }};

        impl qapi::decode::Object for {rust} {{
            const INFO: &'static qapi::info::ObjectInfo = &{info};

            fn read({from}: &mut qapi::decode::Members<'_>) -> Result<{rust}, qapi::Error> {{
                Ok({rust} {{ {takes} }})
            }}
        }}

        impl qapi::encode::WriteObject for {rust} {{
            fn write(self, {to}: &mut qapi::encode::Writer<'_>) {{
                {puts}
            }}
        }}
        ",
        info = info::static_name(rust),
        name = entity.name,
        base = base.map_or("None".to_owned(), |base| format!("Some({})", info::of(schema, base))),
        members = info::members(schema, fields.own.iter()),
        features = features(entity),
        from = if base.is_none() && fields.own.is_empty() { "_" } else { "from" },
        to = if base.is_none() && fields.own.is_empty() { "_" } else { "to" },
        takes = base.map_or(String::new(), |_| "base: from.take_flat()?,".to_owned())
            + &fields.own.iter().map(take).collect::<String>(),
        puts = base.map_or(String::new(), |_| "to.put_flat(self.base);".to_owned())
            + &fields
                .own
                .iter()
                .map(|field| put(field, &format!("self.{}", snake(&field.name))))
                .collect::<String>(),
    );
    whole(text, rust);
}

/// The features of a type; those of a command or event belong to itself.
fn features(entity: &Entity) -> String {
    match entity.kind {
        Kind::Command(_) | Kind::Event(_) => "&[]".to_owned(),
        _ => info::strings(&entity.features),
    }
}

/// Decoding and encoding of a whole object.
pub(super) fn whole(text: &mut String, rust: &str) {
    let _ = writeln!(
        text,
        "impl qapi::Decode for {rust} {{
            fn decode(value: qapi::Value, at: &qapi::decode::At<'_>) -> Result<{rust}, qapi::Error> {{
                qapi::decode::object(value, at)
            }}
        }}

        impl qapi::Encode for {rust} {{
            fn encode(self) -> qapi::Value {{
                qapi::Value::Dict(qapi::encode::object(self))
            }}
        }}
        "
    );
}

/// Writes the declaration of a member.
pub(super) fn emit_field(
    text: &mut String,
    schema: &Schema,
    entity: &Entity,
    field: &Field,
    owner: &str,
) {
    // Members that stand here on behalf of a base are documented there.
    let own = entity.doc.member(&field.name);
    member_docs(text, own.unwrap_or(&[format!("See the base's `{}`.", field.name)]));
    let ty = field_type(schema, owner, field);
    let name = snake(&field.name);
    let _ = if field.optional {
        writeln!(text, "pub {name}: Option<{ty}>,")
    } else {
        writeln!(text, "pub {name}: {ty},")
    };
}

/// The initialiser of a member from what is being decoded.
pub(super) fn take(field: &Field) -> String {
    format!("{}: {},", snake(&field.name), take_value(field))
}

/// The expression that takes a member's value.
pub(super) fn take_value(field: &Field) -> String {
    match (&field.ty, field.optional) {
        (Ty::Builtin("size"), false) => "from.take::<qapi::Size>()?.0",
        (Ty::Builtin("size"), true) => "from.take_optional::<qapi::Size>()?.map(|size| size.0)",
        (_, false) => "from.take()?",
        (_, true) => "from.take_optional()?",
    }
    .to_owned()
}

/// The statement that writes a member.
pub(super) fn put(field: &Field, value: &str) -> String {
    if field.optional { format!("to.put_optional({value});") } else { format!("to.put({value});") }
}

/// Whether nothing in a structure must be given.
fn has_default(schema: &Schema, fields: &Fields) -> bool {
    schema.all_fields(fields).iter().all(|field| field.optional)
}
