//! The description of the commands is true: each is there, and takes exactly what it says.

use harness::{Builder, Qmp, Vmm, kvm_or_skip};
use serde_json::{Map, Value, json};

use crate::schema::{Kind, Schema};

fn start() -> (Vmm, Qmp, Schema) {
    let mut vmm = Builder::new(env!("CARGO_BIN_EXE_vmm")).args("-machine none").with_qmp().start();
    let mut qmp = vmm.qmp();
    let schema = Schema::new(&qmp.ok("query-qmp-schema", json!({})));
    (vmm, qmp, schema)
}

fn names(reply: &Value) -> Vec<String> {
    let list = reply.as_array().expect("a list").iter();
    let mut names: Vec<_> =
        list.map(|item| item["name"].as_str().expect("a name").to_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_lists_of_commands_and_events_are_the_schemas() {
    if !kvm_or_skip("recorded::the_lists_of_commands_and_events_are_the_schemas") {
        return;
    }
    let (_vmm, mut qmp, schema) = start();
    let mut listed = names(&qmp.ok("query-commands", json!({})));
    assert_eq!(listed, schema.names("command"));
    listed.dedup();
    assert_eq!(listed.len(), schema.names("command").len());
    assert_eq!(names(&qmp.ok("query-events", json!({}))), schema.names("event"));
}

/// Where a value is among the arguments, and how it gets there.
struct Place<'a> {
    schema: &'a Schema,
    /// `backend.data.`, as messages put it.
    prefix: String,
    /// The arguments around the object at this place.
    wrap: &'a dyn Fn(Value) -> Value,
}

/// What is asked of the program about one command.
struct Asked {
    arguments: Value,
    expected: String,
    or: Option<String>,
    /// The message only starts so.
    open: bool,
}

impl Place<'_> {
    /// Everything that can be wrong with an object at this place.
    fn object(&self, ty: &str, asked: &mut Vec<Asked>, depth: usize) {
        let cases: Vec<Option<&str>> = match self.schema.variants(ty) {
            None => vec![None],
            Some((_, variants)) => variants.iter().map(|(case, _)| Some(*case)).collect(),
        };
        for case in cases {
            let valid = self.schema.object(ty, case);
            let mut extra = valid.clone();
            extra.insert("zz".to_owned(), json!(1));
            self.ask(asked, extra, "Parameter", "zz", " is unexpected");
            let mut members = self.schema.members(ty);
            if let (Some(case), Some((_, variants))) = (case, self.schema.variants(ty)) {
                let brought = variants.iter().find(|(name, _)| *name == case).expect("listed").1;
                members.extend(self.schema.members(brought));
            }
            for member in members {
                if member.required {
                    let mut without = valid.clone();
                    without.remove(&member.name);
                    self.ask(asked, without, "Parameter", &member.name, " is missing");
                }
                self.value(&valid, &member.name, &member.ty, asked, depth);
            }
        }
    }

    /// Everything that can be wrong with the value of one member.
    fn value(
        &self,
        valid: &Map<String, Value>,
        name: &str,
        ty: &str,
        asked: &mut Vec<Asked>,
        depth: usize,
    ) {
        let with = |value: Value| {
            let mut object = valid.clone();
            object.insert(name.to_owned(), value);
            object
        };
        let kind = "Invalid parameter type for";
        match self.schema.kind(ty) {
            Kind::Builtin("value" | "null") => {}
            Kind::Builtin(json_type) => {
                let other = if json_type == "string" { json!(1) } else { json!("x") };
                for wrong in [json!([]), json!({}), Value::Null, other] {
                    let expected = if json_type == "int" { "integer" } else { json_type };
                    self.ask(asked, with(wrong), kind, name, &format!(", expected: {expected}"));
                    // Where only natural numbers are taken, it is said in the words for ranges.
                    let last = asked.last_mut().expect("just asked");
                    let natural = format!("Parameter '{}{name}' expects uint64", self.prefix);
                    last.or = (json_type == "int").then_some(natural);
                }
            }
            Kind::Enum(names) => {
                self.ask(asked, with(json!(1)), kind, name, ", expected: string");
                for value in names.iter().map(|name| name.to_uppercase()).chain([String::new()]) {
                    if names.contains(&value.as_str()) {
                        continue;
                    }
                    let text = format!("Parameter '{name}' does not accept value '{value}'");
                    let arguments = (self.wrap)(Value::Object(with(json!(value))));
                    asked.push(Asked { arguments, expected: text, or: None, open: false });
                }
            }
            Kind::Array(element) => {
                self.ask(asked, with(json!({})), kind, name, ", expected: array");
                if matches!(self.schema.kind(element), Kind::Object) {
                    let item = format!("{name}[0]");
                    self.ask(asked, with(json!([1])), kind, &item, ", expected: object");
                    let wrap = |value| (self.wrap)(Value::Object(with(json!([value]))));
                    self.inside(&format!("{name}[0]."), &wrap).object(element, asked, depth + 1);
                }
            }
            Kind::Object => {
                self.ask(asked, with(json!([])), kind, name, ", expected: object");
                self.ask(asked, with(json!(1)), kind, name, ", expected: object");
                if depth < 5 {
                    let wrap = |value| (self.wrap)(Value::Object(with(value)));
                    self.inside(&format!("{name}."), &wrap).object(ty, asked, depth + 1);
                }
            }
            // Its name is the schema's own business.
            Kind::Alternate(_) => {
                self.ask(asked, with(json!([])), kind, name, ", expected: ");
                asked.last_mut().expect("just asked").open = true;
            }
        }
    }

    fn inside<'b>(&'b self, below: &str, wrap: &'b dyn Fn(Value) -> Value) -> Place<'b> {
        let prefix = format!("{}{below}", self.prefix);
        Place { schema: self.schema, prefix, wrap }
    }

    fn ask(
        &self,
        asked: &mut Vec<Asked>,
        object: Map<String, Value>,
        before: &str,
        name: &str,
        after: &str,
    ) {
        let expected = format!("{before} '{}{name}'{after}", self.prefix);
        let arguments = (self.wrap)(Value::Object(object));
        asked.push(Asked { arguments, expected, or: None, open: false });
    }
}

#[test]
fn every_command_is_there_and_refuses_what_it_does_not_say_it_takes() {
    if !kvm_or_skip("recorded::every_command_is_there") {
        return;
    }
    let (mut vmm, mut qmp, schema) = start();
    let mut wrong = Vec::new();
    let mut count = 0;
    // After negotiation this one answers as if it did not exist.
    for command in schema.names("command").into_iter().filter(|name| *name != "qmp_capabilities") {
        let mut asked = Vec::new();
        let place = Place { schema: &schema, prefix: String::new(), wrap: &|value| value };
        place.object(schema.arguments(command), &mut asked, 0);
        for Asked { arguments, expected, or, open } in asked {
            count += 1;
            let told = match qmp.execute(command, arguments.clone()) {
                Ok(value) => format!("return {value}"),
                Err(error) if error.class != "GenericError" => format!("{error:?}"),
                Err(error) => error.desc,
            };
            let other = or.is_some_and(|text| told == text);
            if told != expected && !other && !(open && told.starts_with(&expected)) {
                wrong.push(format!("{command} {arguments}\n  {expected}\n  {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 300, "only {count} things asked");
    assert!(vmm.is_running());
}

/// Every query that needs no arguments answers in the shape it says.
#[test]
fn answers_have_the_shape_they_are_said_to_have() {
    if !kvm_or_skip("recorded::answers_have_the_shape_they_are_said_to_have") {
        return;
    }
    let mut vmm = Builder::new(env!("CARGO_BIN_EXE_vmm")).args("-smp 2 -S").with_qmp().start();
    let mut qmp = vmm.qmp();
    let schema = Schema::new(&qmp.ok("query-qmp-schema", json!({})));
    let refused = |command: &str| ["query-gic-capabilities"].contains(&command);
    let mut checked = 0;
    for command in schema.names("command").into_iter().filter(|name| name.starts_with("query-")) {
        if schema.members(schema.arguments(command)).iter().any(|member| member.required) {
            continue;
        }
        let answer = match qmp.execute(command, json!({})) {
            Ok(answer) => answer,
            Err(error) => {
                assert!(refused(command), "{command}: {error:?}");
                continue;
            }
        };
        fits(&schema, &answer, schema.result(command), command);
        checked += 1;
    }
    assert!(checked > 20, "only {checked} queries");
}

fn fits(schema: &Schema, value: &Value, ty: &str, at: &str) {
    let fit = match schema.kind(ty) {
        Kind::Builtin("string") => value.is_string(),
        Kind::Builtin("int") => value.is_i64() || value.is_u64(),
        Kind::Builtin("number") => value.is_number(),
        Kind::Builtin("boolean") => value.is_boolean(),
        Kind::Builtin("null") => value.is_null(),
        Kind::Builtin(_) => true,
        Kind::Enum(names) => value.as_str().is_some_and(|name| names.contains(&name)),
        Kind::Array(element) => {
            let items = value.as_array().unwrap_or_else(|| panic!("{at}: {value} is no list"));
            items.iter().for_each(|item| fits(schema, item, element, &format!("{at}[]")));
            true
        }
        Kind::Object => {
            object_fits(schema, value, ty, at);
            true
        }
        // One of them; the schema's readers tell them apart by their JSON types.
        Kind::Alternate(choices) => !choices.is_empty(),
    };
    assert!(fit, "{at}: {value}");
}

fn object_fits(schema: &Schema, value: &Value, ty: &str, at: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value} is no object"));
    let mut members = schema.members(ty);
    if let Some((tag, variants)) = schema.variants(ty)
        && let Some((_, brought)) = variants.iter().find(|(case, _)| object[tag] == *case)
    {
        members.extend(schema.members(brought));
    }
    for member in &members {
        match object.get(&member.name) {
            Some(value) => fits(schema, value, &member.ty, &format!("{at}.{}", member.name)),
            None => assert!(!member.required, "{at}: no {}", member.name),
        }
    }
    for name in object.keys() {
        assert!(members.iter().any(|member| member.name == *name), "{at}: {name} is not described");
    }
}
