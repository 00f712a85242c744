//! Whole command lines: what they ask for, and what is wrong with them.

mod any;
mod good;
mod libvirt;
mod readconfig;
mod refused;

use super::{Error, Item, Options, Sources, parse};
use qapi::Dict;
use std::ffi::OsString;
use std::io;

/// Parses in a world with one file, `FILE`.
fn parse_with_file<'a>(
    words: impl IntoIterator<Item = &'a str>,
    file: &str,
) -> Result<Options, Error> {
    let read = |path: &str| match path {
        "FILE" => Ok(file.to_owned()),
        _ => Err(io::Error::from_raw_os_error(2)),
    };
    let sources = Sources { read: &read, ..Sources::host() };
    parse(words.into_iter().map(OsString::from), &sources)
}

/// Parses words with single spaces between them; `''` is an empty one.
fn line(text: &str) -> Result<Options, Error> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    parse_with_file(words.map(|word| if word == "''" { "" } else { word }), "")
}

fn good(text: &str) -> Options {
    match line(text) {
        Ok(options) => options,
        Err(error) => panic!("{text}: {error}"),
    }
}

fn bad(text: &str) -> String {
    match line(text) {
        Ok(options) => panic!("{text}: accepted as {options:?}"),
        Err(error) => error.to_string(),
    }
}

fn dict(members: &[(&str, &str)]) -> Dict {
    Dict::from_iter(members.iter().copied())
}

fn dicts(items: &[Item]) -> Vec<Dict> {
    items.iter().map(|item| item.dict.clone()).collect()
}
