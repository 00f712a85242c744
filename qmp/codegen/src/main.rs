//! `cargo qapi`: turns the schema in `qmp/schema` into the code of the `qapi` crate.
//!
//! - `cargo qapi generate` writes the generated files;
//! - `cargo qapi check` exits with status 1 if they are not what the schema says;
//! - `cargo qapi import FILE NAME…` adds definitions to a file of the schema, from the facts in `qmp/qapi.json`.

mod build;
mod check;
mod doc;
mod emit;
mod import;
mod lex;
mod load;
mod model;
mod output;
mod parse;
#[cfg(test)]
mod tests;

use output::Files;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How to call this program.
const USAGE: &str = "usage: cargo qapi generate | check | import FILE NAME…";

/// The folder with the schema, the facts and the crates.
fn qmp() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each schema and where its code goes: the product's, and a small one that tests what the product does not use yet.
fn targets() -> [(PathBuf, PathBuf); 2] {
    [
        (qmp().join("schema"), qmp().join("qapi/src/generated")),
        (qmp().join("codegen/toy"), qmp().join("qapi/tests/toy/generated")),
    ]
}

/// The formatted files of a schema.
fn generated(schema: &Path) -> Result<Files, Box<dyn Error>> {
    let schema = load::schema(schema)?;
    Ok(output::formatted(&emit::files(&schema))?)
}

fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["generate"] => {
            for (schema, folder) in targets() {
                output::write(&folder, &generated(&schema)?)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ["check"] => {
            let mut fresh = true;
            for (schema, folder) in targets() {
                for name in output::stale(&generated(&schema)?, &output::read(&folder)?) {
                    eprintln!(
                        "{} is stale: run `cargo qapi generate`",
                        folder.join(name).display()
                    );
                    fresh = false;
                }
            }
            Ok(if fresh { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        ["import", file, names @ ..] if !names.is_empty() => {
            import::run(&qmp(), file, names)?;
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
