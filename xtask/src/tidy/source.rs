//! Rust source as seen by tidy: code apart from comments and strings, tests apart from the rest.

use std::ops::Range;

/// The code with every comment, string and character literal blanked out; lines stay where they are.
pub(super) fn mask(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = at + blank_length(&characters, at);
        if end == at {
            masked.push(characters[at]);
            at += 1;
            continue;
        }
        masked.extend(characters[at..end].iter().map(|one| if *one == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    masked
}

/// How many characters from here on are a comment or a literal; 0 for code.
fn blank_length(text: &[char], at: usize) -> usize {
    let length = match (text[at], text.get(at + 1)) {
        ('/', Some('/')) => text[at..].iter().take_while(|one| **one != '\n').count(),
        ('/', Some('*')) => block_comment(&text[at..]),
        ('"', _) => string(&text[at..]),
        ('\'', _) => character(&text[at..]),
        ('r', Some('"' | '#')) if !continues_name(text, at) => raw_string(&text[at..]),
        _ => 0,
    };
    length.min(text.len() - at)
}

/// Whether the character before belongs to a name, other than the `b` or `c` of `br"…"` and `cr"…"`.
fn continues_name(text: &[char], at: usize) -> bool {
    let is_name = |one: &char| one.is_alphanumeric() || *one == '_';
    match at.checked_sub(1).map(|before| text[before]) {
        Some('b' | 'c') => at >= 2 && is_name(&text[at - 2]),
        Some(other) => is_name(&other),
        None => false,
    }
}

fn block_comment(text: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(text: &[char]) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// A literal like `'a'` or `'\n'`; 0 for a lifetime.
fn character(text: &[char]) -> usize {
    match (text.get(1), text.get(2)) {
        (Some('\\'), _) => text.iter().skip(3).position(|one| *one == '\'').map_or(0, |end| end + 4),
        (Some(_), Some('\'')) => 3,
        _ => 0,
    }
}

fn raw_string(text: &[char]) -> usize {
    let hashes = text[1..].iter().take_while(|one| **one == '#').count();
    if text.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let mut at = 2 + hashes;
    while at < text.len() {
        if text[at] == '"' && text[at + 1..].iter().take(hashes).filter(|one| **one == '#').count() == hashes
        {
            break;
        }
        at += 1;
    }
    at + 1 + hashes
}

/// The lines, counted from 0, of every item under `#[cfg(test)]` of masked code.
pub(super) fn test_lines(masked: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, mark) in masked.match_indices("#[cfg(test)]") {
        let rest = &masked[at + mark.len()..];
        let Some(open) = rest.find(['{', ';']) else {
            continue;
        };
        let end = if rest[open..].starts_with(';') { open } else { open + block_length(&rest[open..]) };
        let line = |to: usize| masked[..to].matches('\n').count();
        found.push(line(at)..line(at + mark.len() + end) + 1);
    }
    found
}

/// The length of the block that begins with the first character.
fn block_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, one) in text.char_indices() {
        match one {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_comments_and_literals_only() {
        let table = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"a("b\"c", d)"#, "a(      , d)"),
            (r##"r#"a"b"# c"##, "         c"),
            (r#"br"a\" x"#, "b      x"),
            (r#"var"a" x"#, "var    x"),
            ("fn f<'a>(x: &'a u8) { '{' }", "fn f<'a>(x: &'a u8) {     }"),
            (r"'\n' '\'' '\u{1}' a", "                  a"),
            ("r#type \"x", "r#type   "),
            ("", ""),
        ];
        for (text, expected) in table {
            let masked = mask(text);
            assert_eq!(masked.chars().count(), text.chars().count(), "{text}");
            assert_eq!(masked, expected, "{text}");
        }
    }

    #[test]
    fn finds_the_lines_of_tests() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { }\n}\nfn c() {}\n#[cfg(test)]\nuse x;\nfn d() {}\n";
        assert_eq!(test_lines(text), [1..5, 6..8]);
    }
}
