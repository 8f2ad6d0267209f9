//! Receipts on the command line: listed, exported, verified.

use std::io::Read as _;
use std::path::Path;

use promise::receipts::{Receipt, verify};

use crate::admin::{Request, run_request};
use crate::cli::{Data, Outcome};

/// The largest file of receipts that is verified, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Every receipt, the oldest first.
pub(crate) fn export(data: &Data) -> Outcome<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut before = None;
    loop {
        let page = run_request(data, &Request::Receipts { before })?;
        let found: Vec<String> = page.lines().map(str::to_owned).collect();
        let Some(last) = found.last() else { break };
        before = Some(number(last)?);
        lines.extend(found);
    }
    lines.reverse();
    Ok(lines.join("\n"))
}

fn number(line: &str) -> Outcome<u64> {
    let value: serde_json::Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    value["receipt"]["number"].as_u64().ok_or_else(|| "a receipt without a number".to_owned())
}

/// What every receipt says, a line each, the oldest first.
pub(crate) fn list(data: &Data) -> Outcome<String> {
    let lines = export(data)?;
    let mut shown = Vec::new();
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let receipt: Receipt =
            serde_json::from_value(value["receipt"].clone()).map_err(|error| error.to_string())?;
        shown.push(summary(&receipt));
    }
    Ok(shown.join("\n"))
}

fn summary(receipt: &Receipt) -> String {
    let said = &receipt.statement;
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let stage = word(serde_json::json!(said.stage));
    let scope = word(serde_json::json!(said.scope));
    let counts: Vec<String> = said.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let kept: String = said.preserved.iter().map(|kept| format!("; kept: {kept}")).collect();
    format!(
        "{}  {}  app {}  {stage}  {scope}  {}  {}{kept}",
        receipt.number,
        receipt.time,
        said.app,
        if said.subject.is_empty() { "-" } else { &said.subject },
        counts.join(", ")
    )
}

/// Verifies a file of receipts with nothing but a public key.
pub(crate) fn verify_file(file: &Path, key: &str) -> Outcome<String> {
    let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", file.display());
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    let verified = verify(text.trim_end(), key)?;
    let (Some(first), Some(last)) = (verified.receipts.first(), verified.receipts.last()) else {
        return Err("there is no receipt in it".to_owned());
    };
    let mut shown: Vec<String> = verified.receipts.iter().map(summary).collect();
    shown.push(format!(
        "good: {} receipts and {} left out, from {} to {}; what they do not prove: {}",
        verified.receipts.len(),
        verified.omitted,
        first.number,
        last.number,
        last.not_proven
    ));
    Ok(shown.join("\n"))
}
