//! The documents that follow from the code.

use std::path::Path;

use crate::cli::Outcome;

/// Writes every generated document into a folder.
pub(crate) fn write(out: &Path) -> Outcome<()> {
    let _ = out;
    Err("not yet".to_owned())
}
