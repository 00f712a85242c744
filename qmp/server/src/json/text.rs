//! Strings: UTF-8 with U+0000 spelled C0 80, escapes, and showing bytes that are neither.

/// One step through bytes that should be UTF-8: the character, if it is a good one, and how many bytes it took.
///
/// Good means the shortest spelling (or C0 80 for U+0000), no surrogate and no noncharacter. A bad sequence is its
/// leading byte with as many continuation bytes as that announces, so that it shows as one replacement character.
pub(super) fn next_char(bytes: &[u8]) -> (Option<char>, usize) {
    let Some(&lead) = bytes.first() else {
        return (None, 0);
    };
    let (announced, smallest, bits) = match lead {
        0x00..=0x7F => return (Some(char::from(lead)), 1),
        0xC0..=0xDF => (2, 0x80, lead & 0x1F),
        0xE0..=0xEF => (3, 0x800, lead & 0x0F),
        0xF0..=0xF7 => (4, 0x1_0000, lead & 0x07),
        // Longer sequences never name a character, but count as one.
        0xF8..=0xFB => (5, u32::MAX, 0),
        0xFC..=0xFD => (6, u32::MAX, 0),
        0x80..=0xBF | 0xFE..=0xFF => return (None, 1),
    };
    let tail = &bytes[1..bytes.len().min(announced)];
    let tail_len = tail.iter().take_while(|&&byte| byte & 0xC0 == 0x80).count();
    if tail_len + 1 < announced {
        return (None, tail_len + 1);
    }
    if smallest == u32::MAX {
        return (None, announced);
    }
    let code = tail.iter().fold(u32::from(bits), |code, &byte| code << 6 | u32::from(byte & 0x3F));
    let shortest = code >= smallest || (announced == 2 && code == 0);
    let good = char::from_u32(code).filter(|&c| shortest && !is_noncharacter(c));
    (good, announced)
}

/// Code points that Unicode keeps for internal use; the wire carries none of them.
pub(super) fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

/// Bytes as text for an error message: bad sequences become U+FFFD, and a NUL byte ends it.
pub(super) fn show(bytes: &[u8]) -> String {
    let mut rest = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    let mut shown = String::with_capacity(rest.len());
    while !rest.is_empty() {
        let (c, len) = next_char(rest);
        shown.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = &rest[len..];
    }
    shown
}

/// The text of a string token (with its quotes), or what is wrong with it.
pub(super) fn decode(token: &[u8]) -> Result<String, String> {
    let body = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if body.is_ascii() && !body.contains(&b'\\') {
        return Ok(String::from_utf8_lossy(body).into_owned());
    }
    let mut text = String::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        if body[at] == b'\\' {
            let (c, len) = escape(&body[at..], &token[at + 1..])?;
            text.push(c);
            at += len;
            continue;
        }
        match next_char(&body[at..]) {
            (Some(c), len) => {
                text.push(c);
                at += len;
            }
            (None, _) => return Err("invalid UTF-8 sequence in string".into()),
        }
    }
    Ok(text)
}

/// An escape sequence at the start of `body`; `quoted` is the same up to and with the closing quote, which error
/// messages may show.
fn escape(body: &[u8], quoted: &[u8]) -> Result<(char, usize), String> {
    let c = match body.get(1) {
        Some(b'"') => '"',
        Some(b'\'') => '\'',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            return unicode(body).ok_or_else(|| {
                let shown = show(&quoted[..quoted.len().min(6)]);
                format!("{shown} is not a valid Unicode character")
            });
        }
        _ => return Err("invalid escape sequence in string".into()),
    };
    Ok((c, 2))
}

/// `\uXXXX`, or two of them for a character beyond 16 bits.
fn unicode(body: &[u8]) -> Option<(char, usize)> {
    let first = unit(body)?;
    let (code, len) = if (0xD800..0xDC00).contains(&first) {
        let second = unit(&body[6..]).filter(|unit| (0xDC00..0xE000).contains(unit))?;
        (0x1_0000 + ((first & 0x3FF) << 10 | second & 0x3FF), 12)
    } else {
        (first, 6)
    };
    let c = char::from_u32(code).filter(|&c| !is_noncharacter(c))?;
    Some((c, len))
}

fn unit(body: &[u8]) -> Option<u32> {
    let digits = body.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_sequences_show_as_one_replacement_each() {
        for (bytes, shown) in [
            (&b"\xE2\x82A"[..], "\u{FFFD}A"),
            (b"\xED\xA0\x80", "\u{FFFD}"),
            (b"\xF8\x88\x80\x80\x80x", "\u{FFFD}x"),
            (b"\xFC\x84\x80\x80\x80\x80", "\u{FFFD}"),
            (b"\x80\x80", "\u{FFFD}\u{FFFD}"),
            (b"\xC0\x80\xC0\xAF", "\0\u{FFFD}"),
            (b"\xEF\xBF\xBF", "\u{FFFD}"),
            (b"a\0b", "a"),
        ] {
            assert_eq!(show(bytes), shown);
        }
    }

    #[test]
    fn escapes_and_their_mistakes() {
        assert_eq!(decode(br#""\ud83d\uDE00\'\/\u0000""#).as_deref(), Ok("\u{1F600}'/\0"));
        assert_eq!(decode(b"'\xC3\xA9\xC0\x80'").as_deref(), Ok("\u{E9}\0"));
        for (token, shown) in [
            (&br#""\u12""#[..], r#"\u12""#),
            (br#""\u12\"ab""#, r#"\u12\""#),
            (br#""\u12g4z""#, r"\u12g4"),
            (br#""\ud800\u0041""#, r"\ud800"),
            (br#""\udc00""#, r"\udc00"),
            (br#""\uffff""#, r"\uffff"),
            (br#""\u+123""#, r"\u+123"),
            (b"\"\\u12\xC3\xA9\"", "\\u12\u{E9}"),
        ] {
            assert_eq!(decode(token), Err(format!("{shown} is not a valid Unicode character")));
        }
        assert!(decode(br#""\a""#).is_err());
        assert!(decode(b"\"\xE2\x82\"").is_err());
    }
}
