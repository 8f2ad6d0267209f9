//! The documents in `api/`: they follow from the code, so they cannot say anything else than the code does.

mod answers;
mod config;
mod coverage;
mod data_map;
mod errors;
mod openapi;
mod schemas;
mod settings;

use std::path::Path;

use crate::cli::Outcome;

/// Writes every generated document into a folder.
pub(crate) fn write(out: &Path) -> Outcome<()> {
    let table = crate::commands::table();
    let documents = [
        ("config.md", config::document()),
        ("coverage.md", coverage::document(&table)),
        ("data-map.md", data_map::document()),
        ("errors.md", errors::document(&table)),
        ("openapi.json", openapi::document(&table)?),
    ];
    std::fs::create_dir_all(out).map_err(|error| format!("cannot make {}: {error}", out.display()))?;
    for (name, text) in documents {
        let file = out.join(name);
        std::fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}

/// A Markdown table.
fn markdown_table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned)) + &line(&head.map(|_| "---".to_owned()));
    for row in rows {
        text += &line(&row.map(|cell| cell.replace('|', "\\|")));
    }
    text
}

/// Markdown for what is written as it stands; nothing for nothing.
fn literal(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_end_its_column() {
        let text = markdown_table(["a", "b"], [["x|y".to_owned(), literal("z")]]);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| x\\|y | `z` |\n");
    }
}
