//! `api/config.md`: every key of the configuration, and every setting of an app.

use model::settings::AppSettings;
use serde_json::Value;

use super::settings::{ABSENT, SETTINGS};
use super::{literal, markdown_table};
use crate::config::{KEYS, Key, describe, variable};

const HEAD: &str = "# Configuration

Generated from the code by `cargo xtask codegen`; do not edit.

## The server

`whimbrel serve --config FILE` reads a TOML file. A key can also be an environment variable, which goes before the file; lists
are then separated by commas. `--listen` goes before both. A key that does not exist is refused, with the nearest one that does.

```toml
[server]
listen = \"127.0.0.1:8080\"

[limits]
origins = [\"https://chat.example.com\"]
```
";

const SETTINGS_HEAD: &str = "
## An app

`whimbrel app set --data DIR --sdkappid N NAME=VALUE…` changes settings, `whimbrel app get` shows them. They act at once, on a
running server too.

";

const ABSENT_HEAD: &str = "
### Settings of the service that are not here, and why

";

/// The document.
pub(super) fn document() -> String {
    let mut text = HEAD.to_owned();
    let mut sections: Vec<&str> = KEYS.iter().map(|key| section(key).0).collect();
    sections.dedup();
    for name in sections {
        let rows = KEYS.iter().filter(|key| section(key).0 == name).map(|key| {
            [
                literal(section(key).1),
                literal(key.default),
                describe(key.kind),
                literal(&variable(key.name)),
                key.meaning.to_owned(),
            ]
        });
        text += &format!("\n### `[{name}]`\n\n");
        text += &markdown_table(["key", "default", "allowed", "environment", "meaning"], rows);
    }
    let absent = ABSENT.iter().map(|row| row.map(str::to_owned));
    text + SETTINGS_HEAD + &settings() + ABSENT_HEAD + &markdown_table(["what", "errors", "why"], absent)
}

/// Section and name of a key.
fn section(key: &Key) -> (&'static str, &'static str) {
    key.name.split_once('.').unwrap_or(("", key.name))
}

fn settings() -> String {
    let defaults = AppSettings::default().values();
    let rows = SETTINGS.iter().map(|setting| {
        let default = defaults.iter().find(|(name, _)| name == setting.name);
        [
            literal(setting.name),
            literal(&default.map_or_else(String::new, |(_, value)| plain(value))),
            setting.allowed.to_owned(),
            setting.meaning.to_owned(),
        ]
    });
    markdown_table(["setting", "default", "allowed", "meaning"], rows)
}

/// A value as one writes it on the command line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_in_its_section_with_its_variable() {
        let text = document();
        for key in KEYS {
            assert!(text.contains(&format!("| {} |", literal(&variable(key.name)))), "{}", key.name);
            assert!(text.contains(key.meaning), "{}", key.name);
        }
        let headings = text.lines().filter(|line| line.starts_with("### ")).count();
        assert_eq!(headings, 9);
    }
}
