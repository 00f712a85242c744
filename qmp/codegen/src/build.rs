//! From parsed expressions to a checked schema.

use crate::check;
use crate::doc::{Doc, PLACEHOLDER};
use crate::lex::Problem;
use crate::load::Source;
use crate::model::{Arguments, BUILTINS, Command, Entity, Field, Fields, Kind, Module, Schema, Ty};
use crate::parse::{Item, Json, find};

/// The keys of each kind of definition: the kind, what it needs, what it may have.
const KEYS: [(&str, &[&str], &[&str]); 6] = [
    ("enum", &["data"], &["features"]),
    ("struct", &["data"], &["base", "features"]),
    ("union", &["base", "discriminator", "data"], &["features"]),
    ("alternate", &["data"], &["features"]),
    (
        "command",
        &[],
        &[
            "data",
            "returns",
            "boxed",
            "features",
            "allow-oob",
            "allow-preconfig",
            "coroutine",
            "gen",
            "session",
        ],
    ),
    ("event", &[], &["data", "boxed", "features"]),
];

/// Names that a rule does not apply to, from the schema's pragmas.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    /// Commands that may have an underscore in their name.
    pub command_names: Vec<String>,
    /// Commands that may return something other than an object or a list of objects.
    pub command_returns: Vec<String>,
    /// Types, commands and events whose members may be named against the rules.
    pub member_names: Vec<String>,
}

/// Builds and checks a schema.
pub(crate) fn schema(sources: &[Source]) -> Result<Schema, Problem> {
    let mut schema = Schema::default();
    let mut exceptions = Exceptions::default();
    for source in sources {
        let module = schema.modules.len();
        let mut used = false;
        for item in &source.items {
            let at =
                |message: String| Problem { file: source.file.clone(), line: item.line, message };
            if let Some(pragma) = item.get("pragma") {
                exceptions.add(pragma).map_err(at)?;
                continue;
            }
            let entity = entity(item, module).map_err(at)?;
            let taken = schema.index.insert(entity.name.clone(), schema.entities.len());
            if taken.is_some() {
                return Err(at(format!("'{}' is already defined", entity.name)));
            }
            schema.entities.push(entity);
            used = true;
        }
        if used {
            if source.intro.is_empty() {
                return Err(Problem {
                    file: source.file.clone(),
                    line: 1,
                    message: "the file has no introduction".to_owned(),
                });
            }
            schema.modules.push(Module {
                name: source.file.trim_end_matches(".json").to_owned(),
                intro: source.intro.clone(),
            });
        }
    }
    check::schema(&schema, &exceptions)?;
    Ok(schema)
}

impl Exceptions {
    fn add(&mut self, pragma: &Json) -> Result<(), String> {
        let Json::Dict(members) = pragma else {
            return Err("'pragma' takes an object".to_owned());
        };
        for (key, value) in members {
            let list = match key.as_str() {
                "command-name-exceptions" => &mut self.command_names,
                "command-returns-exceptions" => &mut self.command_returns,
                "member-name-exceptions" => &mut self.member_names,
                _ => return Err(format!("unknown pragma '{key}'")),
            };
            list.extend(texts(value, key)?);
        }
        Ok(())
    }
}

/// The strings of a list.
fn texts(value: &Json, what: &str) -> Result<Vec<String>, String> {
    let problem = || format!("'{what}' takes a list of strings");
    let Json::List(elements) = value else {
        return Err(problem());
    };
    let texts = elements.iter().map(|text| text.text().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(problem)
}

/// One definition.
fn entity(item: &Item, module: usize) -> Result<Entity, String> {
    let kinds = KEYS.iter().filter(|(kind, ..)| item.get(kind).is_some());
    let Some((kind, needed, allowed)) = kinds.clone().next() else {
        return Err(
            "expected 'enum', 'struct', 'union', 'alternate', 'command' or 'event'".to_owned()
        );
    };
    let Some(name) = item.get(kind).and_then(Json::text) else {
        return Err(format!("'{kind}' takes a name"));
    };
    for (key, _) in &item.expr {
        if key != kind && !needed.contains(&key.as_str()) && !allowed.contains(&key.as_str()) {
            return Err(format!("{kind} '{name}' has an unknown key '{key}'"));
        }
    }
    if let Some(key) = needed.iter().find(|key| item.get(key).is_none()) {
        return Err(format!("{kind} '{name}' lacks '{key}'"));
    }
    Ok(Entity {
        name: name.to_owned(),
        module,
        line: item.line,
        doc: documentation(item, name)?,
        features: features(item.get("features"))?,
        kind: kind_of(item, kind, name).map_err(|message| format!("{kind} '{name}': {message}"))?,
    })
}

/// The documentation that must stand before a definition.
fn documentation(item: &Item, name: &str) -> Result<Doc, String> {
    let Some(doc) = &item.doc else {
        return Err(format!("'{name}' is undocumented"));
    };
    if doc.symbol.as_deref() != Some(name) {
        let other = doc.symbol.as_deref().unwrap_or_default();
        return Err(format!("the documentation of '{name}' is about '{other}'"));
    }
    let parts = doc.members.iter().chain(&doc.features).map(|(_, lines)| lines);
    let unwritten = |lines: &Vec<String>| lines.iter().any(|line| line.contains(PLACEHOLDER));
    if doc.body.is_empty() || parts.chain([&doc.body, &doc.returns]).any(unwritten) {
        return Err(format!("the documentation of '{name}' is still to be written"));
    }
    Ok(doc.clone())
}

fn features(value: Option<&Json>) -> Result<Vec<String>, String> {
    value.map_or(Ok(Vec::new()), |value| texts(value, "features"))
}

fn kind_of(item: &Item, kind: &str, name: &str) -> Result<Kind, String> {
    match kind {
        "enum" => enum_values(item.get("data")).map(Kind::Enum),
        "struct" => {
            let base = item.get("base").map(|base| {
                let name = base.text().map(str::to_owned);
                name.ok_or("'base' takes the name of a struct")
            });
            Ok(Kind::Struct(Fields { base: base.transpose()?, own: fields(item.get("data"))? }))
        }
        "union" => union_of(item),
        "alternate" => {
            let branches = fields(item.get("data"))?.into_iter();
            Ok(Kind::Alternate(branches.map(|field| (field.name, field.ty)).collect()))
        }
        "command" => command(item).map(Kind::Command),
        "event" => arguments(item).map(Kind::Event),
        _ => Err(format!("'{name}' is of no known kind")),
    }
}

fn enum_values(data: Option<&Json>) -> Result<Vec<(String, Vec<String>)>, String> {
    let Some(Json::List(values)) = data else {
        return Err("'data' takes a list of values".to_owned());
    };
    let value = |value: &Json| match value {
        Json::Text(name) => Ok((name.clone(), Vec::new())),
        Json::Dict(members) => match find(members, "name") {
            Some(Json::Text(name)) => Ok((name.clone(), features(find(members, "features"))?)),
            _ => Err("a value lacks 'name'".to_owned()),
        },
        _ => Err("a value is a name".to_owned()),
    };
    values.iter().map(value).collect()
}

fn union_of(item: &Item) -> Result<Kind, String> {
    let fields_of = match item.get("base") {
        Some(Json::Text(base)) => Fields { base: Some(base.clone()), own: Vec::new() },
        base => Fields { base: None, own: fields(base)? },
    };
    let Some(Json::Text(tag)) = item.get("discriminator") else {
        return Err("'discriminator' takes the name of a member".to_owned());
    };
    let branches = fields(item.get("data"))?.into_iter();
    let branches = branches.map(|field| match field.ty {
        Ty::Named(name) => Ok((field.name, name)),
        _ => Err(format!("branch '{}' is not a struct", field.name)),
    });
    Ok(Kind::Union {
        fields: fields_of,
        tag: tag.clone(),
        branches: branches.collect::<Result<_, _>>()?,
    })
}

/// Members given as an object.
fn fields(data: Option<&Json>) -> Result<Vec<Field>, String> {
    let Some(Json::Dict(members)) = data else {
        return Err("members are given as an object".to_owned());
    };
    let field = |(key, value): &(String, Json)| {
        let (name, optional) = match key.strip_prefix('*') {
            Some(name) => (name, true),
            None => (key.as_str(), false),
        };
        let (ty_of, features) = match value {
            Json::Dict(members) => (
                find(members, "type").ok_or(format!("member '{name}' lacks 'type'"))?,
                features(find(members, "features"))?,
            ),
            plain => (plain, Vec::new()),
        };
        Ok(Field { name: name.to_owned(), ty: ty(ty_of)?, optional, features })
    };
    members.iter().map(field).collect()
}

fn ty(value: &Json) -> Result<Ty, String> {
    match value {
        Json::Text(name) => Ok(match BUILTINS.iter().find(|(known, ..)| known == name) {
            Some((known, ..)) => Ty::Builtin(known),
            None => Ty::Named(name.clone()),
        }),
        Json::List(elements) => match elements.as_slice() {
            [element] => Ok(Ty::List(Box::new(ty(element)?))),
            _ => Err("an array type has one element".to_owned()),
        },
        _ => Err("a type is a name, or a name in brackets".to_owned()),
    }
}

fn arguments(item: &Item) -> Result<Arguments, String> {
    match item.get("data") {
        None => Ok(Arguments::None),
        Some(Json::Text(name)) => Ok(Arguments::Named(name.clone())),
        data => Ok(Arguments::Inline(Fields { base: None, own: fields(data)? })),
    }
}

fn command(item: &Item) -> Result<Command, String> {
    let flag = |key: &str, usual: bool| match item.get(key) {
        None => Ok(usual),
        Some(Json::Bool(truth)) if *truth != usual => Ok(*truth),
        Some(_) => Err(format!("'{key}' can only be {}", !usual)),
    };
    Ok(Command {
        arguments: arguments(item)?,
        returns: item.get("returns").map(ty).transpose()?,
        allow_oob: flag("allow-oob", false)?,
        allow_preconfig: flag("allow-preconfig", false)?,
        coroutine: flag("coroutine", false)?,
        session: flag("session", false)?,
        open: !flag("gen", true)?,
    })
}
