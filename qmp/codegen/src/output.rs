//! The generated files on disk: formatted, written, compared.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Generated files: name and text.
pub(crate) type Files = BTreeMap<String, String>;

/// Formats the text of each file with `rustfmt`. An error says why that could not be done.
pub(crate) fn formatted(files: &[(String, String)]) -> io::Result<Files> {
    files.iter().map(|(name, text)| Ok((name.clone(), format_one(text)?))).collect()
}

/// Pipes one file through `rustfmt`.
fn format_one(text: &str) -> io::Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--quiet"])
        // The settings are found from here upwards, wherever this is called.
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = rustfmt.stdin.take() {
        // rustfmt reads everything before it writes, so this cannot block for ever.
        stdin.write_all(text.as_bytes())?;
    }
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("rustfmt failed: {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}

/// The Rust files in a folder.
pub(crate) fn read(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if let (Some(name), Some("rs")) =
            (path.file_name(), path.extension().and_then(|end| end.to_str()))
        {
            files.insert(name.to_string_lossy().into_owned(), std::fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

/// Writes the files that differ and removes those that are no longer generated.
pub(crate) fn write(folder: &Path, files: &Files) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let known = read(folder)?;
    for (name, text) in files {
        if known.get(name) != Some(text) {
            std::fs::write(folder.join(name), text)?;
        }
    }
    for name in known.keys().filter(|name| !files.contains_key(*name)) {
        std::fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

/// The names of files that differ, are missing or are too many.
pub(crate) fn stale(wanted: &Files, found: &Files) -> Vec<String> {
    let names = wanted.keys().chain(found.keys().filter(|name| !wanted.contains_key(*name)));
    names.filter(|name| wanted.get(*name) != found.get(*name)).cloned().collect()
}
