//! Everything that clients said and heard, so that two runs can be compared.

use std::sync::Arc;

use parking_lot::Mutex;

/// Lines in the order in which they happened. Clones share one list.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    /// Adds a line.
    pub fn note(&self, line: String) {
        self.0.lock().push(line);
    }

    /// Every line so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}
