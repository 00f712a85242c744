//! `cargo qapi import`: definitions from the collected facts, with prose still to be written.
//!
//! The facts list members alphabetically, while a schema's order is visible on the wire: put them in order by hand
//! (`query-qmp-schema` of a running QEMU shows it), and leave out what does not work yet.

use crate::doc::PLACEHOLDER;
use crate::model::BUILTINS;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;

/// The tables of the facts and the keyword of what they hold.
const TABLES: [(&str, &str); 6] = [
    ("enums", "enum"),
    ("structs", "struct"),
    ("unions", "union"),
    ("alternates", "alternate"),
    ("commands", "command"),
    ("events", "event"),
];

/// The members of an entry that the schema language knows too.
const KEPT: [&str; 10] = [
    "base",
    "discriminator",
    "data",
    "returns",
    "boxed",
    "features",
    "allow-oob",
    "allow-preconfig",
    "coroutine",
    "gen",
];

/// Appends the named definitions, and the types they need that the schema lacks, to a file of the schema.
pub(crate) fn run(qmp: &Path, file: &str, names: &[&str]) -> Result<(), Box<dyn Error>> {
    let facts: Map<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(qmp.join("qapi.json"))?)?;
    let folder = qmp.join("schema");
    let mut known = crate::load::names(&folder)?;
    let mut text = String::new();
    for name in names {
        if known.contains(*name) {
            return Err(format!("'{name}' is in the schema already").into());
        }
        append(&facts, name, &mut known, &mut text)?;
    }
    let path = folder.join(format!("{file}.json"));
    let before = std::fs::read_to_string(&path)?;
    std::fs::write(&path, before + &text)?;
    Ok(())
}

/// Appends a definition after those it needs.
fn append(
    facts: &Map<String, Value>,
    name: &str,
    known: &mut BTreeSet<String>,
    text: &mut String,
) -> Result<(), Box<dyn Error>> {
    let found =
        TABLES.iter().find_map(|(table, keyword)| Some((keyword, facts.get(*table)?.get(name)?)));
    let Some((keyword, Value::Object(entry))) = found else {
        return Err(format!("no facts about '{name}'").into());
    };
    known.insert(name.to_owned());
    if *keyword != "enum" {
        let mut types = Vec::new();
        for key in ["base", "data", "returns"] {
            entry.get(key).into_iter().for_each(|value| types_in(value, &mut types));
        }
        for needed in types {
            if !known.contains(&needed) && !BUILTINS.iter().any(|(builtin, ..)| *builtin == needed)
            {
                append(facts, &needed, known, text)?;
            }
        }
    }
    definition(keyword, name, entry, text);
    Ok(())
}

/// The names of types in the value of `base`, `data` or `returns`.
fn types_in(value: &Value, types: &mut Vec<String>) {
    match value {
        Value::String(name) => types.push(name.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| types_in(element, types)),
        Value::Object(members) => {
            let features = members.contains_key("features");
            let wanted = members.iter().filter(|(key, _)| !features || *key == "type");
            wanted.for_each(|(_, member)| types_in(member, types));
        }
        _ => {}
    }
}

/// Writes a definition with a documentation block to be filled in.
fn definition(keyword: &str, name: &str, entry: &Map<String, Value>, text: &mut String) {
    let _ = write!(text, "\n##\n# @{name}:\n#\n# {PLACEHOLDER}\n#\n");
    let members: Vec<&str> = match (keyword, entry.get("data"), entry.get("base")) {
        ("enum", Some(Value::Array(values)), _) => values
            .iter()
            .filter_map(|value| value.as_str().or(value.get("name")?.as_str()))
            .collect(),
        ("union", _, Some(Value::Object(base))) => base.keys().map(String::as_str).collect(),
        ("union", ..) => Vec::new(),
        (_, Some(Value::Object(members)), _) => members.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    for member in members {
        let _ = write!(text, "# @{}: {PLACEHOLDER}\n#\n", member.trim_start_matches('*'));
    }
    if let Some(Value::Array(features)) = entry.get("features") {
        text.push_str("# Features:\n#\n");
        for feature in features.iter().filter_map(Value::as_str) {
            let _ = write!(text, "# @{feature}: {PLACEHOLDER}\n#\n");
        }
    }
    if entry.contains_key("returns") {
        let _ = write!(text, "# Returns: {PLACEHOLDER}\n#\n");
    }
    let _ = write!(text, "##\n{{ '{keyword}': '{name}'");
    for key in KEPT {
        if let Some(value) = entry.get(key) {
            let _ = write!(text, ",\n  '{key}': {}", spelled(value));
        }
    }
    text.push_str(" }\n");
}

/// A value in the spelling of the schema language.
fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(spelled).collect();
            format!("[ {} ]", elements.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("'{key}': {}", spelled(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}
