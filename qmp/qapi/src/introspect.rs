//! Introspection: the schema as `query-qmp-schema` shows it, computed from the descriptors that decoding uses.
//!
//! As in QEMU, types other than those of the language lose their names: an enumeration, object or alternate is called by
//! the number of its first use, an array `[ELEMENT]`, and `0` is the object without members.

use crate::info::{
    AlternateInfo, Arguments, Builtin, CommandInfo, EnumInfo, EventInfo, Member, ObjectInfo,
    TypeInfo, Variant,
};
use crate::{
    JSONType, SchemaInfo, SchemaInfoAlternate, SchemaInfoAlternateMember, SchemaInfoArray,
    SchemaInfoBuiltin, SchemaInfoCommand, SchemaInfoEnum, SchemaInfoEnumMember, SchemaInfoEvent,
    SchemaInfoObject, SchemaInfoObjectMember, SchemaInfoObjectVariant, SchemaInfoVariant, Value,
};
use std::collections::{HashMap, HashSet};

/// The object without members.
static EMPTY: ObjectInfo =
    ObjectInfo { name: "", base: None, members: &[], tag: None, variants: &[], features: &[] };

/// Describes commands and events, and then the types they use.
pub fn introspect(commands: &[CommandInfo], events: &[EventInfo]) -> Vec<SchemaInfo> {
    let mut walk = Walk::default();
    // The empty object gets its number first.
    walk.object(&EMPTY);
    let mut entries: Vec<SchemaInfo> = commands.iter().map(|known| walk.command(known)).collect();
    entries.extend(events.iter().map(|known| walk.event(known)));
    let mut next = 0;
    while let Some(&(ref name, ty)) = walk.used.get(next) {
        let name = name.clone();
        entries.push(walk.describe(name, ty));
        next += 1;
    }
    entries
}

/// The types met so far.
#[derive(Default)]
struct Walk {
    /// Numbers of descriptors, by their address.
    numbers: HashMap<usize, usize>,
    /// Names of types that are already in `used`.
    names: HashSet<String>,
    /// Types to be described, in the order they were met.
    used: Vec<(String, TypeInfo)>,
}

impl Walk {
    fn command(&mut self, command: &CommandInfo) -> SchemaInfo {
        let details = SchemaInfoCommand {
            arg_type: self.arguments(command.arguments),
            ret_type: match command.returns {
                Some(ty) => self.ty(ty),
                None => self.object(&EMPTY),
            },
            allow_oob: command.allow_oob.then_some(true),
        };
        entry(command.name, command.features, SchemaInfoVariant::Command(details))
    }

    fn event(&mut self, event: &EventInfo) -> SchemaInfo {
        let arg_type = self.arguments(event.arguments);
        let details = SchemaInfoEvent { arg_type };
        entry(event.name, event.features, SchemaInfoVariant::Event(details))
    }

    fn arguments(&mut self, arguments: Arguments) -> String {
        match arguments {
            Arguments::None => self.object(&EMPTY),
            Arguments::Object(object) | Arguments::Open(object) => self.object(object),
        }
    }

    fn object(&mut self, object: &'static ObjectInfo) -> String {
        self.ty(TypeInfo::Object(object))
    }

    /// The name that stands for a type, which is noted for description.
    fn ty(&mut self, ty: TypeInfo) -> String {
        let name = match ty {
            TypeInfo::Builtin(builtin) => builtin_name(builtin).to_owned(),
            TypeInfo::List(element) => format!("[{}]", self.ty(*element)),
            TypeInfo::Enum(info) => self.number(std::ptr::from_ref(info).addr()),
            TypeInfo::Alternate(info) => self.number(std::ptr::from_ref(info).addr()),
            TypeInfo::Object(info) => self.number(std::ptr::from_ref(info).addr()),
        };
        if self.names.insert(name.clone()) {
            self.used.push((name.clone(), ty));
        }
        name
    }

    fn number(&mut self, address: usize) -> String {
        let next = self.numbers.len();
        self.numbers.entry(address).or_insert(next).to_string()
    }

    fn describe(&mut self, name: String, ty: TypeInfo) -> SchemaInfo {
        let (features, details) = match ty {
            TypeInfo::Builtin(builtin) => {
                let json_type = json_type(builtin);
                (&[][..], SchemaInfoVariant::Builtin(SchemaInfoBuiltin { json_type }))
            }
            TypeInfo::List(element) => {
                let element_type = self.ty(*element);
                (&[][..], SchemaInfoVariant::Array(SchemaInfoArray { element_type }))
            }
            TypeInfo::Enum(info) => (info.features, SchemaInfoVariant::Enum(enumeration(info))),
            TypeInfo::Alternate(info) => {
                (info.features, SchemaInfoVariant::Alternate(self.alternate(info)))
            }
            TypeInfo::Object(info) => {
                (info.features, SchemaInfoVariant::Object(self.members(info)))
            }
        };
        entry(&name, features, details)
    }

    fn alternate(&mut self, info: &AlternateInfo) -> SchemaInfoAlternate {
        let choices = info.choices.iter();
        let members = choices.map(|choice| SchemaInfoAlternateMember { r#type: self.ty(*choice) });
        SchemaInfoAlternate { members: members.collect() }
    }

    fn members(&mut self, info: &ObjectInfo) -> SchemaInfoObject {
        let mut bases = Vec::from([info]);
        while let Some(base) = bases.last().and_then(|object| object.base) {
            bases.push(base);
        }
        let all = bases.iter().rev().flat_map(|object| object.members);
        SchemaInfoObject {
            members: all.map(|member| self.member(member)).collect(),
            tag: info.tag.map(str::to_owned),
            variants: info
                .tag
                .map(|_| info.variants.iter().map(|known| self.variant(known)).collect()),
        }
    }

    fn member(&mut self, member: &Member) -> SchemaInfoObjectMember {
        SchemaInfoObjectMember {
            name: member.name.to_owned(),
            r#type: self.ty(member.ty),
            default: member.optional.then_some(Value::Null),
            features: listed(member.features),
        }
    }

    fn variant(&mut self, variant: &Variant) -> SchemaInfoObjectVariant {
        SchemaInfoObjectVariant {
            case: variant.case.to_owned(),
            r#type: self.object(variant.object.unwrap_or(&EMPTY)),
        }
    }
}

/// An entry of the schema.
fn entry(name: &str, features: &[&str], variant: SchemaInfoVariant) -> SchemaInfo {
    SchemaInfo { name: name.to_owned(), features: listed(features), variant }
}

/// Features; none are left out altogether.
fn listed(features: &[&str]) -> Option<Vec<String>> {
    let texts = || features.iter().map(|feature| (*feature).to_owned()).collect();
    (!features.is_empty()).then(texts)
}

fn enumeration(info: &EnumInfo) -> SchemaInfoEnum {
    let values = info.values.iter();
    let members = values.clone().map(|value| SchemaInfoEnumMember {
        name: value.name.to_owned(),
        features: listed(value.features),
    });
    SchemaInfoEnum {
        members: members.collect(),
        values: values.map(|value| value.name.to_owned()).collect(),
    }
}

fn builtin_name(builtin: Builtin) -> &'static str {
    match builtin {
        Builtin::Str => "str",
        Builtin::Int => "int",
        Builtin::Number => "number",
        Builtin::Bool => "bool",
        Builtin::Null => "null",
        Builtin::Any => "any",
    }
}

fn json_type(builtin: Builtin) -> JSONType {
    match builtin {
        Builtin::Str => JSONType::String,
        Builtin::Int => JSONType::Int,
        Builtin::Number => JSONType::Number,
        Builtin::Bool => JSONType::Boolean,
        Builtin::Null => JSONType::Null,
        Builtin::Any => JSONType::Value,
    }
}
