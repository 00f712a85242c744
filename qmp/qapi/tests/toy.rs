//! A small schema with what the language has and the product's schema does not use yet: recursion, open arguments, every
//! width of integer, out-of-band commands, features.

#[allow(dead_code, unreachable_pub, unused_imports, reason = "generated for a whole crate")]
#[path = "toy/generated/mod.rs"]
mod generated;
mod json;

use generated::{
    COMMANDS, Command, EVENTS, Event, NodeDriver, NodeOptions, NodeOptionsVariant, NodeRef,
    OobHandlers, ToyBase, ToyBox, ToyBrokenEvent, ToyColour, ToyNumber, dispatch, dispatch_oob,
    handlers, oob_handlers,
};
use json::{dict, value};
use qapi::{Dict, Encode, Error, RawReply, Reply, Value, from_json, from_keyval};
use std::sync::mpsc::{Receiver, channel};

/// The error of decoding a box.
fn refused(text: &str) -> String {
    from_json::<ToyBox>(value(text)).expect_err("an error").desc
}

#[test]
fn integers_keep_to_their_range() {
    for (member, expected) in [
        (r#""i8":128"#, "Parameter 'i8' expects int8_t"),
        (r#""i8":-129"#, "Parameter 'i8' expects int8_t"),
        (r#""i16":40000"#, "Parameter 'i16' expects int16_t"),
        (r#""u8":256"#, "Parameter 'u8' expects uint8_t"),
        (r#""u32":4294967296"#, "Parameter 'u32' expects uint32_t"),
        (r#""numbers":[1,300]"#, "Parameter 'null' expects uint8_t"),
        (r#""u64":"1""#, "Parameter 'u64' expects uint64"),
        (r#""s":1.5"#, "Parameter 's' expects uint64"),
        // QEMU would take this for a huge number.
        (r#""u64":-1"#, "Parameter 'u64' expects uint64"),
        (r#""i8":"1""#, "Invalid parameter type for 'i8', expected: integer"),
        (r#""i":18446744073709551615"#, "Invalid parameter type for 'i', expected: integer"),
        (r#""f":"1""#, "Invalid parameter type for 'f', expected: number"),
        (r#""nothing":0"#, "Invalid parameter type for 'nothing', expected: null"),
        (r#""c":"blue""#, "Parameter 'c' does not accept value 'blue'"),
        (r#""colours":["red","blue"]"#, "Parameter 'null' does not accept value 'blue'"),
        (r#""bits":[1,"x"]"#, "Invalid parameter type for 'null', expected: ToyNumber"),
        (r#""box":{"id":"a","box":{}}"#, "Parameter 'box.box.id' is missing"),
        (r#""box":{"id":"a","x":1}"#, "Parameter 'box.x' is unexpected"),
    ] {
        assert_eq!(refused(&format!(r#"{{"id":"a",{member}}}"#)), expected);
    }
}

#[test]
fn a_full_box_is_taken_and_given_back() {
    let text = r#"{"id":"a","note":"n","b":true,"i":-1,"i8":-128,"i16":5,"u8":255,"u16":65535,"u32":4294967295,
        "u64":18446744073709551615,"s":4096,"f":0.5,"c":"green","any":{"x":[null]},"nothing":null,
        "list":["x","y"],"numbers":[0,255],"colours":["red"],"bits":[1,true,[-1,2]],"box":{"id":"b"}}"#;
    let taken: ToyBox = from_json(value(text)).expect("a box");
    assert_eq!(taken.base.note.as_deref(), Some("n"));
    assert_eq!(taken.s, Some(4096));
    assert_eq!(taken.u64, Some(u64::MAX));
    let bits = [ToyNumber::Number(1), ToyNumber::Switch(true), ToyNumber::List(vec![-1, 2])];
    assert_eq!(taken.bits.as_deref(), Some(&bits[..]));
    assert_eq!(taken.encode(), value(text));
}

#[test]
fn members_are_written_in_the_order_of_the_schema() {
    let taken: ToyBox = from_json(value(r#"{"i":1,"b":true,"id":"a"}"#)).expect("a box");
    let Value::Dict(written) = taken.encode() else { panic!("not an object") };
    assert_eq!(written.keys().collect::<Vec<_>>(), ["id", "b", "i"]);
}

#[test]
fn text_gets_its_kind_from_the_type() {
    let options = dict(
        r#"{"id":"1","b":"off","i":"-0x10","u8":"010","s":"1.5k","f":"2.5","c":"red","list":{"1":"y","0":"x"},
        "bits":{"0":"on","1":"7","2":{"0":"8"}},"nothing":"","box":{"id":"on"}}"#,
    );
    let taken: ToyBox = from_keyval(options).expect("a box");
    assert_eq!(taken.base, ToyBase { id: "1".into(), note: None });
    assert_eq!((taken.b, taken.i, taken.u8), (Some(false), Some(-16), Some(8)));
    assert_eq!((taken.s, taken.f, taken.c), (Some(1536), Some(2.5), Some(ToyColour::Red)));
    assert_eq!(taken.list, Some(vec!["x".into(), "y".into()]));
    let bits = vec![ToyNumber::Switch(true), ToyNumber::Number(7), ToyNumber::List(vec![8])];
    assert_eq!(taken.bits, Some(bits));
    assert_eq!(taken.r#box.map(|inner| inner.base.id).as_deref(), Some("on"));
}

#[test]
fn wrong_text_is_refused_as_on_the_command_line_of_qemu() {
    for (member, expected) in [
        (r#""b":"1""#, "Parameter 'b' expects 'on' or 'off'"),
        (r#""i":"1k""#, "Parameter 'i' expects integer"),
        (r#""u64":"-1""#, "Parameter 'u64' expects integer"),
        (r#""u32":"99999999999""#, "Parameter 'u32' expects uint32_t"),
        (r#""s":"1x""#, "Parameter 's' expects size"),
        (r#""f":"inf""#, "Invalid parameter type for 'f', expected: number"),
        (r#""list":"x""#, "Invalid parameter type for 'list', expected: array"),
        (r#""list":{"1":"x"}"#, "Parameter 'list.0' missing"),
        (r#""list":{"0":"x","02":"y"}"#, "Parameter 'list.1' missing"),
        (r#""list":{"0":"x","z":"y"}"#, "Parameters 'list.*' used inconsistently"),
        (r#""note":{"x":"y"}"#, "Parameters 'note.*' are unexpected"),
        (r#""box":"x""#, "Invalid parameter type for 'box', expected: object"),
        (r#""numbers":{"0":"1","1":"x"}"#, "Parameter 'numbers.1' expects integer"),
        (r#""box":{"id":"a","x":"1"}"#, "Parameter 'box.x' is unexpected"),
    ] {
        let options = dict(&format!(r#"{{"id":"a",{member}}}"#));
        let error = from_keyval::<ToyBox>(options).expect_err(member);
        assert_eq!(error.desc, expected);
    }
}

#[test]
fn types_may_contain_each_other() {
    let text = r#"{"driver":"filter","name":"top","file":{"driver":"file","filename":"x","size":5},"fallbacks":["n",null]}"#;
    let node: NodeOptions = from_json(value(text)).expect("a node");
    assert_eq!(node.name.as_deref(), Some("top"));
    let NodeOptionsVariant::Filter(filter) = &node.variant else { panic!("another variant") };
    assert!(matches!(&*filter.file, NodeRef::Definition(file) if file.size == Some(5)));
    assert_eq!(node.variant.tag(), NodeDriver::Filter);
    assert_eq!(node.encode(), value(text));
    for (text, expected) in [
        (
            r#"{"driver":"filter","file":{"driver":"file","filename":1}}"#,
            "Invalid parameter type for 'file.filename', expected: string",
        ),
        (r#"{"driver":"filter","file":7}"#, "Invalid parameter type for 'file', expected: NodeRef"),
        (r#"{"driver":"empty","filename":"x"}"#, "Parameter 'filename' is unexpected"),
        (r#"{"driver":"file"}"#, "Parameter 'filename' is missing"),
        (r#"{"filename":"x"}"#, "Parameter 'driver' is missing"),
    ] {
        let error = from_json::<NodeOptions>(value(text)).expect_err(text);
        assert_eq!(error.desc, expected);
    }
    let decoded = Command::decode(
        "node-add",
        dict(r#"{"nodes":[{"driver":"filter","file":{"driver":"file"}}]}"#),
    );
    assert_eq!(decoded, Err(Error::missing("nodes[0].file.filename")));
}

/// Answers commands with what it saw.
#[derive(Default)]
struct Toy {
    later: Option<Reply<()>>,
}

impl handlers::Node for Toy {
    fn node_add(&mut self, args: generated::NodeAddArgs) -> Result<(), Error> {
        assert_eq!(args.nodes.len(), 1);
        Ok(())
    }

    fn node_make(&mut self, args: NodeOptions, reply: Reply<()>) {
        assert_eq!(args.variant, NodeOptionsVariant::Empty);
        self.later = Some(reply);
    }
}

impl handlers::ToyBox for Toy {
    fn toy_put(&mut self, _: ToyBox) -> Result<(), Error> {
        Err(Error::device_not_found("shelf"))
    }

    fn toy_get(&mut self, args: generated::ToyGetArgs) -> Result<ToyBox, Error> {
        from_json(Value::Dict(Dict::from_iter([("id", args.id)])))
    }

    fn toy_add(&mut self, args: Dict) -> Result<Vec<String>, Error> {
        Ok(args.keys().map(str::to_owned).collect())
    }
}

/// Runs beside the toy.
struct Overtaker;

impl oob_handlers::ToyBox for Overtaker {
    fn toy_interrupt(&self) -> Result<(), Error> {
        Ok(())
    }

    fn toy_echo(&self, args: generated::ToyEchoArgs) -> Result<String, Error> {
        Ok(args.word)
    }
}

/// A reply and where its result arrives.
fn reply() -> (RawReply, Receiver<Result<Value, Error>>) {
    let (sender, results) = channel();
    (RawReply::new(move |result| drop(sender.send(result))), results)
}

/// What a command answers at once.
fn run(toy: &mut Toy, name: &str, arguments: &str) -> Option<Result<Value, Error>> {
    let command = Command::decode(name, dict(arguments)).expect("a command");
    let (reply, results) = reply();
    dispatch(toy, command, reply);
    results.try_recv().ok()
}

#[test]
fn commands_reach_their_handlers() {
    let mut toy = Toy::default();
    let empty = Value::Dict(Dict::new());
    assert_eq!(
        run(&mut toy, "node-add", r#"{"nodes":[{"driver":"empty"}]}"#),
        Some(Ok(empty.clone()))
    );
    assert_eq!(run(&mut toy, "toy-get", r#"{"id":"a"}"#), Some(Ok(value(r#"{"id":"a"}"#))));
    assert_eq!(
        run(&mut toy, "toy-put", r#"{"id":"a"}"#),
        Some(Err(Error::device_not_found("shelf")))
    );
    // Open arguments arrive as they are.
    assert_eq!(
        run(&mut toy, "toy-add", r#"{"driver":1,"x":{}}"#),
        Some(Ok(value(r#"["driver","x"]"#)))
    );
    // A coroutine answers when it likes.
    let command = Command::decode("node-make", dict(r#"{"driver":"empty"}"#)).expect("a command");
    let (raw, results) = reply();
    dispatch(&mut toy, command, raw);
    assert!(results.try_recv().is_err());
    toy.later.take().expect("a reply").send(Ok(()));
    assert_eq!(results.recv(), Ok(Ok(empty)));
}

#[test]
fn out_of_band_commands_cannot_reach_the_machine() {
    let echo = || Command::decode("toy-echo", dict(r#"{"word":"hi"}"#)).expect("a command");
    let overtaker: &dyn OobHandlers = &Overtaker;
    let (raw, results) = reply();
    assert!(dispatch_oob(overtaker, echo(), raw).is_none());
    assert_eq!(results.recv(), Ok(Ok(Value::from("hi"))));
    // Others are handed back, with a reply that still works.
    let (raw, results) = reply();
    let command = Command::decode("toy-get", dict(r#"{"id":"a"}"#)).expect("a command");
    let (command, raw) = dispatch_oob(overtaker, command, raw).expect("handed back");
    dispatch(&mut Toy::default(), command, raw);
    assert!(results.recv().is_ok_and(|result| result.is_ok()));
    let (raw, results) = reply();
    dispatch(&mut Toy::default(), echo(), raw);
    assert!(results.recv().is_ok_and(|result| result.is_err()));
}

#[test]
fn commands_carry_their_flags() {
    let flags = |name: &str| {
        let info = generated::command_info(name).expect("a command");
        (info.allow_oob, info.allow_preconfig, info.coroutine, info.session)
    };
    assert_eq!(flags("toy-echo"), (true, false, false, false));
    assert_eq!(flags("toy-get"), (false, true, false, false));
    assert_eq!(flags("node-make"), (false, false, true, false));
    assert_eq!(flags("toy-negotiate"), (false, false, false, true));
    assert_eq!(generated::command_info("toy-ECHO").map(|info| info.name), None);
    for info in COMMANDS {
        let found = generated::command_info(info.name).map(|info| info.module);
        assert_eq!(found, Some(info.module));
    }
}

#[test]
fn events_have_names_and_data() {
    let event = Event::ToyBroken(ToyBrokenEvent { id: "a".into(), colour: Some(ToyColour::Green) });
    assert_eq!(event.name(), "TOY_BROKEN");
    assert_eq!(event.data().map(Value::Dict), Some(value(r#"{"id":"a","colour":"green"}"#)));
    assert_eq!(
        EVENTS.iter().map(|info| info.name).collect::<Vec<_>>(),
        ["TOY_BROKEN", "TOY_BOXED"]
    );
}

#[test]
fn introspection_tells_features_variants_and_recursion() {
    let entries: Vec<Value> =
        qapi::introspect(COMMANDS, EVENTS).into_iter().map(Encode::encode).collect();
    let find = |name: &str| {
        let named = |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some(name);
        entries.iter().find(named).unwrap_or_else(|| panic!("no entry {name}"))
    };
    let text = |entry: &Value, key: &str| {
        entry.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no {key}")).to_owned()
    };
    assert_eq!(find("toy-echo").get("allow-oob"), Some(&Value::Bool(true)));
    assert_eq!(find("toy-get").get("allow-oob"), None);
    assert_eq!(find("node-make").get("features"), Some(&value(r#"["unstable"]"#)));
    let object = find(&text(find("toy-put"), "arg-type")).clone();
    assert_eq!(object.get("features"), Some(&value(r#"["unstable"]"#)));
    let members = object.get("members").and_then(Value::as_list).expect("members");
    let names: Vec<&str> =
        members.iter().filter_map(|member| member.get("name")?.as_str()).collect();
    assert_eq!(names[..4], ["id", "note", "b", "i"]);
    assert_eq!(members[0].get("default"), None);
    assert_eq!(members[1].get("default"), Some(&Value::Null));
    // The box in the box is the same type, and all widths of integer are one.
    assert_eq!(text(&members[names.len() - 1], "type"), text(find("toy-put"), "arg-type"));
    assert!(members[3..9].iter().all(|member| text(member, "type") == "int"));
    let union = find(&text(find("node-make"), "arg-type")).clone();
    assert_eq!(text(&union, "tag"), "driver");
    let variants = union.get("variants").and_then(Value::as_list).expect("variants");
    assert_eq!(variants.len(), 3);
    assert_eq!(variants[0], value(r#"{"case":"empty","type":"0"}"#));
    assert_eq!(find("0"), &value(r#"{"name":"0","meta-type":"object","members":[]}"#));
    assert_eq!(
        find("[str]"),
        &value(r#"{"name":"[str]","meta-type":"array","element-type":"str"}"#)
    );
    assert_eq!(text(find("toy-add"), "ret-type"), "[str]");
}
