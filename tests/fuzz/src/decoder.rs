//! The commands' decoder: a request's arguments, for the command it names or else for every command, as JSON and as
//! `key=value` pairs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qapi::source::{Json, KeyVal, Source};
use qapi::{COMMANDS, Command, Dict, Value, command_info};

fn decode(name: &str, arguments: &Dict) {
    let sources: [&dyn Source; 2] = [&Json, &KeyVal];
    for source in sources {
        match Command::decode_from(name, arguments.clone(), source) {
            Ok(command) => assert_eq!(command.name(), name),
            Err(error) => assert!(!error.desc.is_empty()),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(Value::Dict(request)) = qmp::json::parse(text) else { return };
    let arguments = request.get("arguments").and_then(Value::as_dict).cloned().unwrap_or_default();
    match request.get("execute").and_then(Value::as_str) {
        Some(name) if command_info(name).is_some() => decode(name, &arguments),
        _ => COMMANDS.iter().for_each(|command| decode(command.name, &arguments)),
    }
});
