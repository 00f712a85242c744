//! Base64 (RFC 4648 section 4), for bytes in JSON strings.

use qapi::Error;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes `bytes` with padding and without line ends.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut word = 0;
        (0..3).for_each(|i| word = word << 8 | u32::from(group.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= group.len() { digit.into() } else { '=' });
        }
    }
    text
}

/// Reads what [`encode`] writes, or several such texts in a row; line feeds are skipped.
///
/// # Errors
/// A character that does not belong there, or a last group of less than four characters.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'\n').collect();
    if !digits.iter().all(|byte| *byte == b'=' || ALPHABET.contains(byte)) {
        return Err(Error::generic("Base64 data contains invalid characters"));
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for group in digits.chunks(4) {
        let used = group.iter().position(|byte| *byte == b'=').unwrap_or(4);
        if group.len() < 4 || used < 2 || group[used..].iter().any(|byte| *byte != b'=') {
            return Err(Error::generic("Base64 data is incomplete or wrongly padded"));
        }
        let value = |byte: &u8| ALPHABET.iter().position(|digit| digit == byte).unwrap_or(0);
        let word = group.iter().fold(0, |word, byte| word << 6 | value(byte) as u32);
        bytes.extend_from_slice(&word.to_be_bytes()[1..used]);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let examples = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in examples {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).unwrap(), plain.as_bytes());
        }
        assert_eq!(encode(&[0xff, 0xfe, 0xfb]), "//77");
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)).unwrap(), all);
    }

    #[test]
    fn texts_in_a_row_and_line_ends_are_read() {
        assert_eq!(decode("YQ==YWI=\nY\nWJj\n").unwrap(), b"aababc");
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for bad in ["YW Jj", "!!!!", "YWJ\u{e9}", "YWJj\0"] {
            let error = decode(bad).unwrap_err();
            assert_eq!(error.desc, "Base64 data contains invalid characters", "{bad}");
        }
        for bad in ["Y", "YQ", "YQ=", "=", "====", "Y===", "YQ=Q", "YWJjYQ"] {
            let error = decode(bad).unwrap_err();
            assert_eq!(error.desc, "Base64 data is incomplete or wrongly padded", "{bad}");
        }
    }
}
