//! Rules for every text file: white space, and nothing that belongs to one machine.

use super::{File, Finding};
use std::path::Path;

/// Folders that exist on one machine only. They are written apart, so that this file does not break its own rule.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Where every machine gets crates from.
const CRATES: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Where every machine gets npm packages from.
const NPM: &str = "https://registry.npmjs.org/";

/// Finds what no text file may hold.
pub(super) fn check(file: &File, found: &mut Vec<Finding>) {
    let name = Path::new(&file.path).file_name().unwrap_or_default().to_string_lossy();
    for (index, line) in file.text.lines().enumerate() {
        let mut report = |check, says: String| found.push(Finding::new(check, file, index + 1, says));
        if line.contains('\t') && name != "Makefile" {
            report("whitespace", "a tab; indent with spaces".into());
        }
        if line.ends_with([' ', '\t', '\r']) {
            report("whitespace", "white space at the end of the line".into());
        }
        if let Some(path) = MACHINE_PATHS.iter().find(|path| names_path(line, path)) {
            report("machine-path", format!("`{path}` exists on one machine only"));
        }
        if names_registry(&file.path, &name, line.trim()) {
            report("registry", "packages come from the public registries, by no other name".into());
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        found.push(Finding::new(
            "whitespace",
            file,
            file.text.lines().count(),
            "no line break at the end of the file",
        ));
    }
}

/// Whether the line names the folder itself, not a part of a longer path or of an address.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "_-.}/*".contains(before))
    })
}

fn names_registry(path: &str, name: &str, line: &str) -> bool {
    match name {
        "Cargo.lock" => line.starts_with("source = ") && line != CRATES,
        "package-lock.json" | "npm-shrinkwrap.json" => line
            .strip_prefix("\"resolved\": \"")
            .is_some_and(|address| address.contains("://") && !address.starts_with(NPM)),
        ".npmrc" => line.split('=').next().is_some_and(|key| key.trim_end().ends_with("registry")),
        "config.toml" if path.ends_with(".cargo/config.toml") => {
            line.starts_with("[source") || line.starts_with("[registr")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_path_is_told_from_a_part_of_another_path() {
        let path = MACHINE_PATHS[0];
        for (line, expected) in [
            (format!("cd {path}main"), true),
            (format!("\"{path}main\""), true),
            (format!("https://example.org{path}main"), false),
            (format!("docs{path}main"), false),
        ] {
            assert_eq!(names_path(&line, path), expected, "{line}");
        }
    }

    #[test]
    fn public_registries_pass() {
        assert!(!names_registry("Cargo.lock", "Cargo.lock", CRATES));
        let resolved = "\"resolved\": \"https://registry.npmjs.org/ws/-/ws-8.23.0.tgz\",";
        assert!(!names_registry("a/package-lock.json", "package-lock.json", resolved));
        assert!(!names_registry(".npmrc", ".npmrc", "omit-lockfile-registry-resolved=true"));
    }
}
