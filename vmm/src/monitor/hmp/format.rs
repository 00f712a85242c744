//! `/COUNT FORMAT SIZE`, as in `x/4xw`, and how values look in each format.

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Hexadecimal,
    Decimal,
    Unsigned,
    Octal,
    Character,
    Instruction,
}

/// What a slash says. Unlike in QEMU each command starts afresh: what an earlier one said is
/// forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// How many values.
    pub(super) count: u64,
    /// How they look.
    pub(super) kind: Kind,
    /// Bytes of a value: 1, 2, 4 or 8.
    pub(super) size: usize,
}

impl Default for Format {
    fn default() -> Self {
        Self { count: 1, kind: Kind::Hexadecimal, size: 4 }
    }
}

impl Format {
    /// Reads what follows a slash: digits, then a format and a size in either order. Returns what
    /// follows it.
    ///
    /// # Errors
    /// A letter that means nothing.
    pub(super) fn parse(text: &str) -> Result<(Self, &str), String> {
        let mut format = Self::default();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        if end > 0 {
            format.count = text[..end].parse().unwrap_or(u64::MAX);
        }
        let mut size = None;
        let mut rest = &text[end..];
        while let Some(letter) = rest.chars().next().filter(|c| !c.is_whitespace()) {
            match letter {
                'x' => format.kind = Kind::Hexadecimal,
                'd' => format.kind = Kind::Decimal,
                'u' => format.kind = Kind::Unsigned,
                'o' => format.kind = Kind::Octal,
                'c' => format.kind = Kind::Character,
                'i' => format.kind = Kind::Instruction,
                'b' => size = Some(1),
                'h' => size = Some(2),
                'w' => size = Some(4),
                'g' => size = Some(8),
                other => return Err(format!("invalid char in format: '{other}'")),
            }
            rest = &rest[letter.len_utf8()..];
        }
        let own = if format.kind == Kind::Character { 1 } else { format.size };
        format.size = size.unwrap_or(own);
        Ok((format, rest.trim_start()))
    }
}

impl Kind {
    /// The columns that the longest value of `size` bytes takes.
    fn width(self, size: usize) -> usize {
        let bits = size * 8;
        match self {
            Self::Hexadecimal => bits / 4,
            Self::Octal => bits.div_ceil(3),
            Self::Decimal | Self::Unsigned => (bits * 10).div_ceil(33),
            Self::Character | Self::Instruction => 0,
        }
    }

    /// A value in a table of others, in columns of their own.
    pub(super) fn column(self, value: u64, size: usize) -> String {
        let width = self.width(size);
        match self {
            Self::Hexadecimal => format!("0x{value:0width$x}"),
            Self::Octal => format!("{:>width$}", octal(value)),
            Self::Decimal | Self::Unsigned => format!("{:>width$}", self.single(value)),
            Self::Character | Self::Instruction => self.single(value),
        }
    }

    /// A value on its own.
    pub(super) fn single(self, value: u64) -> String {
        match self {
            Self::Hexadecimal if value == 0 => "0".into(),
            Self::Hexadecimal => format!("{value:#x}"),
            Self::Octal => octal(value),
            Self::Decimal | Self::Instruction => (value as i64).to_string(),
            Self::Unsigned => value.to_string(),
            Self::Character => character(value as u8),
        }
    }
}

fn octal(value: u64) -> String {
    if value == 0 { "0".into() } else { format!("0{value:o}") }
}

/// A byte in single quotes.
fn character(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".into(),
        b'\\' => r"'\\'".into(),
        b'\n' => r"'\n'".into(),
        b'\r' => r"'\r'".into(),
        b' '..=b'~' => format!("'{}'", char::from(byte)),
        _ => format!("'\\x{byte:02x}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_digits_and_letters_in_any_order() {
        let format = |count, kind, size| Format { count, kind, size };
        for (text, expected, rest) in [
            ("4xb 0", format(4, Kind::Hexadecimal, 1), "0"),
            ("4bx 0", format(4, Kind::Hexadecimal, 1), "0"),
            ("c 65", format(1, Kind::Character, 1), "65"),
            ("2cw 65", format(2, Kind::Character, 4), "65"),
            (" 5", Format::default(), "5"),
            ("5", format(5, Kind::Hexadecimal, 4), ""),
            ("0x 0", format(0, Kind::Hexadecimal, 4), "0"),
            ("99999999999999999999i", format(u64::MAX, Kind::Instruction, 4), ""),
        ] {
            assert_eq!(Format::parse(text), Ok((expected, rest)), "{text}");
        }
        for (text, letter) in [("z 0", 'z'), ("-3x", '-'), ("d5 6", '5'), ("é", 'é')] {
            let mistake = format!("invalid char in format: '{letter}'");
            assert_eq!(Format::parse(text), Err(mistake), "{text}");
        }
    }

    #[test]
    fn columns_are_as_wide_as_qemus() {
        for (kind, value, size, expected) in [
            (Kind::Hexadecimal, 0xea, 1, "0xea"),
            (Kind::Hexadecimal, 0xe0, 2, "0x00e0"),
            (Kind::Decimal, 91, 1, " 91"),
            (Kind::Decimal, 14_703_594, 4, "  14703594"),
            (Kind::Decimal, 3_401_960_375_889_976_298, 8, " 3401960375889976298"),
            (Kind::Unsigned, 224, 2, "  224"),
            (Kind::Octal, 0o352, 1, "0352"),
            (Kind::Octal, 0, 1, "  0"),
            (Kind::Octal, 0o340, 2, "  0340"),
            (Kind::Octal, 0o70_055_752, 4, "  070055752"),
            (Kind::Character, 0xf1, 1, r"'\xf1'"),
        ] {
            assert_eq!(kind.column(value, size), expected);
        }
    }

    #[test]
    fn single_values_are_bare() {
        for (kind, value, expected) in [
            (Kind::Hexadecimal, 255, "0xff"),
            (Kind::Hexadecimal, 0, "0"),
            (Kind::Decimal, u64::MAX, "-1"),
            (Kind::Unsigned, u64::MAX, "18446744073709551615"),
            (Kind::Octal, 8, "010"),
            (Kind::Octal, 0, "0"),
            (Kind::Character, 65, "'A'"),
            (Kind::Character, 10, r"'\n'"),
            (Kind::Character, 39, r"'\''"),
            (Kind::Instruction, 1, "1"),
        ] {
            assert_eq!(kind.single(value), expected);
        }
    }
}
