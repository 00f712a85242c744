//! Any bytes, cut anywhere: the reader never panics and reads the same.

use proptest::collection::vec;
use proptest::prelude::*;
use qmp::json::{Reader, parse, write_compact};

fn read(parts: &[&[u8]]) -> Vec<String> {
    let mut reader = Reader::new();
    let mut outcomes = Vec::new();
    for part in parts {
        let mut input = *part;
        while let Some(outcome) = reader.next(&mut input) {
            outcomes.push(format!("{outcome:?}"));
        }
        assert!(input.is_empty());
    }
    outcomes.push(format!("{:?}", reader.finish()));
    outcomes
}

/// Bytes that are more often JSON than not.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let parts = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "'",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "12",
        "-",
        "0",
        ".5",
        "e+1",
        "true",
        "nul",
        "null",
        " ",
        "\t",
        "\n",
        "\"a\"",
        "\"a\":",
        "{\"a\":1}",
        "\u{e9}",
    ];
    let part = prop_oneof![
        8 => prop::sample::select(parts.to_vec()).prop_map(|part| part.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn splits_do_not_matter(text in texts(), cuts in vec(any::<prop::sample::Index>(), 0..5)) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let parts: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        prop_assert_eq!(read(&parts), read(&[&text]));
    }

    #[test]
    fn what_is_read_prints_and_reads_again(text in texts()) {
        let text = String::from_utf8_lossy(&text);
        if let Ok(value) = parse(&text) {
            let mut printed = Vec::new();
            write_compact(&mut printed, &value);
            let printed = String::from_utf8(printed).unwrap();
            // Infinity alone has no spelling that can be read.
            if !printed.contains("inf") {
                let again = parse(&printed).unwrap();
                let mut reprinted = Vec::new();
                write_compact(&mut reprinted, &again);
                prop_assert_eq!(printed, String::from_utf8(reprinted).unwrap());
            }
        }
    }
}
