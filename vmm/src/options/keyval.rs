//! `key=value,…`: how the text of an argument becomes pairs.
//!
//! QEMU has two dialects. The older one (`-m`, `-chardev`, `-device`, …) lets a bare word stand for `word=on`, and `noword` for
//! `word=off`. The newer one (`-machine`, `-smp`, `-boot`) has no bare words and checks the form of keys, which may be
//! dotted. In both `,,` is a comma within a value, and the first value may leave its key out.

/// One `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The key; empty where the text has none.
    pub(super) key: String,
    /// The value; `None` for a bare word.
    pub(super) value: Option<String>,
}

impl Pair {
    /// A pair with a value.
    pub(super) fn new(key: impl Into<String>, value: impl Into<String>) -> Pair {
        Pair { key: key.into(), value: Some(value.into()) }
    }
}

/// What a text asks for: settings, or to be told which there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pairs {
    /// The pairs in the order of the text.
    pub(super) pairs: Vec<Pair>,
    /// Whether a bare `help` or `?` is among them (it is not one of the pairs).
    pub(super) help: bool,
}

impl Pairs {
    /// The last value given for a key.
    pub(super) fn last(&self, key: &str) -> Option<&str> {
        let pair = self.pairs.iter().rev().find(|pair| pair.key == key)?;
        Some(pair.value.as_deref().unwrap_or("on"))
    }
}

/// Whether a bare word asks for help.
pub(super) fn is_help(word: &str) -> bool {
    matches!(word, "help" | "?")
}

/// Reads a value up to a single comma, and undoubles the doubled ones. The rest starts after that comma.
fn value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let Some(comma) = rest.find(',') else {
            value.push_str(rest);
            return (value, "");
        };
        value.push_str(&rest[..comma]);
        rest = &rest[comma + 1..];
        match rest.strip_prefix(',') {
            Some(after) => {
                value.push(',');
                rest = after;
            }
            None => return (value, rest),
        }
    }
}

/// Reads the older dialect. Every text has a meaning here; whether the keys exist is for the reader of the pairs.
pub(super) fn parse_opts(text: &str, implied: Option<&str>) -> Pairs {
    let mut pairs = Pairs { pairs: Vec::new(), help: false };
    let mut rest = text;
    let mut implied = implied;
    while !rest.is_empty() {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let first = implied.take();
        if rest[end..].starts_with('=') {
            let (text, after) = value(&rest[end + 1..]);
            pairs.pairs.push(Pair::new(&rest[..end], text));
            rest = after;
        } else if let Some(key) = first {
            let (text, after) = value(rest);
            pairs.pairs.push(Pair::new(key, text));
            rest = after;
        } else {
            let word = &rest[..end];
            if is_help(word) {
                pairs.help = true;
            } else {
                pairs.pairs.push(Pair { key: word.to_owned(), value: None });
            }
            rest = rest.get(end + 1..).unwrap_or("");
        }
    }
    pairs
}

/// Reads the newer dialect; an error is its text.
pub(super) fn parse_keyval(text: &str, implied: Option<&str>) -> Result<Pairs, String> {
    let mut pairs = Pairs { pairs: Vec::new(), help: false };
    let mut rest = text;
    let mut implied = implied;
    while !rest.is_empty() {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let word = &rest[..end];
        let first = implied.take();
        let assigned = rest[end..].starts_with('=');
        if !assigned && is_help(word) {
            pairs.help = true;
            rest = rest.get(end + 1..).unwrap_or("");
        } else if !assigned
            && let Some(key) = first
            && !word.is_empty()
        {
            pairs.pairs.push(Pair::new(key, word));
            rest = rest.get(end + 1..).unwrap_or("");
        } else if !is_key(word) {
            return Err(format!("Invalid parameter '{word}'"));
        } else if !assigned {
            return Err(format!("Expected '=' after parameter '{word}'"));
        } else {
            let (text, after) = value(&rest[end + 1..]);
            pairs.pairs.push(Pair::new(word, text));
            rest = after;
        }
    }
    Ok(pairs)
}

/// Whether a text is a dotted key of the newer dialect: names or list indices between the dots.
fn is_key(text: &str) -> bool {
    text.split('.').enumerate().all(|(depth, part)| {
        let word = part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let index = depth > 0 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        word || index
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opts(text: &str) -> Vec<(String, Option<String>)> {
        let pairs = parse_opts(text, Some("first")).pairs;
        pairs.into_iter().map(|p| (p.key, p.value)).collect()
    }

    fn pair(key: &str, value: &str) -> (String, Option<String>) {
        (key.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn older_dialect() {
        assert_eq!(opts(""), []);
        assert_eq!(opts("a,,b,c=d,,e"), [pair("first", "a,b"), pair("c", "d,e")]);
        assert_eq!(opts("a,b"), [pair("first", "a"), ("b".to_owned(), None)]);
        assert_eq!(opts(",b=1"), [pair("first", ""), pair("b", "1")]);
        assert_eq!(opts("=x"), [pair("", "x")]);
        assert_eq!(opts("a=b=c,"), [pair("a", "b=c")]);
        assert!(parse_opts("a,help", Some("first")).help);
        assert!(parse_opts("help", None).help);
        assert!(!parse_opts("help", Some("first")).help);
        assert!(!parse_opts("id=help", None).help);
    }

    #[test]
    fn newer_dialect() {
        let parse = |text| parse_keyval(text, Some("type"));
        assert_eq!(
            parse("pc,a.0.b=c,,d,").map(|p| p.pairs),
            Ok(vec![Pair::new("type", "pc"), Pair::new("a.0.b", "c,d")])
        );
        assert_eq!(parse("").map(|p| p.pairs), Ok(vec![]));
        assert_eq!(parse("help").map(|p| p.help), Ok(true));
        assert_eq!(parse("pc,?").map(|p| p.help), Ok(true));
        for (text, message) in [
            ("=pc", "Invalid parameter ''"),
            ("pc,,foo", "Invalid parameter ''"),
            ("pc,foo", "Expected '=' after parameter 'foo'"),
            ("1a=1", "Invalid parameter '1a'"),
            (".=1", "Invalid parameter '.'"),
            ("a..b=1", "Invalid parameter 'a..b'"),
            (",cores=2", "Invalid parameter ''"),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_end(text in "[a-c=,?. ]{0,24}") {
            let _ = parse_keyval(&text, Some("x"));
            let pairs = parse_opts(&text, Some("x"));
            prop_assert!(pairs.pairs.len() <= text.len());
        }

        #[test]
        fn a_doubled_comma_is_one(value in "[a-z,=]{1,12}") {
            let text = format!("k={}", value.replace(',', ",,"));
            prop_assert_eq!(parse_opts(&text, None).pairs, vec![Pair::new("k", value)]);
        }
    }
}
