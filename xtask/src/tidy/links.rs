//! Links of Markdown files: what they point to in this checkout exists.

use super::{File, Finding};
use std::collections::BTreeSet;

/// Finds links to files that are not there.
pub(super) fn check(file: &File, paths: &BTreeSet<&str>, found: &mut Vec<Finding>) {
    let mut in_block = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block {
            continue;
        }
        for target in targets(&without_code(line)) {
            if !exists(&file.path, &target, paths) {
                found.push(Finding::new("link", file, index + 1, format!("`{target}` does not exist")));
            }
        }
    }
}

/// The line without `code` in backquotes.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// What the line links to: `[text](target)` and `[name]: target`.
fn targets(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((_, after)) = rest.split_once("](") {
        let Some((target, after)) = after.split_once(')') else {
            break;
        };
        found.push(target);
        rest = after;
    }
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        found.push(target);
    }
    let bare = |target: &str| target.trim().trim_matches(['<', '>']).to_owned();
    found.iter().filter_map(|target| target.split_whitespace().next()).map(bare).collect()
}

/// Whether the target is elsewhere, in the same file, or a file or folder that is there.
fn exists(from: &str, target: &str, paths: &BTreeSet<&str>) -> bool {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    if path.is_empty() || path.contains(':') {
        return true;
    }
    let mut parts: Vec<&str> = match path.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => {
            from.split('/').collect::<Vec<_>>().split_last().map_or(Vec::new(), |(_, folder)| folder.to_vec())
        }
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return false,
            ".." => {}
            name => parts.push(name),
        }
    }
    let resolved = parts.join("/");
    let folder = format!("{resolved}/");
    resolved.is_empty()
        || paths.contains(resolved.as_str())
        || paths.iter().any(|path| path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_targets_from_the_folder_of_the_file() {
        let paths = BTreeSet::from(["README.md", "docs/a.md", "docs/b/c.md"]);
        let table = [
            ("README.md", "docs/a.md", true),
            ("README.md", "docs", true),
            ("README.md", "./docs/b/", true),
            ("docs/a.md", "../README.md#top", true),
            ("docs/a.md", "#part", true),
            ("docs/a.md", "/README.md", true),
            ("docs/a.md", "mailto:someone@example.org", true),
            ("docs/a.md", "README.md", false),
            ("docs/a.md", "../../README.md", false),
            ("docs/b/c.md", "../a.md", true),
        ];
        for (from, target, expected) in table {
            assert_eq!(exists(from, target, &paths), expected, "{target} from {from}");
        }
    }

    #[test]
    fn finds_every_link_of_a_line() {
        assert_eq!(targets("see [a](a.md) and ![b](b.png \"title\")"), ["a.md", "b.png"]);
        assert_eq!(targets("[name]: <c.md>"), ["c.md"]);
        assert!(targets(&without_code("write `[a](b)`")).is_empty());
    }
}
