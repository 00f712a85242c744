//! The checked-in code is fresh, the schema keeps to the facts, and a bad schema is refused with a useful message.

use crate::model::{Arguments, Field, Fields, Kind, Schema, Ty};
use crate::{emit, load, output, qmp, targets};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A text without what formatting may change.
fn condensed(files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let strip = |text: String| text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    files.into_iter().map(|(name, text)| (name, strip(text))).collect()
}

#[test]
fn generated_code_is_fresh() {
    for (schema, folder) in targets() {
        let schema = load::schema(&schema).expect("a good schema");
        let found = output::read(&folder).expect("the generated files");
        let raw = emit::files(&schema);
        // A toolchain without rustfmt still sees differences that matter.
        let (wanted, found) = match output::formatted(&raw) {
            Ok(wanted) => (wanted, found),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                (condensed(raw.into_iter().collect()), condensed(found))
            }
            Err(error) => panic!("{error}"),
        };
        let stale = output::stale(&wanted, &found);
        assert!(stale.is_empty(), "run `cargo qapi generate`: {stale:?} in {}", folder.display());
    }
}

/// The problem of a schema made of one file.
fn problem(text: &str) -> String {
    let folder = std::env::temp_dir().join(format!(
        "qapi-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).expect("a folder");
    let intro = "##\n# A file.\n##\n";
    std::fs::write(folder.join("a.json"), format!("{intro}{text}")).expect("a file");
    std::fs::write(folder.join(load::ROOT), "{ 'include': 'a.json' }").expect("a file");
    let result = load::schema(&folder);
    std::fs::remove_dir_all(&folder).expect("a folder");
    result.map(|_| ()).expect_err(text).to_string()
}

/// A documented definition.
fn documented(name: &str, members: &[&str], text: &str) -> String {
    let members: String =
        members.iter().map(|member| format!("#\n# @{member}: something\n")).collect();
    format!("##\n# @{name}:\n#\n# A thing.\n{members}##\n{text}\n")
}

#[test]
fn bad_syntax_is_refused_with_its_place() {
    for (text, expected) in [
        ("{ 'enum' 'A' }", "a.json:4: expected ':'"),
        ("{ 'enum': 'A',\n  'enum': 'B' }", "a.json:5: duplicate key 'enum'"),
        ("\n{ 'enum': 'A' ", "a.json:5: expected ',' or '}' before the end of the file"),
        ("{ 'enum': \"A\" }", "a.json:4: stray '\"'"),
        ("{ 'enum': 'A }", "a.json:4: a string is not closed"),
        ("[ 'A' ]", "a.json:4: expected '{'"),
        ("##\n# @A:\n", "a.json:4: documentation is not closed by '##'"),
        ("##\n#@A:\n##", "a.json:5: documentation lines start with '# '"),
        (
            "##\n# @A:\n#\n# Something.\n##",
            "a.json:4: the documentation of 'A' belongs to no definition",
        ),
    ] {
        assert_eq!(problem(text), expected);
    }
}

#[test]
fn bad_definitions_are_refused_with_their_name() {
    let thing = |name: &str, members: &[&str], text: &str| documented(name, members, text);
    let colour = thing("Colour", &["red"], "{ 'enum': 'Colour', 'data': [ 'red' ] }");
    for (text, expected) in [
        ("{ 'enum': 'A', 'data': [] }".to_owned(), "'A' is undocumented"),
        (thing("B", &[], "{ 'enum': 'A', 'data': [] }"), "the documentation of 'A' is about 'B'"),
        (thing("A", &[], "{ 'enum': 'A', 'data': [ 'x' ] }"), "'A': 'x' is undocumented"),
        (
            thing("A", &["x"], "{ 'enum': 'A', 'data': [] }"),
            "'A': 'x' is documented, but does not exist",
        ),
        (thing("A", &["x"], "{ 'enum': 'A', 'data': [ 'x', 'x' ] }"), "'A': duplicate member 'x'"),
        (
            thing("A", &["X"], "{ 'enum': 'A', 'data': [ 'X' ] }"),
            "'A': 'X' is not named in lower case with hyphens",
        ),
        (
            thing("String", &[], "{ 'struct': 'String', 'data': {} }"),
            "'String': the name has a meaning in the generated code",
        ),
        (thing("a", &[], "{ 'struct': 'a', 'data': {} }"), "'a': types are named in CamelCase"),
        (
            thing("A", &["x"], "{ 'struct': 'A', 'data': { 'x': 'Nope' } }"),
            "'A': member 'x': unknown type 'Nope'",
        ),
        (
            thing("A", &[], "{ 'struct': 'A', 'base': 'Nope', 'data': {} }"),
            "'A': base 'Nope' is not a struct",
        ),
        (
            thing("A", &[], "{ 'struct': 'A', 'if': 'X', 'data': {} }"),
            "struct 'A' has an unknown key 'if'",
        ),
        (thing("A", &[], "{ 'struct': 'A' }"), "struct 'A' lacks 'data'"),
        (colour.clone() + &colour, "'Colour' is already defined"),
        (
            colour.clone()
                + &thing(
                    "A",
                    &["c"],
                    "{ 'union': 'A', 'base': { 'c': 'Colour' }, 'discriminator': 'c', 'data': { 'blue': 'A' } }",
                ),
            "'A': branch 'blue' is not a value of the discriminator",
        ),
        (
            thing(
                "A",
                &["c"],
                "{ 'union': 'A', 'base': { 'c': 'str' }, 'discriminator': 'c', 'data': {} }",
            ),
            "'A': discriminator 'c' is not an enumeration",
        ),
        (
            colour
                + &thing(
                    "A",
                    &["x", "y"],
                    "{ 'alternate': 'A', 'data': { 'x': 'str', 'y': 'Colour' } }",
                ),
            "'A': branch 'y' cannot be told apart from another",
        ),
        (
            thing("a_b", &[], "{ 'command': 'a_b' }"),
            "'a_b': commands are named in lower case with hyphens",
        ),
        (
            thing("a", &[], "{ 'command': 'a', 'returns': 'str' }"),
            "'a': commands return objects or lists of objects",
        ),
        (thing("a", &[], "{ 'command': 'a', 'data': 'Nope' }"), "'a': unknown type 'Nope'"),
        (
            thing("a", &[], "{ 'command': 'a', 'gen': true }"),
            "command 'a': 'gen' can only be false",
        ),
        (
            thing("a", &[], "{ 'command': 'a', 'features': [ 'f' ] }"),
            "'a': feature 'f' is undocumented",
        ),
        (
            thing("a", &[], "{ 'command': 'a', 'allow-oob': true, 'coroutine': true }"),
            "'a': an out-of-band command answers at once",
        ),
        (thing("A", &[], "{ 'event': 'a' }"), "the documentation of 'a' is about 'A'"),
        (
            thing("a", &[], "{ 'event': 'a' }"),
            "'a': events are named in upper case with underscores",
        ),
        (thing("A", &[], "{ 'pragma': { 'x': [] } }"), "unknown pragma 'x'"),
        (
            thing("A", &[], "{ 'include': '../x.json' }"),
            "'../x.json' is not the name of a schema file",
        ),
        (
            thing("A", &[], "{ 'include': 'x.json' }"),
            "x.json: No such file or directory (os error 2)",
        ),
        (
            "##\n# @A:\n#\n# UNDOCUMENTED\n##\n{ 'enum': 'A', 'data': [] }".to_owned(),
            "the documentation of 'A' is still to be written",
        ),
    ] {
        let problem = problem(&text);
        let (_, message) = problem.split_once(": ").expect("a place");
        assert_eq!(message, expected);
    }
}

/// Types whose names are our own; names of types are not visible to clients.
const OWN_NAMES: [&str; 4] =
    ["FdSocketAddress", "FdSocketAddressWrapper", "QmpCommandInfo", "QmpEventInfo"];

/// The product's schema.
fn product() -> Schema {
    load::schema(&qmp().join("schema")).expect("a good schema")
}

/// The entry of a definition in the facts.
fn fact<'a>(facts: &'a Value, name: &str) -> Option<&'a Value> {
    ["enums", "structs", "unions", "alternates", "commands", "events"]
        .iter()
        .find_map(|table| facts[*table].get(name))
}

/// Whether the facts know a member like this.
fn known(facts: &Value, entry: &Value, field: &Field) -> bool {
    let key = if field.optional { format!("*{}", field.name) } else { field.name.clone() };
    let of = |members: &Value| match members.get(&key) {
        Some(Value::Object(member)) => same_type(&member["type"], &field.ty),
        Some(ty) => same_type(ty, &field.ty),
        None => false,
    };
    let base_of = |key: &str| match entry.get(key) {
        Some(Value::String(name)) => {
            fact(facts, name).is_some_and(|base| known(facts, base, field))
        }
        Some(members) => of(members),
        None => false,
    };
    base_of("data") || base_of("base")
}

fn same_type(fact: &Value, ty: &Ty) -> bool {
    match (fact, ty) {
        (Value::String(name), Ty::Builtin(ty)) => name == ty,
        (Value::String(name), Ty::Named(ty)) => name == ty || OWN_NAMES.contains(&ty.as_str()),
        (Value::Array(elements), Ty::List(element)) => {
            elements.len() == 1 && same_type(&elements[0], element)
        }
        _ => false,
    }
}

#[test]
fn the_schema_keeps_to_the_facts() {
    let text = std::fs::read_to_string(qmp().join("qapi.json")).expect("the facts");
    let facts: Value = serde_json::from_str(&text).expect("the facts");
    let schema = product();
    for entity in schema.entities.iter().filter(|entity| !OWN_NAMES.contains(&entity.name.as_str()))
    {
        let name = &entity.name;
        let entry = fact(&facts, name).unwrap_or_else(|| panic!("no facts about {name}"));
        let check = |fields: &Fields| {
            for field in &fields.own {
                assert!(known(&facts, entry, field), "{name}: {}", field.name);
            }
        };
        match &entity.kind {
            Kind::Enum(values) => {
                let all = entry["data"].as_array().expect("values");
                for (value, _) in values {
                    assert!(all.iter().any(|fact| fact == value), "{name}: {value}");
                }
            }
            Kind::Struct(fields) | Kind::Union { fields, .. } => check(fields),
            Kind::Alternate(branches) => {
                for (branch, ty) in branches {
                    assert!(same_type(&entry["data"][branch], ty), "{name}: {branch}");
                }
            }
            Kind::Command(command) => {
                if let Arguments::Inline(fields) = &command.arguments {
                    check(fields);
                }
                let returns = command.returns.as_ref();
                let same = returns.map_or(entry.get("returns").is_none(), |ty| {
                    let own = ty.named().is_some_and(|name| OWN_NAMES.contains(&name));
                    own || same_type(&entry["returns"], ty)
                });
                assert!(same, "{name}: returns");
                let flag = |key: &str| entry.get(key) == Some(&Value::Bool(true));
                assert_eq!(
                    command.allow_preconfig,
                    flag("allow-preconfig"),
                    "{name}: allow-preconfig"
                );
                assert_eq!(command.allow_oob, flag("allow-oob"), "{name}: allow-oob");
                assert_eq!(
                    command.open,
                    entry.get("gen") == Some(&Value::Bool(false)),
                    "{name}: gen"
                );
            }
            Kind::Event(Arguments::Inline(fields)) => check(fields),
            Kind::Event(_) => {}
        }
    }
}

#[test]
fn imports_bring_what_they_need() {
    let folder = std::env::temp_dir().join(format!("qapi-import-{}", std::process::id()));
    let schema = folder.join("schema");
    std::fs::create_dir_all(&schema).expect("a folder");
    std::fs::copy(qmp().join("qapi.json"), folder.join("qapi.json")).expect("the facts");
    std::fs::write(schema.join(load::ROOT), "{ 'include': 'char.json' }").expect("a file");
    std::fs::write(schema.join("char.json"), "##\n# Things.\n##\n").expect("a file");
    crate::import::run(&folder, "char", &["query-chardev", "blockdev-reopen"])
        .expect("known names");
    let again = crate::import::run(&folder, "char", &["ChardevInfo"]).expect_err("a known name");
    let unknown = crate::import::run(&folder, "char", &["no-such"]).expect_err("no such name");
    let names = load::names(&schema).expect("good syntax");
    let unwritten = load::schema(&schema).map(|_| ()).expect_err("prose to be written").to_string();
    std::fs::remove_dir_all(Path::new(&folder)).expect("a folder");
    for name in [
        "query-chardev",
        "ChardevInfo",
        "blockdev-reopen",
        "BlockdevOptions",
        "BlockdevRef",
        "OnOffAuto",
    ] {
        assert!(names.contains(name), "{name}");
    }
    assert!(!names.contains("str"));
    assert_eq!(again.to_string(), "'ChardevInfo' is in the schema already");
    assert_eq!(unknown.to_string(), "no facts about 'no-such'");
    assert!(unwritten.ends_with("is still to be written"), "{unwritten}");
}
