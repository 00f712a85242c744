//! A checked schema.

use crate::doc::Doc;
use std::collections::BTreeMap;

/// A whole schema.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// The files, in the order of their inclusion.
    pub modules: Vec<Module>,
    /// The definitions, in the order of the files.
    pub entities: Vec<Entity>,
    /// Where each definition is in `entities`, by name.
    pub index: BTreeMap<String, usize>,
}

/// A file of the schema.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its name without `.json`.
    pub name: String,
    /// What it is about.
    pub intro: Vec<String>,
}

/// A definition.
#[derive(Debug)]
pub(crate) struct Entity {
    /// Its name.
    pub name: String,
    /// The index of its file in [`Schema::modules`].
    pub module: usize,
    /// The line it starts on.
    pub line: usize,
    /// What it means.
    pub doc: Doc,
    /// Its special features.
    pub features: Vec<String>,
    /// What it is.
    pub kind: Kind,
}

/// What a definition defines.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A set of names, each with its features.
    Enum(Vec<(String, Vec<String>)>),
    /// A structure.
    Struct(Fields),
    /// A union: common members, the tag among them, and for values of the tag the structure that adds members.
    Union {
        /// The common members.
        fields: Fields,
        /// The name of the member that selects the branch.
        tag: String,
        /// Tag value and structure.
        branches: Vec<(String, String)>,
    },
    /// Several types, told apart by kind: branch name and type.
    Alternate(Vec<(String, Ty)>),
    /// A command.
    Command(Command),
    /// An event.
    Event(Arguments),
}

/// Members of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// The structure whose members come first.
    pub base: Option<String>,
    /// The own members.
    pub own: Vec<Field>,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its key.
    pub name: String,
    /// Its type.
    pub ty: Ty,
    /// Whether it may be absent.
    pub optional: bool,
    /// Its special features.
    pub features: Vec<String>,
}

/// The arguments of a command or event.
#[derive(Clone, Debug)]
pub(crate) enum Arguments {
    /// None.
    None,
    /// Those listed in place.
    Inline(Fields),
    /// Those of a structure or union.
    Named(String),
}

/// What is particular to a command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// Its arguments.
    pub arguments: Arguments,
    /// What it returns.
    pub returns: Option<Ty>,
    /// Whether it runs out of band.
    pub allow_oob: bool,
    /// Whether it runs before the machine is complete.
    pub allow_preconfig: bool,
    /// Whether its handler takes the reply along.
    pub coroutine: bool,
    /// Whether the session answers it.
    pub session: bool,
    /// Whether its arguments are open.
    pub open: bool,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    /// A type of the language, by name.
    Builtin(&'static str),
    /// A definition, by name.
    Named(String),
    /// An array.
    List(Box<Ty>),
}

/// The types of the language: schema name, Rust type, kind of JSON value.
pub(crate) const BUILTINS: [(&str, &str, &str); 15] = [
    ("str", "String", "Str"),
    ("int", "i64", "Int"),
    ("number", "f64", "Number"),
    ("bool", "bool", "Bool"),
    ("null", "qapi::Null", "Null"),
    ("any", "qapi::Value", "Any"),
    ("size", "u64", "Int"),
    ("int8", "i8", "Int"),
    ("int16", "i16", "Int"),
    ("int32", "i32", "Int"),
    ("int64", "i64", "Int"),
    ("uint8", "u8", "Int"),
    ("uint16", "u16", "Int"),
    ("uint32", "u32", "Int"),
    ("uint64", "u64", "Int"),
];

impl Ty {
    /// The definition at the bottom of this type.
    pub(crate) fn named(&self) -> Option<&str> {
        match self {
            Ty::Builtin(_) => None,
            Ty::Named(name) => Some(name),
            Ty::List(element) => element.named(),
        }
    }
}

impl Schema {
    /// The definition of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Entity> {
        self.index.get(name).map(|&index| &self.entities[index])
    }

    /// All members of an object, those of its bases first.
    pub(crate) fn all_fields<'a>(&'a self, fields: &'a Fields) -> Vec<&'a Field> {
        let mut all = match fields.base.as_deref().and_then(|base| self.get(base)) {
            Some(Entity { kind: Kind::Struct(base), .. }) => self.all_fields(base),
            _ => Vec::new(),
        };
        all.extend(&fields.own);
        all
    }

    /// The values of an enumeration.
    pub(crate) fn enum_values(&self, name: &str) -> Option<Vec<&str>> {
        match &self.get(name)?.kind {
            Kind::Enum(values) => Some(values.iter().map(|(value, _)| value.as_str()).collect()),
            _ => None,
        }
    }

    /// Whether a value of type `from` can contain one of `to` without a list in between, so that a member of `to` cannot hold
    /// it in place. Every cycle of types has such a member, so members are all that needs boxes.
    pub(crate) fn contains(&self, from: &str, to: &str) -> bool {
        self.reaches(from, to, &mut Vec::new())
    }

    fn reaches<'a>(&'a self, from: &'a str, to: &str, seen: &mut Vec<&'a str>) -> bool {
        if from == to {
            return true;
        }
        if seen.contains(&from) {
            return false;
        }
        seen.push(from);
        let mut parts: Vec<&str> = Vec::new();
        match self.get(from).map(|entity| &entity.kind) {
            Some(Kind::Struct(fields)) => parts.extend(self.direct(fields)),
            Some(Kind::Union { fields, branches, .. }) => {
                parts.extend(self.direct(fields));
                parts.extend(branches.iter().map(|(_, name)| name.as_str()));
            }
            Some(Kind::Alternate(branches)) => {
                parts.extend(branches.iter().filter_map(|(_, ty)| match ty {
                    Ty::Named(name) => Some(name.as_str()),
                    _ => None,
                }));
            }
            _ => {}
        }
        parts.into_iter().any(|part| self.reaches(part, to, seen))
    }

    /// The definitions that an object holds in place.
    fn direct<'a>(&'a self, fields: &'a Fields) -> Vec<&'a str> {
        let fields = self.all_fields(fields).into_iter();
        let held = fields.filter_map(|field| match &field.ty {
            Ty::Named(name) => Some(name.as_str()),
            _ => None,
        });
        held.collect()
    }
}
