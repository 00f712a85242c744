//! The list of commands, and the enumeration that a decoded one is.

use super::names::camel;
use super::{arguments_type, docs, info, summary};
use crate::model::{Arguments, Command, Entity, Kind, Schema};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The commands of a schema.
pub(super) fn all(schema: &Schema) -> impl Iterator<Item = (&Entity, &Command)> {
    schema.entities.iter().filter_map(|entity| match &entity.kind {
        Kind::Command(command) => Some((entity, command)),
        _ => None,
    })
}

/// The type that a command's variant holds.
pub(super) fn held(entity: &Entity, command: &Command) -> Option<String> {
    if command.open {
        Some("qapi::Dict".to_owned())
    } else {
        arguments_type(entity, &command.arguments)
    }
}

/// The file with the list and the enumeration.
pub(super) fn file(schema: &Schema) -> String {
    let mut text = String::from("//! The commands.\n\n");
    text.push_str(&imports(schema));
    text.push_str(
        "/// A command with its arguments.
        #[allow(clippy::large_enum_variant, reason = \"commands are few and short-lived\")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum Command {\n",
    );
    for (entity, command) in all(schema) {
        docs(&mut text, "///", summary(&entity.doc.body));
        let variant = camel(&entity.name);
        let _ = match held(entity, command) {
            Some(held) => writeln!(text, "{variant}({held}),"),
            None => writeln!(text, "{variant},"),
        };
    }
    let decodes: String =
        all(schema).map(|(entity, command)| decode_arm(entity, command)).collect();
    let infos: String = all(schema)
        .enumerate()
        .map(|(index, (entity, command))| {
            let rest = if held(entity, command).is_some() { "(_)" } else { "" };
            format!("Command::{}{rest} => {index},", camel(&entity.name))
        })
        .collect();
    let list: String =
        all(schema).map(|(entity, command)| described(schema, entity, command)).collect();
    let _ = writeln!(
        text,
        "}}

        impl Command {{
            /// Decodes the arguments of the command `name` as JSON values, strictly.
            ///
            /// # Errors
            ///
            /// `CommandNotFound` if there is no such command; otherwise what is wrong with the arguments.
            pub fn decode(name: &str, arguments: qapi::Dict) -> Result<Command, qapi::Error> {{
                Command::decode_from(name, arguments, &qapi::source::Json)
            }}

            /// Like [`Command::decode`], but values come from another source.
            pub fn decode_from(
                name: &str,
                arguments: qapi::Dict,
                source: &dyn qapi::source::Source,
            ) -> Result<Command, qapi::Error> {{
                let at = qapi::decode::At::root(source);
                Ok(match name {{
                    {decodes}
                    _ => return Err(qapi::Error::command_not_found(name)),
                }})
            }}

            /// What there is to know about this command.
            pub fn info(&self) -> &'static qapi::info::CommandInfo {{
                let index: usize = match self {{ {infos} }};
                &COMMANDS[index]
            }}

            /// Its name on the wire.
            pub fn name(&self) -> &'static str {{
                self.info().name
            }}
        }}

        /// Every command, in the order of the schema.
        pub static COMMANDS: &[qapi::info::CommandInfo] = &[{list}];

        /// What there is to know about the command `name`.
        pub fn command_info(name: &str) -> Option<&'static qapi::info::CommandInfo> {{
            COMMANDS.iter().find(|command| command.name == name)
        }}
        "
    );
    text
}

/// The types that this file names.
fn imports(schema: &Schema) -> String {
    let used: BTreeSet<String> = all(schema)
        .filter(|(_, command)| !command.open)
        .filter_map(|(entity, command)| arguments_type(entity, &command.arguments))
        .collect();
    let names: Vec<String> = used.into_iter().collect();
    if names.is_empty() {
        return String::new();
    }
    format!("use super::{{{}}};\n\n", names.join(", "))
}

fn decode_arm(entity: &Entity, command: &Command) -> String {
    let name = &entity.name;
    let variant = camel(name);
    if command.open {
        return format!("{name:?} => Command::{variant}(arguments),");
    }
    match command.arguments {
        Arguments::None => {
            format!(
                "{name:?} => {{ qapi::decode::nothing_left(&arguments, &at)?; Command::{variant} }}"
            )
        }
        _ => format!(
            "{name:?} => Command::{variant}(qapi::Decode::decode(qapi::Value::Dict(arguments), &at)?),"
        ),
    }
}

/// The descriptor of a command.
fn described(schema: &Schema, entity: &Entity, command: &Command) -> String {
    let returns = command.returns.as_ref();
    format!(
        "qapi::info::CommandInfo {{
            name: {:?},
            module: {:?},
            arguments: {},
            returns: {},
            allow_oob: {},
            allow_preconfig: {},
            coroutine: {},
            session: {},
            features: {},
        }},",
        entity.name,
        schema.modules[entity.module].name,
        info::arguments(schema, entity, &command.arguments, command.open),
        returns.map_or("None".to_owned(), |ty| format!("Some({})", info::ty(schema, ty))),
        command.allow_oob,
        command.allow_preconfig,
        command.coroutine,
        command.session,
        info::strings(&entity.features),
    )
}
