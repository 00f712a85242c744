//! The values of parameters: truth values, numbers, sizes, identifiers.
//!
//! What is accepted, and the words of a refusal, are QEMU's. The texts come without a place; the caller knows it.

/// The advice that follows a refused identifier.
pub(super) const IDENTIFIER_HINT: &str =
    "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";
/// The advice that follows a refused size.
pub(super) const SIZE_HINT: &str = "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.";

/// Reads `on`, `yes`, `true` or `y`, and their opposites.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "on" | "yes" | "true" | "y" => Some(true),
        "off" | "no" | "false" | "n" => Some(false),
        _ => None,
    }
}

/// Why a number or size was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It is no number of the expected form.
    Syntax,
    /// It is one, but does not fit 64 bits.
    Range,
}

/// A magnitude in C's notation: `0x` for hexadecimal, a leading `0` for octal, else decimal.
fn magnitude(text: &str) -> Result<u64, Malformed> {
    let (digits, radix) = if let Some(hex) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        (hex, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text, 10)
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Malformed::Syntax);
    }
    u64::from_str_radix(digits, radix).map_err(|_| Malformed::Range)
}

/// Splits leading white space and a sign off a number; true means negative.
fn sign(text: &str) -> (bool, &str) {
    let text = text.trim_start();
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// An unsigned number. A negative one wraps around, as C's `strtoull` does: the callers' ranges refuse it.
pub(super) fn unsigned(text: &str) -> Result<u64, Malformed> {
    let (negative, digits) = sign(text);
    let number = magnitude(digits)?;
    Ok(if negative { number.wrapping_neg() } else { number })
}

/// A signed number.
pub(super) fn signed(text: &str) -> Result<i64, Malformed> {
    let (negative, digits) = sign(text);
    let number = i128::from(magnitude(digits)?);
    i64::try_from(if negative { -number } else { number }).map_err(|_| Malformed::Range)
}

/// A size in bytes: a number with an optional fraction and an optional suffix `B`, `k`, `M`, `G`, `T`, `P` or `E` (powers of
/// 1024, either case). A fraction needs a suffix that makes it whole bytes possible; it is rounded down.
pub(super) fn size(text: &str) -> Result<u64, Malformed> {
    let (negative, text) = sign(text);
    if negative {
        return Err(Malformed::Syntax);
    }
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    // `B` and `E` are digits of a hexadecimal number, never suffixes of one.
    let shift = match text.chars().last() {
        Some('k' | 'K') => Some(10),
        Some('m' | 'M') => Some(20),
        Some('g' | 'G') => Some(30),
        Some('t' | 'T') => Some(40),
        Some('p' | 'P') => Some(50),
        Some('e' | 'E') if !hexadecimal => Some(60),
        Some('b' | 'B') if !hexadecimal => Some(0),
        _ => None,
    };
    let number = match shift {
        Some(_) => &text[..text.len() - 1],
        None => text,
    };
    let shift = shift.unwrap_or(0);
    if hexadecimal {
        return scale(magnitude(number)?, shift);
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || number.ends_with('.') {
        return Err(Malformed::Syntax);
    }
    if !fraction.is_empty() && shift == 0 {
        return Err(Malformed::Syntax);
    }
    let whole = scale(whole.parse().map_err(|_| Malformed::Range)?, shift)?;
    // Eighteen digits decide every byte below 2^60.
    let fraction = &fraction[..fraction.len().min(18)];
    let part = fraction.parse::<u128>().unwrap_or(0);
    let part = (part << shift) / 10u128.pow(fraction.len() as u32);
    u64::try_from(u128::from(whole) + part).map_err(|_| Malformed::Range)
}

fn scale(number: u64, shift: u32) -> Result<u64, Malformed> {
    number.checked_mul(1 << shift).ok_or(Malformed::Range)
}

/// Whether a text can name an object: letters, digits, `-`, `.` and `_`, starting with a letter.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_does() {
        assert_eq!(unsigned("0x10"), Ok(16));
        assert_eq!(unsigned("010"), Ok(8));
        assert_eq!(unsigned("0"), Ok(0));
        assert_eq!(unsigned(" +7"), Ok(7));
        assert_eq!(unsigned("-1"), Ok(u64::MAX));
        assert_eq!(unsigned("18446744073709551616"), Err(Malformed::Range));
        assert_eq!(signed("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(signed("9223372036854775808"), Err(Malformed::Range));
        for text in ["", "-", "+", "x", "1x", "7 ", "0x", "08", "--1", "1.0"] {
            assert_eq!(unsigned(text), Err(Malformed::Syntax), "{text:?}");
            assert_eq!(signed(text), Err(Malformed::Syntax), "{text:?}");
        }
    }

    #[test]
    fn sizes_have_suffixes_and_fractions() {
        assert_eq!(size("1k"), Ok(1024));
        assert_eq!(size("1.5G"), Ok(3 << 29));
        assert_eq!(size("1.0001k"), Ok(1024));
        assert_eq!(size("12345B"), Ok(12345));
        assert_eq!(size("0x1B"), Ok(27));
        assert_eq!(size("0x10k"), Ok(16384));
        assert_eq!(size("15E"), Ok(15 << 60));
        assert_eq!(size("16E"), Err(Malformed::Range));
        assert_eq!(size("15.99999999999999999999999E").map(|s| s >> 60), Ok(15));
        for text in ["", "-1", "1X", "1GB", "1e3", "0.5", "1.5B", ".5k", "1.k", "k", "1.2.3k"] {
            assert_eq!(size(text), Err(Malformed::Syntax), "{text:?}");
        }
    }

    #[test]
    fn identifiers_start_with_a_letter() {
        for good in ["a", "disk-0", "Z.9_x"] {
            assert!(is_identifier(good), "{good:?}");
        }
        for bad in ["", "1x", "a/b", "-a", "a b", "ä"] {
            assert!(!is_identifier(bad), "{bad:?}");
        }
    }
}
