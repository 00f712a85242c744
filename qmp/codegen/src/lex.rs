//! The characters of the QAPI schema language: JSON with single quotes, `#` comments and `##` documentation blocks.
//!
//! Specification: "How to use the QAPI code generator", section "Syntax", of QEMU's documentation.

use std::fmt;

/// What is wrong with a schema, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file's name within the schema folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for Problem {}

/// A piece of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// One of `{}[],:`.
    Mark(char),
    /// A string, without its quotes.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A documentation block: its lines, without the leading `# `.
    Doc(Vec<String>),
}

/// A token and the line it starts on.
pub(crate) type Placed = (Token, usize);

/// Splits a schema file into tokens.
pub(crate) fn tokens(file: &str, text: &str) -> Result<Vec<Placed>, Problem> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.trim() == "##" {
            let doc = doc_block(file, index + 1, &mut lines)?;
            found.push((Token::Doc(doc), index + 1));
        } else {
            line_tokens(line, &mut found, index + 1).map_err(|message| Problem {
                file: file.to_owned(),
                line: index + 1,
                message,
            })?;
        }
    }
    Ok(found)
}

/// The lines of a documentation block up to the closing `##`.
fn doc_block<'a>(
    file: &str,
    start: usize,
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
) -> Result<Vec<String>, Problem> {
    let problem =
        |line, message: &str| Problem { file: file.to_owned(), line, message: message.to_owned() };
    let mut doc = Vec::new();
    for (index, line) in lines {
        match line.trim_end() {
            "##" => return Ok(doc),
            "#" => doc.push(String::new()),
            line => match line.strip_prefix("# ") {
                Some(text) => doc.push(text.to_owned()),
                None => return Err(problem(index + 1, "documentation lines start with '# '")),
            },
        }
    }
    Err(problem(start, "documentation is not closed by '##'"))
}

/// The tokens of one line; none of them spans lines.
fn line_tokens(line: &str, found: &mut Vec<Placed>, number: usize) -> Result<(), String> {
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let token = match first {
            '#' => return Ok(()),
            '{' | '}' | '[' | ']' | ',' | ':' => {
                rest = &rest[1..];
                Token::Mark(first)
            }
            '\'' => {
                let Some((text, after)) = rest[1..].split_once('\'') else {
                    return Err("a string is not closed".to_owned());
                };
                if !text.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'\\') {
                    return Err("strings hold only plain ASCII".to_owned());
                }
                rest = after;
                Token::Text(text.to_owned())
            }
            _ => {
                let truth = rest.starts_with("true");
                let Some(after) = rest.strip_prefix("true").or(rest.strip_prefix("false")) else {
                    return Err(format!("stray '{first}'"));
                };
                rest = after;
                Token::Bool(truth)
            }
        };
        found.push((token, number));
        rest = rest.trim_start();
    }
    Ok(())
}
