//! Numbers: exact integers where they fit, otherwise doubles, printed like C's `%.17g`.

use qapi::Value;
use std::io::Write;

/// Reads an integer token: `i64` if it fits, else `u64`, else the nearest double.
pub(super) fn integer(token: &str) -> Value {
    if let Ok(number) = token.parse::<i64>() {
        Value::Int(number)
    } else if let Ok(number) = token.parse::<u64>() {
        Value::Uint(number)
    } else {
        float(token)
    }
}

/// Reads a number token as the nearest double; too large a one is infinite.
pub(super) fn float(token: &str) -> Value {
    // The lexer's number syntax is a part of Rust's.
    Value::Number(token.parse().unwrap_or(f64::NAN))
}

/// Prints a double with 17 significant digits, without trailing zeros, in exponent form below 1e-4 and from 1e17 up.
pub(super) fn write_double(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        let shown: &[u8] = match number {
            n if n.is_nan() => b"nan",
            n if n < 0.0 => b"-inf",
            _ => b"inf",
        };
        out.extend_from_slice(shown);
        return;
    }
    let scientific = format!("{number:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|&c| c != '.').collect();
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    out.extend_from_slice(sign.as_bytes());
    if !(-4..17).contains(&exponent) {
        out.extend_from_slice(&digits.as_bytes()[..1]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits.as_bytes()[1..]);
        }
        let mark = if exponent < 0 { '-' } else { '+' };
        // Writing to a Vec cannot fail.
        let _ = write!(out, "e{mark}{:02}", exponent.unsigned_abs());
        return;
    }
    write_plain(out, digits.as_bytes(), exponent);
}

/// Prints digits with the decimal point after the one that stands for `10^exponent`'s place.
fn write_plain(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', exponent.unsigned_abs() as usize - 1));
        out.extend_from_slice(digits);
        return;
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', whole - digits.len()));
    } else {
        out.extend_from_slice(&digits[..whole]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_recorded() {
        for (token, shown) in [
            ("0.0", "0"),
            ("-0.0", "-0"),
            ("1.50", "1.5"),
            ("0.1", "0.10000000000000001"),
            ("0.0001", "0.0001"),
            ("0.00001", "1.0000000000000001e-05"),
            ("1e-7", "9.9999999999999995e-08"),
            ("1e16", "10000000000000000"),
            ("1e17", "1e+17"),
            ("1e22", "1e+22"),
            ("100000.0", "100000"),
            ("1234.5", "1234.5"),
            ("5e-324", "4.9406564584124654e-324"),
            ("1e-400", "0"),
            ("1e400", "inf"),
            ("-1e400", "-inf"),
            ("123456789012345678901234", "1.2345678901234569e+23"),
            ("18446744073709551616", "1.8446744073709552e+19"),
        ] {
            let Value::Number(number) = float(token) else { panic!("no double") };
            let mut out = Vec::new();
            write_double(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), shown);
        }
    }

    #[test]
    fn integers_are_exact_as_far_as_they_fit() {
        assert_eq!(integer("-0"), Value::Int(0));
        assert_eq!(integer("-9223372036854775808"), Value::Int(i64::MIN));
        assert_eq!(integer("9223372036854775808"), Value::Uint(1 << 63));
        assert!(matches!(integer("-9223372036854775809"), Value::Number(_)));
    }
}
