//! What `query-qmp-schema` says, as types to make arguments from.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// The entries by name.
pub(crate) struct Schema(HashMap<String, Value>);

/// A member of an object, with the name of its type.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) ty: String,
    pub(crate) required: bool,
}

/// What a type is, as far as values go.
pub(crate) enum Kind<'a> {
    /// A JSON type: `string`, `int`, `number`, `boolean`, `null`, `value`.
    Builtin(&'a str),
    Enum(Vec<&'a str>),
    /// The type of the elements.
    Array(&'a str),
    Object,
    /// The types to choose from.
    Alternate(Vec<&'a str>),
}

fn list<'a>(entry: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    entry[name].as_array().into_iter().flatten()
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_else(|| panic!("no {name} in {entry}"))
}

impl Schema {
    pub(crate) fn new(reply: &Value) -> Self {
        let entries = reply.as_array().expect("a list");
        Self(entries.iter().map(|entry| (text(entry, "name").to_owned(), entry.clone())).collect())
    }

    /// The names of all entries of a meta-type, sorted.
    pub(crate) fn names(&self, meta: &str) -> Vec<&str> {
        let of_meta = self.0.iter().filter(|(_, entry)| entry["meta-type"] == meta);
        let mut names: Vec<_> = of_meta.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    fn entry(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("{name} is not described"))
    }

    /// The type of a command's arguments.
    pub(crate) fn arguments(&self, command: &str) -> &str {
        text(self.entry(command), "arg-type")
    }

    /// The type of a command's result.
    pub(crate) fn result(&self, command: &str) -> &str {
        text(self.entry(command), "ret-type")
    }

    pub(crate) fn kind(&self, ty: &str) -> Kind<'_> {
        let entry = self.entry(ty);
        match text(entry, "meta-type") {
            "builtin" => Kind::Builtin(text(entry, "json-type")),
            "enum" => {
                let name = |value: &'_ Value| value.get("name").is_some();
                let members = list(entry, "members").filter(|value| name(value));
                Kind::Enum(members.map(|value| text(value, "name")).collect())
            }
            "array" => Kind::Array(text(entry, "element-type")),
            "object" => Kind::Object,
            "alternate" => {
                Kind::Alternate(list(entry, "members").map(|choice| text(choice, "type")).collect())
            }
            other => panic!("a value of {other}"),
        }
    }

    /// The members that an object has in any case.
    pub(crate) fn members(&self, ty: &str) -> Vec<Member> {
        let member = |member: &Value| Member {
            name: text(member, "name").to_owned(),
            ty: text(member, "type").to_owned(),
            required: member.get("default").is_none(),
        };
        list(self.entry(ty), "members").map(member).collect()
    }

    /// The member that decides between variants, and each of its values with the type of the
    /// members it brings.
    pub(crate) fn variants(&self, ty: &str) -> Option<(&str, Vec<(&str, &str)>)> {
        let entry = self.entry(ty);
        let tag = entry.get("tag")?.as_str()?;
        let variants =
            list(entry, "variants").map(|variant| (text(variant, "case"), text(variant, "type")));
        Some((tag, variants.collect()))
    }

    /// A value that decodes.
    pub(crate) fn value(&self, ty: &str) -> Value {
        match self.kind(ty) {
            Kind::Builtin("boolean") => json!(true),
            Kind::Builtin("int" | "number" | "value") => json!(1),
            Kind::Builtin("null") => Value::Null,
            Kind::Builtin(_) => json!("x"),
            Kind::Enum(names) => json!(names[0]),
            Kind::Array(_) => json!([]),
            Kind::Object => Value::Object(self.object(ty, None)),
            Kind::Alternate(choices) => self.value(choices[0]),
        }
    }

    /// An object of its required members, in the variant `case` (else the first).
    pub(crate) fn object(&self, ty: &str, case: Option<&str>) -> Map<String, Value> {
        let mut object = Map::new();
        for member in self.members(ty).iter().filter(|member| member.required) {
            object.insert(member.name.clone(), self.value(&member.ty));
        }
        if let Some((tag, variants)) = self.variants(ty) {
            let chosen = match case {
                Some(case) => case.to_owned(),
                None => object[tag].as_str().expect("a required tag").to_owned(),
            };
            let brings = variants.iter().find(|(case, _)| *case == chosen);
            object.insert(tag.to_owned(), json!(chosen));
            if let Some((_, brought)) = brings {
                object.extend(self.object(brought, None));
            }
        }
        object
    }
}
