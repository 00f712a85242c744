//! The option parser: words separated by spaces (`''` is an empty one), then, after the first `^`, the lines of the file
//! that `-readconfig` reads, separated by `^` too. Nothing of the host is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use vmm::options::{Sources, parse};

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'^').unwrap_or(data.len());
    let (line, file) = data.split_at(end);
    let words = line.split(|byte| *byte == b' ').map(|word| {
        let word = if word == b"''" { b"" } else { word };
        OsString::from_vec(word.to_vec())
    });
    let file = String::from_utf8_lossy(file.get(1..).unwrap_or_default()).replace('^', "\n");
    let sources = Sources {
        json: &|text| qmp::json::parse(text).map_err(|error| error.to_string()),
        read: &|_| Ok(file.clone()),
    };
    match parse(words, &sources) {
        Ok(options) => {
            options.boots_builtin_guest();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
