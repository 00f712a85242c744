//! Reading a schema folder: `qapi-schema.json` includes the other files, each of which becomes a module.

use crate::build;
use crate::lex::Problem;
use crate::model::Schema;
use crate::parse::{self, Item, Json};
use std::collections::BTreeSet;
use std::path::Path;

/// The file that includes the others.
pub(crate) const ROOT: &str = "qapi-schema.json";

/// A parsed file of the schema.
pub(crate) struct Source {
    /// Its name.
    pub file: String,
    /// Its introduction.
    pub intro: Vec<String>,
    /// Its definitions and pragmas.
    pub items: Vec<Item>,
}

/// Loads and checks the schema in `folder`.
pub(crate) fn schema(folder: &Path) -> Result<Schema, Problem> {
    build::schema(&sources(folder)?)
}

/// The names that a schema defines, whether or not it keeps all rules.
pub(crate) fn names(folder: &Path) -> Result<BTreeSet<String>, Problem> {
    let sources = sources(folder)?;
    let items = sources.iter().flat_map(|source| &source.items);
    let names = items.filter_map(|item| item.expr.first().and_then(|(_, value)| value.text()));
    Ok(names.map(str::to_owned).collect())
}

/// Reads the files in the order of their inclusion.
fn sources(folder: &Path) -> Result<Vec<Source>, Problem> {
    let mut sources = Vec::new();
    include(folder, ROOT, (ROOT, 1), &mut sources)?;
    Ok(sources)
}

/// Reads a file and those it includes, each once.
fn include(
    folder: &Path,
    file: &str,
    from: (&str, usize),
    sources: &mut Vec<Source>,
) -> Result<(), Problem> {
    if sources.iter().any(|source| source.file == file) {
        return Ok(());
    }
    let problem = |message: String| Problem { file: from.0.to_owned(), line: from.1, message };
    // Names of files become names of modules, and never leave the folder.
    let stem = file.strip_suffix(".json").unwrap_or_default();
    if stem.is_empty() || !stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        return Err(problem(format!("'{file}' is not the name of a schema file")));
    }
    let text = std::fs::read_to_string(folder.join(file))
        .map_err(|error| problem(format!("{file}: {error}")))?;
    let parsed = parse::file(file, &text)?;
    let (includes, items): (Vec<Item>, Vec<Item>) =
        parsed.items.into_iter().partition(|item| item.get("include").is_some());
    // The place is taken first, so that files may include each other.
    let place = sources.len();
    sources.push(Source { file: file.to_owned(), intro: parsed.intro, items });
    for item in includes {
        match item.get("include") {
            Some(Json::Text(name)) if item.expr.len() == 1 => {
                include(folder, name, (file, item.line), sources)?;
            }
            _ => {
                return Err(Problem {
                    file: file.to_owned(),
                    line: item.line,
                    message: "'include' takes one file name".to_owned(),
                });
            }
        }
    }
    // Included definitions come before those of the file that includes them.
    sources[place..].rotate_left(1);
    Ok(())
}
