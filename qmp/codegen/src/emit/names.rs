//! How names of the schema are spelled in Rust.

/// Words that need the raw form as names of members and methods.
const KEYWORDS: [&str; 38] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "pub", "ref", "return", "static", "struct",
    "trait", "type", "use", "yield",
];

/// `query-name` → `QueryName`, `SUSPEND_DISK` → `SuspendDisk`. An underscore stays between digits (`x86_64` → `X86_64`), and
/// a name that starts with a digit gets an `N`.
pub(crate) fn camel(name: &str) -> String {
    let shouting = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let mut text = String::new();
    let mut start = true;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii_alphanumeric() {
            let digit_before = text.ends_with(|last: char| last.is_ascii_digit());
            let digit_after = characters.peek().is_some_and(char::is_ascii_digit);
            if digit_before && digit_after {
                text.push('_');
            }
            start = true;
            continue;
        }
        match (start, shouting) {
            (true, _) => text.push(character.to_ascii_uppercase()),
            (false, true) => text.push(character.to_ascii_lowercase()),
            (false, false) => text.push(character),
        }
        start = false;
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        text.insert(0, 'N');
    }
    text
}

/// `cpu-index` → `cpu_index`, `UUID` → `uuid`; keywords in the raw form.
pub(crate) fn snake(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|character| match character {
            character if character.is_ascii_alphanumeric() => character.to_ascii_lowercase(),
            _ => '_',
        })
        .collect();
    if KEYWORDS.contains(&plain.as_str()) { format!("r#{plain}") } else { plain }
}

/// `CpuInfoX86` → `CPU_INFO_X86`, `GICCapability` → `GIC_CAPABILITY`.
pub(crate) fn screaming(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (index, character) in characters.iter().enumerate() {
        let upper = |place: usize| characters.get(place).is_some_and(char::is_ascii_uppercase);
        let lower = |place: usize| characters.get(place).is_some_and(char::is_ascii_lowercase);
        if index > 0 && upper(index) && (!upper(index - 1) || lower(index + 1)) {
            text.push('_');
        }
        text.push(character.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rust_conventions() {
        assert_eq!(camel("query-name"), "QueryName");
        assert_eq!(camel("qmp_capabilities"), "QmpCapabilities");
        assert_eq!(camel("SUSPEND_DISK"), "SuspendDisk");
        assert_eq!(camel("x86_64"), "X86_64");
        assert_eq!(camel("log2-histogram"), "Log2Histogram");
        assert_eq!(camel("386"), "N386");
        assert_eq!(snake("cpu-index"), "cpu_index");
        assert_eq!(snake("UUID"), "uuid");
        assert_eq!(snake("type"), "r#type");
        assert_eq!(screaming("CpuInfoX86"), "CPU_INFO_X86");
        assert_eq!(screaming("GICCapability"), "GIC_CAPABILITY");
        assert_eq!(screaming("IOThreadInfo"), "IO_THREAD_INFO");
    }
}
