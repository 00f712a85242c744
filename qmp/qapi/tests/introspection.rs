//! `query-qmp-schema` of the product: complete, closed, and with the paths that management programs look for.

mod json;

use json::dict;
use qapi::{COMMANDS, Decode, EVENTS, Encode, SchemaInfo, SchemaInfoVariant, introspect};
use std::collections::{HashMap, HashSet};

/// The entries by name.
fn entries() -> HashMap<String, SchemaInfo> {
    introspect(COMMANDS, EVENTS).into_iter().map(|entry| (entry.name.clone(), entry)).collect()
}

/// The names of types that an entry refers to.
fn references(entry: &SchemaInfo) -> Vec<&str> {
    match &entry.variant {
        SchemaInfoVariant::Builtin(_) | SchemaInfoVariant::Enum(_) => Vec::new(),
        SchemaInfoVariant::Array(array) => vec![&array.element_type],
        SchemaInfoVariant::Object(object) => {
            let members = object.members.iter().map(|member| member.r#type.as_str());
            let variants = object.variants.iter().flatten().map(|variant| variant.r#type.as_str());
            members.chain(variants).collect()
        }
        SchemaInfoVariant::Alternate(alternate) => {
            alternate.members.iter().map(|member| member.r#type.as_str()).collect()
        }
        SchemaInfoVariant::Command(command) => vec![&command.arg_type, &command.ret_type],
        SchemaInfoVariant::Event(event) => vec![&event.arg_type],
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_entry_is_reached() {
    let list = introspect(COMMANDS, EVENTS);
    let names: HashSet<&str> = list.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names.len(), list.len(), "an entry comes twice");
    let referred: HashSet<&str> = list.iter().flat_map(references).collect();
    for name in &referred {
        assert!(names.contains(name), "{name} is not described");
    }
    for entry in &list {
        let top =
            matches!(entry.variant, SchemaInfoVariant::Command(_) | SchemaInfoVariant::Event(_));
        assert!(top || referred.contains(entry.name.as_str()), "{} is used by nothing", entry.name);
    }
}

#[test]
fn commands_and_events_are_all_there() {
    let entries = entries();
    for command in COMMANDS {
        let entry = entries.get(command.name).expect(command.name);
        assert!(matches!(entry.variant, SchemaInfoVariant::Command(_)));
    }
    for event in EVENTS {
        let entry = entries.get(event.name).expect(event.name);
        assert!(matches!(entry.variant, SchemaInfoVariant::Event(_)));
    }
    let top = |entry: &&SchemaInfo| {
        matches!(entry.variant, SchemaInfoVariant::Command(_) | SchemaInfoVariant::Event(_))
    };
    assert_eq!(entries.values().filter(top).count(), COMMANDS.len() + EVENTS.len());
}

/// Follows a path of member names (with `+`, of variants) from the arguments or, after `<`, from the reply of a command.
fn follow(path: &str) -> Option<SchemaInfo> {
    let entries = entries();
    let mut steps = path.split('/');
    let first = steps.next()?;
    let (command, reply) = match first.strip_prefix('<') {
        Some(command) => (command, true),
        None => (first, false),
    };
    let SchemaInfoVariant::Command(command) = &entries.get(command)?.variant else { return None };
    let mut here = entries.get(if reply { &command.ret_type } else { &command.arg_type })?;
    for step in steps {
        if let SchemaInfoVariant::Array(array) = &here.variant {
            here = entries.get(&array.element_type)?;
        }
        let next = match (&here.variant, step.strip_prefix('+')) {
            (SchemaInfoVariant::Object(object), Some(case)) => {
                let mut variants = object.variants.as_ref()?.iter();
                &variants.find(|variant| variant.case == case)?.r#type
            }
            (SchemaInfoVariant::Object(object), None) => {
                &object.members.iter().find(|member| member.name == step)?.r#type
            }
            _ => return None,
        };
        here = entries.get(next)?;
    }
    Some(here.clone())
}

#[test]
fn paths_that_libvirt_looks_up_exist() {
    for path in [
        "chardev-add/backend/+socket/data/reconnect",
        "<query-hotpluggable-cpus/props/die-id",
        "<query-iothreads/poll-max-ns",
        "set-action/panic",
    ] {
        assert!(follow(path).is_some(), "{path}");
    }
    assert!(follow("chardev-add/backend/+vdagent").is_none());
}

#[test]
fn the_reply_decodes_as_what_it_says_it_is() {
    let list = introspect(COMMANDS, EVENTS);
    let encoded = list.clone().encode();
    let at = qapi::decode::At::root(&qapi::source::Json);
    assert_eq!(Vec::<SchemaInfo>::decode(encoded, &at), Ok(list));
}

#[test]
fn an_entry_is_written_like_qemu_writes_it() {
    let entries = entries();
    let stop = entries.get("stop").expect("stop").clone().encode();
    let qapi::Value::Dict(stop) = stop else { panic!("not an object") };
    let wire: Vec<&str> = stop.iter_wire().map(|(key, _)| key).collect();
    assert_eq!(wire, ["name", "ret-type", "meta-type", "arg-type"]);
    let str_entry = entries.get("str").expect("str").clone().encode();
    let expected = dict(r#"{"name":"str","json-type":"string","meta-type":"builtin"}"#);
    assert_eq!(str_entry, qapi::Value::Dict(expected));
}
