//! The expressions of a schema file, each with its documentation.

use crate::doc::Doc;
use crate::lex::{Placed, Problem, Token, tokens};

/// A value of the schema language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// A string.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// An array.
    List(Vec<Json>),
    /// An object, in its order.
    Dict(Vec<(String, Json)>),
}

impl Json {
    /// The text of a string.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// One expression of a file.
#[derive(Debug)]
pub(crate) struct Item {
    /// The line it starts on.
    pub line: usize,
    /// The documentation block right before it.
    pub doc: Option<Doc>,
    /// Its members.
    pub expr: Vec<(String, Json)>,
}

impl Item {
    /// The value of a member.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        find(&self.expr, key)
    }
}

/// The value of a key.
pub(crate) fn find<'a>(members: &'a [(String, Json)], key: &str) -> Option<&'a Json> {
    let member = members.iter().find(|(name, _)| name == key);
    member.map(|(_, value)| value)
}

/// What a file holds.
#[derive(Debug)]
pub(crate) struct File {
    /// The paragraphs of the first block that belongs to no expression: what the file is about.
    pub intro: Vec<String>,
    /// Its expressions.
    pub items: Vec<Item>,
}

/// Parses a schema file.
pub(crate) fn file(name: &str, text: &str) -> Result<File, Problem> {
    let mut parser =
        Parser { file: name, tokens: tokens(name, text)?.into_iter().peekable(), line: 1 };
    parser.file()
}

/// A cursor over the tokens of a file.
struct Parser<'a> {
    file: &'a str,
    tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    line: usize,
}

impl Parser<'_> {
    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { file: self.file.to_owned(), line: self.line, message: message.into() }
    }

    fn next(&mut self, wanted: &str) -> Result<Token, Problem> {
        match self.tokens.next() {
            Some((token, line)) => {
                self.line = line;
                Ok(token)
            }
            None => Err(self.problem(format!("expected {wanted} before the end of the file"))),
        }
    }

    fn file(&mut self) -> Result<File, Problem> {
        let mut file = File { intro: Vec::new(), items: Vec::new() };
        let mut doc: Option<Doc> = None;
        while self.tokens.peek().is_some() {
            match self.next("an expression")? {
                Token::Doc(lines) => {
                    let block = Doc::parse(lines).map_err(|message| self.problem(message))?;
                    if block.symbol.is_some() {
                        if let Some(lost) = doc.replace(block) {
                            return Err(self.problem(format!(
                                "the documentation of '{}' belongs to no definition",
                                lost.symbol.unwrap_or_default()
                            )));
                        }
                    } else if file.intro.is_empty() && file.items.is_empty() {
                        file.intro = block.body;
                    }
                }
                Token::Mark('{') => {
                    let line = self.line;
                    let expr = self.dict(0)?;
                    file.items.push(Item { line, doc: doc.take(), expr });
                }
                _ => return Err(self.problem("expected '{'")),
            }
        }
        match doc.and_then(|doc| doc.symbol) {
            Some(symbol) => {
                Err(self
                    .problem(format!("the documentation of '{symbol}' belongs to no definition")))
            }
            None => Ok(file),
        }
    }

    /// The members of an object whose `{` is read.
    fn dict(&mut self, depth: usize) -> Result<Vec<(String, Json)>, Problem> {
        let mut members: Vec<(String, Json)> = Vec::new();
        loop {
            match self.next("a key or '}'")? {
                Token::Mark('}') if members.is_empty() => return Ok(members),
                Token::Text(key) => {
                    if find(&members, &key).is_some() {
                        return Err(self.problem(format!("duplicate key '{key}'")));
                    }
                    if self.next("':'")? != Token::Mark(':') {
                        return Err(self.problem("expected ':'"));
                    }
                    let value = self.value(depth + 1)?;
                    members.push((key, value));
                }
                _ => return Err(self.problem("expected a key or '}'")),
            }
            match self.next("',' or '}'")? {
                Token::Mark('}') => return Ok(members),
                Token::Mark(',') => {}
                _ => return Err(self.problem("expected ',' or '}'")),
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Json>, Problem> {
        let mut elements = Vec::new();
        if matches!(self.tokens.peek(), Some((Token::Mark(']'), _))) {
            self.next("']'")?;
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth + 1)?);
            match self.next("',' or ']'")? {
                Token::Mark(']') => return Ok(elements),
                Token::Mark(',') => {}
                _ => return Err(self.problem("expected ',' or ']'")),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Problem> {
        if depth > 16 {
            return Err(self.problem("nested too deeply"));
        }
        match self.next("a value")? {
            Token::Text(text) => Ok(Json::Text(text)),
            Token::Bool(truth) => Ok(Json::Bool(truth)),
            Token::Mark('{') => self.dict(depth).map(Json::Dict),
            Token::Mark('[') => self.list(depth).map(Json::List),
            _ => Err(self.problem("expected a value")),
        }
    }
}
