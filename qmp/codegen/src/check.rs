//! The rules a schema keeps, beyond its syntax.

use crate::build::Exceptions;
use crate::lex::Problem;
use crate::model::{Arguments, Command, Entity, Field, Fields, Kind, Schema, Ty};
use std::collections::BTreeSet;

/// Names that generated code or its users already give a meaning to.
const RESERVED: [&str; 41] = [
    "Arguments",
    "At",
    "Box",
    "Builtin",
    "Clone",
    "Command",
    "CommandInfo",
    "Copy",
    "Debug",
    "Decode",
    "Default",
    "Dict",
    "Drop",
    "Empty",
    "Encode",
    "Eq",
    "Err",
    "Error",
    "ErrorClass",
    "Event",
    "EventInfo",
    "Fn",
    "From",
    "Handlers",
    "Hash",
    "Into",
    "Iterator",
    "None",
    "Null",
    "Ok",
    "OobHandlers",
    "Option",
    "Ord",
    "RawReply",
    "Reply",
    "Result",
    "Self",
    "Size",
    "Some",
    "String",
    "Value",
];

/// Names of generated modules.
const RESERVED_MODULES: [&str; 6] =
    ["command", "dispatch", "event", "handlers", "mod", "oob-handlers"];

/// Checks a whole schema.
pub(crate) fn schema(schema: &Schema, exceptions: &Exceptions) -> Result<(), Problem> {
    let place = |module: usize, line: usize, message: String| Problem {
        file: format!("{}.json", schema.modules[module].name),
        line,
        message,
    };
    for (module, known) in schema.modules.iter().enumerate() {
        if RESERVED_MODULES.contains(&known.name.as_str()) {
            return Err(place(module, 1, "the name of the file is reserved".to_owned()));
        }
    }
    for entity in &schema.entities {
        let checker = Checker { schema, exceptions, entity };
        checker.entity().map_err(|message| {
            place(entity.module, entity.line, format!("'{}': {message}", entity.name))
        })?;
    }
    Ok(())
}

/// Checks one definition.
struct Checker<'a> {
    schema: &'a Schema,
    exceptions: &'a Exceptions,
    entity: &'a Entity,
}

impl Checker<'_> {
    fn entity(&self) -> Result<(), String> {
        self.name()?;
        match &self.entity.kind {
            Kind::Enum(values) => {
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                unique(names.iter().copied())?;
                self.member_names(names.iter().copied(), true)?;
                self.documented(names.into_iter())
            }
            Kind::Struct(fields) => self.fields(fields),
            Kind::Union { fields, tag, branches } => self.union(fields, tag, branches),
            Kind::Alternate(branches) => self.alternate(branches),
            Kind::Command(command) => self.command(command),
            Kind::Event(arguments) => self.arguments(arguments),
        }
    }

    /// The definition's own name.
    fn name(&self) -> Result<(), String> {
        let name = self.entity.name.as_str();
        let style = match self.entity.kind {
            Kind::Command(_) => {
                let underscores = self.exceptions.command_names.iter().any(|known| known == name);
                let fits = |byte: u8| {
                    byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || byte == b'-'
                        || (underscores && byte == b'_')
                };
                name.bytes()
                    .all(fits)
                    .then_some(())
                    .ok_or("commands are named in lower case with hyphens")
            }
            Kind::Event(_) => {
                let fits =
                    |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
                name.bytes()
                    .all(fits)
                    .then_some(())
                    .ok_or("events are named in upper case with underscores")
            }
            _ => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric();
                let camel = name.starts_with(|first: char| first.is_ascii_uppercase())
                    && name.bytes().all(fits);
                camel.then_some(()).ok_or("types are named in CamelCase")
            }
        };
        style?;
        if RESERVED.contains(&name) {
            return Err("the name has a meaning in the generated code".to_owned());
        }
        Ok(())
    }

    fn fields(&self, fields: &Fields) -> Result<(), String> {
        if let Some(base) = &fields.base
            && !matches!(self.kind(base), Some(Kind::Struct(_)))
        {
            return Err(format!("base '{base}' is not a struct"));
        }
        if fields.base.as_deref().is_some_and(|base| self.schema.contains(base, &self.entity.name))
        {
            return Err("the type is its own base".to_owned());
        }
        let all = self.schema.all_fields(fields);
        unique(all.iter().map(|field| field.name.as_str()))?;
        for field in &fields.own {
            self.field(field)?;
        }
        let names = fields.own.iter().map(|field| field.name.as_str());
        self.member_names(names.clone(), false)?;
        self.documented(names)
    }

    fn field(&self, field: &Field) -> Result<(), String> {
        if matches!(&field.ty, Ty::List(element) if **element == Ty::Builtin("size")) {
            return Err(format!("member '{}' is a list of sizes", field.name));
        }
        self.data_type(&field.ty).map_err(|message| format!("member '{}': {message}", field.name))
    }

    /// A type that data can have.
    fn data_type(&self, ty: &Ty) -> Result<(), String> {
        let Some(name) = ty.named() else {
            return Ok(());
        };
        match self.kind(name) {
            None => Err(format!("unknown type '{name}'")),
            Some(Kind::Command(_) | Kind::Event(_)) => Err(format!("'{name}' is not a type")),
            Some(_) => Ok(()),
        }
    }

    fn union(
        &self,
        fields: &Fields,
        tag: &str,
        branches: &[(String, String)],
    ) -> Result<(), String> {
        self.fields(fields)?;
        let all = self.schema.all_fields(fields);
        let Some(tag_field) = all.iter().find(|field| field.name == tag) else {
            return Err(format!("discriminator '{tag}' is not a member of the base"));
        };
        let Some(values) = tag_field.ty.named().and_then(|name| self.schema.enum_values(name))
        else {
            return Err(format!("discriminator '{tag}' is not an enumeration"));
        };
        if tag_field.optional {
            return Err(format!("discriminator '{tag}' is optional"));
        }
        for (case, name) in branches {
            if !values.contains(&case.as_str()) {
                return Err(format!("branch '{case}' is not a value of the discriminator"));
            }
            let Some(Kind::Struct(branch)) = self.kind(name) else {
                return Err(format!("branch '{case}': '{name}' is not a struct"));
            };
            let names = all
                .iter()
                .chain(&self.schema.all_fields(branch))
                .map(|field| field.name.as_str())
                .collect::<Vec<_>>();
            unique(names.into_iter()).map_err(|message| format!("branch '{case}': {message}"))?;
        }
        Ok(())
    }

    fn alternate(&self, branches: &[(String, Ty)]) -> Result<(), String> {
        if branches.is_empty() {
            return Err("there is no branch".to_owned());
        }
        let mut kinds = BTreeSet::new();
        for (name, ty) in branches {
            self.data_type(ty).map_err(|message| format!("branch '{name}': {message}"))?;
            let Some(kind) = crate::emit::alternate::kind(self.schema, ty) else {
                return Err(format!("branch '{name}' cannot be told apart from others"));
            };
            if !kinds.insert(kind) {
                return Err(format!("branch '{name}' cannot be told apart from another"));
            }
        }
        let names = branches.iter().map(|(name, _)| name.as_str());
        self.documented(names)
    }

    fn command(&self, command: &Command) -> Result<(), String> {
        if let Some(returns) = &command.returns {
            self.data_type(returns).map_err(|message| format!("returns: {message}"))?;
            if *returns == Ty::Builtin("size") {
                return Err("returns a size".to_owned());
            }
            let object = returns.named().is_some_and(|name| {
                matches!(self.kind(name), Some(Kind::Struct(_) | Kind::Union { .. }))
            });
            if !object && !self.exceptions.command_returns.contains(&self.entity.name) {
                return Err("commands return objects or lists of objects".to_owned());
            }
            if self.entity.doc.returns.is_empty() {
                return Err("'Returns:' is undocumented".to_owned());
            }
        } else if !self.entity.doc.returns.is_empty() {
            return Err("'Returns:' is documented, but nothing is returned".to_owned());
        }
        if command.allow_oob && (command.coroutine || command.session) {
            return Err("an out-of-band command answers at once".to_owned());
        }
        self.arguments(&command.arguments)
    }

    fn arguments(&self, arguments: &Arguments) -> Result<(), String> {
        match arguments {
            Arguments::None => self.documented([].into_iter()),
            Arguments::Inline(fields) => self.fields(fields),
            Arguments::Named(name) => match self.kind(name) {
                Some(Kind::Struct(_) | Kind::Union { .. }) => self.documented([].into_iter()),
                Some(_) => Err(format!("'{name}' holds no arguments")),
                None => Err(format!("unknown type '{name}'")),
            },
        }
    }

    /// Whether exactly these members and the features are documented.
    fn documented<'m>(&self, names: impl Iterator<Item = &'m str> + Clone) -> Result<(), String> {
        let doc = &self.entity.doc;
        if let Some(name) = names.clone().find(|name| doc.member(name).is_none()) {
            return Err(format!("'{name}' is undocumented"));
        }
        let mut known = doc.members.iter().map(|(name, _)| name.as_str());
        if let Some(name) = known.find(|name| !names.clone().any(|member| member == *name)) {
            return Err(format!("'{name}' is documented, but does not exist"));
        }
        unique(doc.members.iter().map(|(name, _)| name.as_str()))?;
        let listed: Vec<&str> = self.all_features();
        if let Some(name) =
            listed.iter().find(|name| !doc.features.iter().any(|(known, _)| known == *name))
        {
            return Err(format!("feature '{name}' is undocumented"));
        }
        match doc.features.iter().find(|(name, _)| !listed.contains(&name.as_str())) {
            Some((name, _)) => Err(format!("feature '{name}' is documented, but does not exist")),
            None => Ok(()),
        }
    }

    /// The features of the definition and of everything in it.
    fn all_features(&self) -> Vec<&str> {
        let fields: &[Field] = match &self.entity.kind {
            Kind::Struct(fields) | Kind::Union { fields, .. } => &fields.own,
            Kind::Command(Command { arguments: Arguments::Inline(fields), .. })
            | Kind::Event(Arguments::Inline(fields)) => &fields.own,
            _ => &[],
        };
        let values: &[(String, Vec<String>)] = match &self.entity.kind {
            Kind::Enum(values) => values,
            _ => &[],
        };
        let inner = fields
            .iter()
            .flat_map(|field| &field.features)
            .chain(values.iter().flat_map(|(_, features)| features));
        self.entity.features.iter().chain(inner).map(String::as_str).collect()
    }

    /// Members are named in lower case with hyphens; values of enumerations may start with a digit.
    fn member_names<'m>(
        &self,
        mut names: impl Iterator<Item = &'m str>,
        digits: bool,
    ) -> Result<(), String> {
        if self.exceptions.member_names.contains(&self.entity.name) {
            return Ok(());
        }
        let fits = |name: &str| {
            let first = name.bytes().next().unwrap_or(b'-');
            (first.is_ascii_lowercase() || (digits && first.is_ascii_digit()))
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        match names.find(|name| !fits(name)) {
            Some(name) => Err(format!("'{name}' is not named in lower case with hyphens")),
            None => Ok(()),
        }
    }

    fn kind(&self, name: &str) -> Option<&Kind> {
        self.schema.get(name).map(|entity| &entity.kind)
    }
}

/// Whether no name comes twice.
fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("duplicate member '{name}'"));
        }
    }
    Ok(())
}
