//! The README's tables say what is true: the same options, commands and events as the program.

use harness::Builder;
use serde_json::json;

const README: &str = include_str!("../README.md");

/// The names in backquotes that begin the rows of the table under `heading`.
fn table(heading: &str) -> Vec<String> {
    let section = README.split(&format!("\n### {heading}\n")).nth(1).expect("the heading");
    let section = section.split("\n#").next().expect("its text");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let name = |row: &str| row.split(['`', ' ']).next().expect("a name").to_owned();
    let mut names: Vec<_> = rows.map(name).collect();
    names.sort();
    names
}

#[test]
fn the_tables_of_commands_and_events_are_complete() {
    let arguments = "-machine none -display none";
    let mut vmm = Builder::new(env!("CARGO_BIN_EXE_vmm")).with_qmp().args(arguments).start();
    if !harness::kvm_or_skip("readme::commands") {
        return;
    }
    let mut qmp = vmm.qmp();
    for (heading, command) in [("Commands", "query-commands"), ("Events", "query-events")] {
        let reply = qmp.ok(command, json!({}));
        let name = |item: &serde_json::Value| item["name"].as_str().expect("a name").to_owned();
        let mut names: Vec<_> = reply.as_array().expect("a list").iter().map(name).collect();
        names.sort();
        assert_eq!(table(heading), names, "README.md, {heading}");
    }
}

#[test]
fn the_table_of_options_is_complete() {
    let help = Builder::new(env!("CARGO_BIN_EXE_vmm")).args("-help").run();
    let entries = help.stdout.lines().filter_map(|line| line.strip_prefix('-'));
    let name = |entry: &str| {
        let end = entry.find([' ', ',']).unwrap_or(entry.len());
        format!("-{}", &entry[..end])
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    assert!(names.len() > 20, "{}", help.stdout);
    assert_eq!(table("Options"), names, "README.md, Options");
}
