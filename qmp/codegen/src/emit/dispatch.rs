//! From a decoded command to its handler: one trait for each file of the schema, one method for each command.
//!
//! Commands that run out of band have traits of their own, on `&self`, so that they cannot reach the machine. Commands
//! that the session answers have no method.

use super::names::{camel, snake};
use super::{commands, docs, entities, rust_type};
use crate::model::{Command, Entity, Kind, Schema};
use std::fmt::Write;

/// Whether a command belongs to the trait in question.
type Belongs = fn(&Command) -> bool;

/// Commands that run on the machine's thread.
const ON_MACHINE: Belongs = |command| !command.session && !command.allow_oob;

/// Commands that run beside it.
const OUT_OF_BAND: Belongs = |command| command.allow_oob;

/// The commands of a module that belong to a trait.
fn chosen(schema: &Schema, module: usize, belongs: Belongs) -> Vec<(&Entity, &Command)> {
    let commands = entities(schema, module).filter_map(|entity| match &entity.kind {
        Kind::Command(command) => Some((entity, command)),
        _ => None,
    });
    commands.filter(|(_, command)| belongs(command)).collect()
}

/// The traits of a module.
pub(super) fn traits(schema: &Schema, module: usize) -> String {
    let name = &schema.modules[module].name;
    let mut text = String::new();
    for (belongs, title, own, receiver) in [
        (ON_MACHINE, "Handlers", "of", "&mut self"),
        (OUT_OF_BAND, "OobHandlers", "of the out-of-band commands of", "&self"),
    ] {
        let commands = chosen(schema, module, belongs);
        if commands.is_empty() {
            continue;
        }
        let _ = writeln!(text, "/// The handlers {own} `{name}`.\npub trait {title} {{");
        for (entity, command) in commands {
            method(&mut text, entity, command, receiver);
        }
        text.push_str("}\n\n");
    }
    text
}

/// What a command returns, in Rust.
fn returns(command: &Command) -> String {
    command.returns.as_ref().map_or("qapi::Empty".to_owned(), rust_type)
}

/// Writes the declaration of a handler.
fn method(text: &mut String, entity: &Entity, command: &Command, receiver: &str) {
    docs(text, "///", &entity.doc.body);
    if !command.open && !entity.doc.members.is_empty() {
        text.push_str("///\n");
        for (name, lines) in &entity.doc.members {
            let mut lines = lines.clone();
            if let Some(first) = lines.first_mut() {
                *first = format!("- @{name}: {first}");
            }
            lines.iter_mut().skip(1).for_each(|line| line.insert_str(0, "  "));
            docs(text, "///", &lines);
        }
    }
    if !entity.doc.returns.is_empty() {
        let mut lines = entity.doc.returns.clone();
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, "Returns: ");
        }
        text.push_str("///\n");
        docs(text, "///", &lines);
    }
    let name = snake(&entity.name);
    let arguments =
        commands::held(entity, command).map_or(String::new(), |held| format!(", args: {held}"));
    let _ = if command.coroutine {
        writeln!(
            text,
            "fn {name}({receiver}{arguments}, reply: qapi::Reply<{}>);\n",
            returns(command)
        )
    } else {
        writeln!(
            text,
            "fn {name}({receiver}{arguments}) -> Result<{}, qapi::Error>;\n",
            returns(command)
        )
    };
}

/// The modules that have a trait.
fn modules(schema: &Schema, belongs: Belongs) -> Vec<&str> {
    let with = schema
        .modules
        .iter()
        .enumerate()
        .filter(|(index, _)| !chosen(schema, *index, belongs).is_empty());
    with.map(|(_, module)| module.name.as_str()).collect()
}

/// The lines of the root file that export the traits and the functions.
pub(super) fn exports(schema: &Schema) -> String {
    let mut text = String::from("pub use dispatch::{Handlers, dispatch};\n");
    let oob = modules(schema, OUT_OF_BAND);
    if !oob.is_empty() {
        text.push_str("pub use dispatch::{OobHandlers, dispatch_oob};\n");
    }
    let _ = writeln!(
        text,
        "\n/// One trait for each file of the schema, with a method for each of its commands.\npub mod handlers {{"
    );
    for module in modules(schema, ON_MACHINE) {
        let _ = writeln!(text, "pub use super::{}::Handlers as {};", snake(module), camel(module));
    }
    text.push_str("}\n");
    if !oob.is_empty() {
        text.push_str("\n/// The same for out-of-band commands.\npub mod oob_handlers {\n");
        for module in oob {
            let _ = writeln!(
                text,
                "pub use super::{}::OobHandlers as {};",
                snake(module),
                camel(module)
            );
        }
        text.push_str("}\n");
    }
    text
}

/// The file with the joint traits and the functions that call handlers.
pub(super) fn file(schema: &Schema) -> String {
    let mut text = String::from("//! From a decoded command to its handler.\n\n");
    let oob = !modules(schema, OUT_OF_BAND).is_empty();
    text.push_str("use super::handlers;\n");
    if oob {
        text.push_str("use super::oob_handlers;\n");
    }
    text.push_str("use super::Command;\n\n");
    joint_trait(
        &mut text,
        "Handlers",
        "Everything that runs commands on the machine.",
        &path_list(schema, ON_MACHINE, "handlers"),
    );
    let mut arms = String::new();
    for (entity, command) in commands::all(schema) {
        let arm = if ON_MACHINE(command) {
            call(entity, command, "handlers")
        } else if command.allow_oob {
            refuse(
                entity,
                command,
                &format!(
                    "qapi::Error::generic(\"The command {} runs out of band only\")",
                    entity.name
                ),
            )
        } else {
            let desc = "Capabilities negotiation is already complete, command ignored";
            refuse(
                entity,
                command,
                &format!("qapi::Error::new(qapi::ErrorClass::CommandNotFound, {desc:?})"),
            )
        };
        arms.push_str(&arm);
    }
    let _ = writeln!(
        text,
        "/// Runs a command. Most answer before this returns; coroutines take the reply along.
        pub fn dispatch<H: Handlers + ?Sized>(handlers: &mut H, command: Command, reply: qapi::RawReply) {{
            match command {{ {arms} }}
        }}
        "
    );
    if oob {
        joint_trait(
            &mut text,
            "OobHandlers",
            "Everything that runs out-of-band commands.",
            &path_list(schema, OUT_OF_BAND, "oob_handlers"),
        );
        let arms: String = commands::all(schema)
            .filter(|(_, command)| OUT_OF_BAND(command))
            .map(|(entity, command)| {
                let call = call(entity, command, "handlers").replace("=> qapi", "=> { qapi");
                call.trim_end_matches(',').to_owned() + "; None }"
            })
            .collect();
        let _ = writeln!(
            text,
            "/// Runs a command that is allowed out of band; any other is handed back.
            pub fn dispatch_oob<H: OobHandlers + ?Sized>(
                handlers: &H,
                command: Command,
                reply: qapi::RawReply,
            ) -> Option<(Command, qapi::RawReply)> {{
                match command {{
                    {arms}
                    other => Some((other, reply)),
                }}
            }}
            "
        );
    }
    text
}

/// A trait that joins those of the modules, and holds for whatever has them all.
fn joint_trait(text: &mut String, name: &str, doc: &str, parts: &str) {
    let _ = writeln!(
        text,
        "/// {doc}\npub trait {name}: {parts} {{}}\n\nimpl<T: {parts} + ?Sized> {name} for T {{}}\n"
    );
}

/// The traits of the modules, joined.
fn path_list(schema: &Schema, belongs: Belongs, folder: &str) -> String {
    let paths: Vec<String> = modules(schema, belongs)
        .into_iter()
        .map(|module| format!("{folder}::{}", camel(module)))
        .collect();
    paths.join(" + ")
}

/// The arm that calls a handler.
fn call(entity: &Entity, command: &Command, object: &str) -> String {
    let (pattern, arguments) = match commands::held(entity, command) {
        Some(_) => ("(args)", "args"),
        None => ("", ""),
    };
    let variant = camel(&entity.name);
    let method = snake(&entity.name);
    if command.coroutine {
        let comma = if arguments.is_empty() { "" } else { ", " };
        format!(
            "Command::{variant}{pattern} => {object}.{method}({arguments}{comma}qapi::Reply::new(reply)),"
        )
    } else {
        format!(
            "Command::{variant}{pattern} => qapi::Reply::new(reply).send({object}.{method}({arguments})),"
        )
    }
}

/// The arm of a command that has no handler here.
fn refuse(entity: &Entity, command: &Command, error: &str) -> String {
    let pattern = if commands::held(entity, command).is_some() { "(_)" } else { "" };
    format!("Command::{}{pattern} => reply.send(Err({error})),", camel(&entity.name))
}
