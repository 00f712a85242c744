//! The list of events, and the enumeration that an event is.

use super::names::camel;
use super::{arguments_type, docs, info};
use crate::model::{Arguments, Entity, Kind, Schema};
use std::fmt::Write;

/// The events of a schema.
fn all(schema: &Schema) -> impl Iterator<Item = (&Entity, &Arguments)> {
    schema.entities.iter().filter_map(|entity| match &entity.kind {
        Kind::Event(arguments) => Some((entity, arguments)),
        _ => None,
    })
}

/// The file with the list and the enumeration.
pub(super) fn file(schema: &Schema) -> String {
    let mut text = String::from("//! The events.\n\n");
    let mut names: Vec<String> =
        all(schema).filter_map(|(entity, arguments)| arguments_type(entity, arguments)).collect();
    names.sort();
    names.dedup();
    if !names.is_empty() {
        let _ = writeln!(text, "use super::{{{}}};\n", names.join(", "));
    }
    text.push_str(
        "/// An event with its data.\n\
         #[allow(clippy::large_enum_variant, reason = \"events are few and short-lived\")]\n#[derive(Clone, Debug, PartialEq)]\npub enum Event {\n",
    );
    let mut infos = String::new();
    let mut datas = String::new();
    let mut list = String::new();
    for (index, (entity, arguments)) in all(schema).enumerate() {
        docs(&mut text, "///", &entity.doc.body);
        let variant = camel(&entity.name);
        match arguments_type(entity, arguments) {
            Some(held) => {
                let _ = writeln!(text, "{variant}({held}),");
                let _ = write!(infos, "Event::{variant}(_) => {index},");
                let _ = write!(
                    datas,
                    "Event::{variant}(data) => Some(qapi::encode::object(data.clone())),"
                );
            }
            None => {
                let _ = writeln!(text, "{variant},");
                let _ = write!(infos, "Event::{variant} => {index},");
                let _ = write!(datas, "Event::{variant} => None,");
            }
        }
        let _ = write!(
            list,
            "qapi::info::EventInfo {{ name: {:?}, module: {:?}, arguments: {}, features: {} }},",
            entity.name,
            schema.modules[entity.module].name,
            info::arguments(schema, entity, arguments, false),
            info::strings(&entity.features),
        );
    }
    // A schema without events has nothing to match on.
    let matched = |arms: &str| {
        if arms.is_empty() {
            "match *self {}".to_owned()
        } else {
            format!("match self {{ {arms} }}")
        }
    };
    let _ = writeln!(
        text,
        "}}

        impl Event {{
            /// What there is to know about this event.
            pub fn info(&self) -> &'static qapi::info::EventInfo {{
                let index: usize = {infos};
                &EVENTS[index]
            }}

            /// Its name on the wire.
            pub fn name(&self) -> &'static str {{
                self.info().name
            }}

            /// Its data; `None` if it never has any.
            pub fn data(&self) -> Option<qapi::Dict> {{
                {datas}
            }}
        }}

        /// Every event, in the order of the schema.
        pub static EVENTS: &[qapi::info::EventInfo] = &[{list}];
        ",
        infos = matched(&infos),
        datas = matched(&datas),
    );
    text
}
