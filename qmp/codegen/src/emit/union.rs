//! Unions: an enumeration of the branches; if there are common members beside the tag, inside a structure of those.

use super::names::{camel, snake};
use super::{docs, info, member_docs, object};
use crate::model::{Entity, Field, Fields, Kind, Schema};
use std::fmt::Write;

/// Whether the tag is the only common member, so that the union is just an enumeration.
pub(super) fn is_plain(fields: &Fields) -> bool {
    fields.base.is_none() && fields.own.len() == 1
}

/// A branch: the value of the tag, and the structure that adds members.
type Branch<'a> = (&'a str, Option<&'a str>);

/// Writes a union.
pub(super) fn emit(
    text: &mut String,
    schema: &Schema,
    entity: &Entity,
    fields: &Fields,
    tag: &str,
    branches: &[(String, String)],
) {
    let all = schema.all_fields(fields);
    let Some(tag_field) = all.iter().find(|field| field.name == tag) else {
        return;
    };
    let tag_type = tag_field.ty.named().unwrap_or_default();
    let branches: Vec<Branch<'_>> = schema
        .enum_values(tag_type)
        .unwrap_or_default()
        .into_iter()
        .map(|case| {
            let branch = branches.iter().find(|(known, _)| known == case);
            (case, branch.map(|(_, name)| name.as_str()))
        })
        .collect();
    let plain = is_plain(fields);
    let name = &entity.name;
    let variant = if plain { name.clone() } else { format!("{name}Variant") };
    if !plain {
        emit_struct(text, schema, entity, &all, tag);
    }
    emit_enum(text, schema, entity, &branches, &variant, tag_type, plain);
    emit_info(text, schema, entity, &all, tag, &branches);
    let cases: String =
        branches.iter().map(|branch| read_arm(branch, &variant, tag_type)).collect();
    let writes: String = branches.iter().map(|branch| write_arm(branch, &variant)).collect();
    let (takes, puts) = members(&all, tag, tag_type, plain);
    let chosen = format!("match tag {{ {cases} }}");
    let (result, subject) = if plain {
        (format!("Ok({chosen})"), "self")
    } else {
        (
            format!("let variant = {chosen}; Ok({name} {{ {} variant }})", names(&all, tag)),
            "self.variant",
        )
    };
    let _ = writeln!(
        text,
        "impl qapi::decode::Object for {name} {{
            const INFO: &'static qapi::info::ObjectInfo = &{info};

            fn read(from: &mut qapi::decode::Members<'_>) -> Result<{name}, qapi::Error> {{
                {takes}
                {result}
            }}
        }}

        impl qapi::encode::WriteObject for {name} {{
            fn write(self, to: &mut qapi::encode::Writer<'_>) {{
                {puts}
                match {subject} {{ {writes} }}
            }}
        }}
        ",
        info = info::static_name(name),
    );
    object::whole(text, name);
}

/// The structure of the common members.
fn emit_struct(text: &mut String, schema: &Schema, entity: &Entity, all: &[&Field], tag: &str) {
    docs(text, "///", &entity.doc.body);
    let _ = writeln!(text, "#[derive(Clone, Debug, PartialEq)]\npub struct {} {{", entity.name);
    for field in all.iter().filter(|field| field.name != tag) {
        object::emit_field(text, schema, entity, field, &entity.name);
    }
    let _ = writeln!(
        text,
        "/// `{tag}`, and the members that depend on it.\npub variant: {}Variant,\n}}\n",
        entity.name
    );
}

/// The enumeration of the branches.
fn emit_enum(
    text: &mut String,
    schema: &Schema,
    entity: &Entity,
    branches: &[Branch<'_>],
    variant: &str,
    tag_type: &str,
    plain: bool,
) {
    if plain {
        docs(text, "///", &entity.doc.body);
    } else {
        let _ = writeln!(text, "/// The variants of [`{}`].", entity.name);
    }
    let _ = writeln!(
        text,
        "#[allow(clippy::large_enum_variant, reason = \"these values are few and short-lived\")]
        #[derive(Clone, Debug, PartialEq)]\npub enum {variant} {{"
    );
    for (case, branch) in branches {
        let said = match schema.get(tag_type) {
            Some(tag) => tag.doc.member(case).unwrap_or_default(),
            None => &[],
        };
        member_docs(text, said);
        let _ = match branch {
            Some(branch) => writeln!(text, "{}({branch}),", camel(case)),
            None => writeln!(text, "{},", camel(case)),
        };
    }
    let arms: String = branches
        .iter()
        .map(|(case, branch)| {
            let rest = if branch.is_some() { "(_)" } else { "" };
            format!("{variant}::{case}{rest} => {tag_type}::{case},", case = camel(case))
        })
        .collect();
    let _ = writeln!(
        text,
        "}}

        impl {variant} {{
            /// Which variant this is.
            pub fn tag(&self) -> {tag_type} {{
                match self {{ {arms} }}
            }}
        }}
        "
    );
}

/// The descriptor.
fn emit_info(
    text: &mut String,
    schema: &Schema,
    entity: &Entity,
    all: &[&Field],
    tag: &str,
    branches: &[Branch<'_>],
) {
    let variants: String = branches
        .iter()
        .map(|(case, branch)| {
            let object = branch
                .map_or("None".to_owned(), |branch| format!("Some({})", info::of(schema, branch)));
            format!("qapi::info::Variant {{ case: {case:?}, object: {object} }},")
        })
        .collect();
    debug_assert!(matches!(entity.kind, Kind::Union { .. }));
    let _ = writeln!(
        text,
        "pub(super) static {info}: qapi::info::ObjectInfo = qapi::info::ObjectInfo {{
            name: {name:?},
            base: None,
            members: {members},
            tag: Some({tag:?}),
            variants: &[{variants}],
            features: {features},
        }};
        ",
        info = info::static_name(&entity.name),
        name = entity.name,
        members = info::members(schema, all.iter().copied()),
        features = info::strings(&entity.features),
    );
}

/// Decoding of one branch.
fn read_arm((case, branch): &Branch<'_>, variant: &str, tag_type: &str) -> String {
    let case = camel(case);
    match branch {
        Some(_) => format!("{tag_type}::{case} => {variant}::{case}(from.take_flat()?),"),
        None => format!("{tag_type}::{case} => {variant}::{case},"),
    }
}

/// Encoding of one branch.
fn write_arm((case, branch): &Branch<'_>, variant: &str) -> String {
    let case = camel(case);
    match branch {
        Some(_) => format!("{variant}::{case}(members) => to.put_flat(members),"),
        None => format!("{variant}::{case} => {{}}"),
    }
}

/// Statements that take and put the common members, the tag among them, in the order of the schema.
fn members(all: &[&Field], tag: &str, tag_type: &str, plain: bool) -> (String, String) {
    let mut takes = String::new();
    let mut puts = String::new();
    for field in all {
        if field.name == tag {
            let _ = writeln!(takes, "let tag: {tag_type} = from.take()?;");
            puts.push_str(if plain {
                "to.put(self.tag());"
            } else {
                "to.put(self.variant.tag());"
            });
        } else {
            let name = snake(&field.name);
            let _ = writeln!(takes, "let {name} = {};", object::take_value(field));
            puts.push_str(&object::put(field, &format!("self.{name}")));
        }
    }
    (takes, puts)
}

/// The names of the common members other than the tag, as initialisers.
fn names(all: &[&Field], tag: &str) -> String {
    let others = all.iter().filter(|field| field.name != tag);
    others.map(|field| format!("{},", snake(&field.name))).collect()
}
