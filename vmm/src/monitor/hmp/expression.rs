//! Arithmetic as the human monitor has it.
//!
//! 64-bit integers that wrap around. From loose to tight: `+ -`; `& | ^`; `* / %`; then `+ - ~`
//! before a value. Values are numbers (decimal, 0x hexadecimal, 0 octal), a character in single
//! quotes, a register after a dollar sign, or parentheses.

/// How deep parentheses and signs may be nested.
const MAX_DEPTH: usize = 64;

/// Gives the value of a register, if there is one of that name.
pub(super) type Register<'a> = &'a dyn Fn(&str) -> Option<u64>;

/// Evaluates the expression at the start of `text`. Returns its value and what follows it.
///
/// # Errors
/// The text is no expression; one line that says where.
pub(super) fn evaluate<'a>(
    text: &'a str,
    register: Register<'_>,
) -> Result<(i64, &'a str), String> {
    let mut parser = Parser { rest: text.trim_start(), register, depth: 0 };
    let value = parser.sum()?;
    Ok((value, parser.rest))
}

struct Parser<'a, 'r> {
    rest: &'a str,
    register: Register<'r>,
    depth: usize,
}

impl Parser<'_, '_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes one character and the white space behind it.
    fn take(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str().trim_start();
    }

    fn sum(&mut self) -> Result<i64, String> {
        let mut value = self.logic()?;
        while let Some(operator @ ('+' | '-')) = self.peek() {
            self.take();
            let other = self.logic()?;
            value = match operator {
                '+' => value.wrapping_add(other),
                _ => value.wrapping_sub(other),
            };
        }
        Ok(value)
    }

    fn logic(&mut self) -> Result<i64, String> {
        let mut value = self.product()?;
        while let Some(operator @ ('&' | '|' | '^')) = self.peek() {
            self.take();
            let other = self.product()?;
            value = match operator {
                '&' => value & other,
                '|' => value | other,
                _ => value ^ other,
            };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<i64, String> {
        let mut value = self.unary()?;
        while let Some(operator @ ('*' | '/' | '%')) = self.peek() {
            self.take();
            let other = self.unary()?;
            if operator != '*' && other == 0 {
                return Err("division by zero".into());
            }
            value = match operator {
                '*' => value.wrapping_mul(other),
                '/' => value.wrapping_div(other),
                _ => value.wrapping_rem(other),
            };
        }
        Ok(value)
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression is nested too deeply".into());
        }
        let value = self.value();
        self.depth -= 1;
        value
    }

    fn value(&mut self) -> Result<i64, String> {
        match self.peek() {
            Some('+') => {
                self.take();
                self.unary()
            }
            Some('-') => {
                self.take();
                Ok(self.unary()?.wrapping_neg())
            }
            Some('~') => {
                self.take();
                Ok(!self.unary()?)
            }
            Some('(') => {
                self.take();
                let value = self.sum()?;
                if self.peek() != Some(')') {
                    return Err("')' expected".into());
                }
                self.take();
                Ok(value)
            }
            Some('\'') => self.character(),
            Some('$') => self.register(),
            Some('0'..='9') => self.number(),
            Some(other) => Err(format!("invalid char '{other}' in expression")),
            None => Err("unexpected end of expression".into()),
        }
    }

    fn character(&mut self) -> Result<i64, String> {
        let mut chars = self.rest.chars();
        chars.next();
        let value = chars.next().ok_or("character constant expected")?;
        if chars.next() != Some('\'') {
            return Err("missing terminating ' character".into());
        }
        self.rest = chars.as_str().trim_start();
        Ok(u32::from(value).into())
    }

    fn register(&mut self) -> Result<i64, String> {
        let text = &self.rest[1..];
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let end = text.find(|c| !part(c)).unwrap_or(text.len());
        let value = (self.register)(&text[..end]).ok_or("unknown register")?;
        self.rest = text[end..].trim_start();
        Ok(value as i64)
    }

    fn number(&mut self) -> Result<i64, String> {
        let text = self.rest;
        let prefixed = |prefix| {
            text.strip_prefix(prefix)
                .filter(|rest: &&str| rest.starts_with(|c: char| c.is_ascii_hexdigit()))
        };
        let (digits, radix) = match prefixed("0x").or_else(|| prefixed("0X")) {
            Some(digits) => (digits, 16),
            None if text.starts_with('0') => (text, 8),
            None => (text, 10),
        };
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let value = u64::from_str_radix(&digits[..end], radix).map_err(|_| "number too large")?;
        self.rest = digits[end..].trim_start();
        Ok(value as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(name: &str) -> Option<u64> {
        (name == "pc").then_some(0xffff_fff0).or((name == "cs.base").then_some(0xffff_0000))
    }

    fn value(text: &str) -> i64 {
        let (value, rest) = evaluate(text, &register).unwrap();
        assert_eq!(rest, "", "{text}");
        value
    }

    #[test]
    fn values_are_those_of_qemu() {
        for (text, expected) in [
            ("1+2", 3),
            ("2*3+4", 10),
            ("2+3*4", 14),
            ("1|2+4", 7),
            ("2*1|4", 6),
            ("1|2^3&1", 0),
            ("~0", -1),
            (" -5", -5),
            ("--5", 5),
            ("+5", 5),
            ("-(5)", -5),
            ("5-3-1", 1),
            ("100/7/2", 7),
            ("(1+2)*3", 9),
            ("010", 8),
            ("0xffffffffffffffff", -1),
            ("'a'", 0x61),
            ("''' - 0x20", 7),
            ("$pc", 0xffff_fff0),
            ("$cs.base + 0xfff0", 0xffff_fff0),
            ("0-0x8000000000000000", i64::MIN),
            ("(0-0x7fffffffffffffff-1)/(0-1)", i64::MIN),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn an_expression_ends_where_nothing_continues_it() {
        for (text, rest) in [("1 2", "2"), ("1<<3", "<<3"), ("08", "8"), ("1a", "a"), ("1)", ")")] {
            assert_eq!(evaluate(text, &register).unwrap().1, rest, "{text}");
        }
        assert_eq!(evaluate("0x", &register), Ok((0, "x")));
        assert_eq!(evaluate("16 \"f\"", &register), Ok((16, "\"f\"")));
        // The way a path without quotes goes.
        assert_eq!(evaluate("16 /tmp", &register), Err("invalid char 't' in expression".into()));
    }

    #[test]
    fn mistakes_are_named_in_qemus_words() {
        for (text, mistake) in [
            ("", "unexpected end of expression"),
            ("3-", "unexpected end of expression"),
            ("*", "invalid char '*' in expression"),
            ("@", "invalid char '@' in expression"),
            ("é", "invalid char 'é' in expression"),
            ("(1", "')' expected"),
            ("((1)", "')' expected"),
            ("5/0", "division by zero"),
            ("5%0", "division by zero"),
            ("0x10000000000000000", "number too large"),
            ("$nope", "unknown register"),
            ("$", "unknown register"),
            ("$$pc", "unknown register"),
            ("'", "character constant expected"),
            ("'ab'", "missing terminating ' character"),
        ] {
            assert_eq!(evaluate(text, &register), Err(mistake.into()), "{text}");
        }
        for deep in ["(".repeat(100_000), "-".repeat(100_000)] {
            let mistake = evaluate(&deep, &register).unwrap_err();
            assert_eq!(mistake, "expression is nested too deeply");
        }
    }
}
