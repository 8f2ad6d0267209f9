//! `whimbrel check`: is a stopped store sound?

use std::path::Path;

use crate::cli::Outcome;

/// Checks the store of a folder and prints what it found.
pub(crate) fn run(data: &Path) -> Outcome<()> {
    if !data.join("store").is_dir() {
        return Err(format!("there is no store in {}", data.display()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let _inside = runtime.enter();
    let store = crate::stores::open_store(data, 0)?;
    let report = store.check().map_err(|fault| fault.to_string())?;
    let clock = std::sync::Arc::new(crate::context::SystemClock::new());
    let (objects, damaged) = embedded::FolderBlobs::open(data.join("blobs"), 0, clock)
        .and_then(|blobs| blobs.check())
        .map_err(|fault| fault.to_string())?;
    println!(
        "{} log entries ({} messages) in {} conversations, {} records, {objects} objects",
        report.entries, report.messages, report.conversations, report.records
    );
    if report.findings.is_empty() && damaged.is_empty() {
        println!("every checksum and cross-reference is right");
        return Ok(());
    }
    for finding in report.findings.iter().chain(&damaged) {
        println!("{finding}");
    }
    Err(format!("the store is damaged: {} findings", report.findings.len() + damaged.len()))
}
