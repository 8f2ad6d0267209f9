//! Where a task keeps what is gone when it ends.

use crate::failure::{During, Outcome};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

/// A folder of our own that goes when the task ends.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// Makes one for this task that only its owner may read.
    pub(crate) fn new(task: &str) -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("whimbrel-{task}-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path).during(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            println!("cannot remove {}: {error}", self.0.display());
        }
    }
}
