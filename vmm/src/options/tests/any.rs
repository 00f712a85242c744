//! Nothing that is typed makes the parser panic.

use super::super::table::OPTIONS;
use super::super::{Options, Sources, parse};
use super::parse_with_file;
use proptest::prelude::*;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// An option of the table, with one dash or two.
fn option() -> impl Strategy<Value = String> {
    (0..OPTIONS.len(), any::<bool>()).prop_map(|(index, long)| {
        let dash = if long { "--" } else { "-" };
        format!("{dash}{}", OPTIONS[index].names[0])
    })
}

/// Texts made of what arguments are made of.
fn argument() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("id=a"),
        Just("help"),
        Just("?"),
        Just("pc"),
        Just("none"),
        Just("kvm"),
        Just("="),
        Just(","),
        Just(",,"),
        Just("size=1G"),
        Just("maxmem=16E"),
        Just("cpus="),
        Just("sockets=4294967295"),
        Just("threads=4294967295"),
        Just("dies=4294967295"),
        Just("maxcpus=255"),
        Just("18446744073709551615"),
        Just("-1"),
        Just("0x"),
        Just("é"),
        Just("socket"),
        Just("unix:/s"),
        Just("tcp:[::1]:1"),
        Just("mon:"),
        Just("stdio"),
        Just("chardev:serial0"),
        Just("server"),
        Just("nowait"),
        Just("base=2020-02-30T1:1:1"),
        Just("{\"driver\":\"a\"}"),
        Just("{\"driver\":{}}"),
        Just("a.b=c"),
        Just("%d"),
        Just("trace:x"),
        Just("FILE"),
    ];
    prop_oneof![
        prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.join(",")),
        any::<String>(),
    ]
}

fn sane(options: &Options) -> bool {
    let smp = options.smp;
    let product = u64::from(smp.sockets)
        * u64::from(smp.dies)
        * u64::from(smp.cores)
        * u64::from(smp.threads);
    options.help.is_some()
        || (product == u64::from(smp.maxcpus)
            && (1..=smp.maxcpus).contains(&smp.cpus)
            && options.memory.size.is_multiple_of(8 << 10)
            && options.memory.size <= options.memory.max_size)
}

proptest! {
    #[test]
    fn any_line_has_an_answer(
        words in prop::collection::vec((option(), argument()), 0..6),
        file in any::<String>(),
    ) {
        let words = words.iter().flat_map(|(option, text)| [option.as_str(), text]);
        if let Ok(options) = parse_with_file(words, &file) {
            prop_assert!(sane(&options), "{options:?}");
        }
    }

    #[test]
    fn any_bytes_have_an_answer(words in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
        let sources = Sources { json: &|_| Err(String::new()), read: &|_| Ok(String::new()) };
        let _ = parse(words.into_iter().map(OsString::from_vec), &sources);
    }

    #[test]
    fn any_file_has_an_answer(file in "(\\[[a-z-]{3,9}( \"[a-z]\")?\\]|[a-z]{2,6} = \"[a-z0-9]*\"|#|\n){0,12}") {
        let _ = parse_with_file(["-readconfig", "FILE"], &file);
    }
}
