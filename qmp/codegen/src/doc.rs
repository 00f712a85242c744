//! Documentation blocks: what a definition means, member by member.
//!
//! A block names its definition in the first line (`@name:`); then come paragraphs, one `@member: …` for each member, the
//! features after a line `Features:`, and `Returns: …`. A block without a name introduces the file. Continuation lines
//! may be indented.

/// A documentation block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doc {
    /// The definition's name; `None` for an introduction.
    pub symbol: Option<String>,
    /// The paragraphs about the whole, as lines; an empty line separates paragraphs.
    pub body: Vec<String>,
    /// The lines about each member, argument or value.
    pub members: Vec<(String, Vec<String>)>,
    /// The lines about each feature.
    pub features: Vec<(String, Vec<String>)>,
    /// The lines about what a command returns.
    pub returns: Vec<String>,
}

/// The text that `cargo qapi import` puts where prose is still to be written.
pub(crate) const PLACEHOLDER: &str = "UNDOCUMENTED";

/// Where a line of a block belongs.
enum Part {
    Body,
    Member(usize),
    Features,
    Feature(usize),
    Returns,
}

impl Doc {
    /// Takes the lines of a block apart.
    pub(crate) fn parse(lines: Vec<String>) -> Result<Doc, String> {
        let mut doc = Doc::default();
        let mut part = Part::Body;
        let mut lines = lines.into_iter().peekable();
        if let Some(symbol) = lines.peek().and_then(|line| symbol_line(line)) {
            doc.symbol = Some(symbol);
            lines.next();
        }
        for line in lines {
            let text = line.trim_start();
            if let Some((name, rest)) = member_line(&line).filter(|_| doc.symbol.is_some()) {
                part = doc.open(&part, name, rest);
            } else if line == "Features:" {
                part = Part::Features;
            } else if let Some(rest) = line.strip_prefix("Returns:") {
                doc.returns.push(rest.trim().to_owned());
                part = Part::Returns;
            } else if !(text.is_empty() && matches!(part, Part::Features)) {
                doc.lines(&part)?.push(text.to_owned());
            }
        }
        doc.tidy();
        Ok(doc)
    }

    /// Begins the part about a member or, after `Features:`, a feature.
    fn open(&mut self, part: &Part, name: &str, text: &str) -> Part {
        let entry = (name.to_owned(), vec![text.to_owned()]);
        if matches!(part, Part::Features | Part::Feature(_)) {
            self.features.push(entry);
            Part::Feature(self.features.len() - 1)
        } else {
            self.members.push(entry);
            Part::Member(self.members.len() - 1)
        }
    }

    /// The lines of a part.
    fn lines(&mut self, part: &Part) -> Result<&mut Vec<String>, String> {
        match *part {
            Part::Body => Ok(&mut self.body),
            Part::Member(index) => Ok(&mut self.members[index].1),
            Part::Feature(index) => Ok(&mut self.features[index].1),
            Part::Returns => Ok(&mut self.returns),
            Part::Features => Err("'Features:' is followed by '@feature: …'".to_owned()),
        }
    }

    /// Drops empty lines around each part.
    fn tidy(&mut self) {
        let members = self.members.iter_mut().chain(&mut self.features);
        let parts = members.map(|(_, lines)| lines);
        for lines in parts.chain([&mut self.body, &mut self.returns]) {
            while lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
            let start = lines.iter().take_while(|line| line.is_empty()).count();
            lines.drain(..start);
        }
    }

    /// What is said about a member.
    pub(crate) fn member(&self, name: &str) -> Option<&[String]> {
        let member = self.members.iter().find(|(known, _)| known == name);
        member.map(|(_, lines)| lines.as_slice())
    }
}

/// The name in a first line `@name:`.
fn symbol_line(line: &str) -> Option<String> {
    let name = line.strip_prefix('@')?.strip_suffix(':')?;
    is_name(name).then(|| name.to_owned())
}

/// The name and the text of a line `@name: text`.
fn member_line(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.strip_prefix('@')?.split_once(':')?;
    is_name(name).then(|| (name, text.trim()))
}

/// Whether this can be a name of the schema.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
