//! The JSON reader: any bytes, cut anywhere, read the same; what is read prints and reads again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qapi::Value;
use qmp::json::{Reader, parse, write_compact, write_pretty};

/// Everything that a stream of bytes means, in an order.
fn read<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut reader = Reader::new();
    let mut outcomes = Vec::new();
    for mut part in parts {
        while let Some(outcome) = reader.next(&mut part) {
            outcomes.push(format!("{outcome:?}"));
        }
        assert!(part.is_empty(), "the reader left bytes");
    }
    outcomes.push(format!("{:?}", reader.finish()));
    outcomes
}

/// Whether printing has a spelling for every number in it: infinity has none.
fn is_finite(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_finite(),
        Value::List(elements) => elements.iter().all(is_finite),
        Value::Dict(dict) => dict.iter().all(|(_, value)| is_finite(value)),
        _ => true,
    }
}

/// Whether two values are equal, members in any order; a number may have lost its fraction of zero.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), _) => left.as_f64() == right.as_f64(),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Value::Dict(left), Value::Dict(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, l)| right.get(key).is_some_and(|r| same(l, r)))
        }
        _ => left == right,
    }
}

fuzz_target!(|data: &[u8]| {
    let whole = read([data].into_iter());
    // Where it is cut depends on the bytes, so that mutations move the cut.
    let sum: usize = data.iter().map(|byte| usize::from(*byte)).sum();
    let (left, right) = data.split_at(sum % (data.len() + 1));
    assert_eq!(read([left, right].into_iter()), whole);
    assert_eq!(read(data.chunks(1)), whole);

    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(value) = parse(text) else { return };
    if !is_finite(&value) {
        return;
    }
    let (mut compact, mut pretty) = (Vec::new(), Vec::new());
    write_compact(&mut compact, &value);
    write_pretty(&mut pretty, &value);
    for printed in [&compact, &pretty] {
        let printed = std::str::from_utf8(printed).expect("UTF-8");
        let again = parse(printed).expect("what was printed is read");
        assert!(same(&value, &again), "{printed} from {value:?} is read as {again:?}");
    }
});
