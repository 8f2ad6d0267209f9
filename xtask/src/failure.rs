//! Why a task could not be done, in words for the person at the terminal.

use std::fmt::Display;

/// What a task ends with.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A sentence that names the operation and the object.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    told: bool,
}

impl Failure {
    /// A failure that is yet to be printed.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), told: false }
    }

    /// A failure that the task has printed itself.
    pub(crate) fn told() -> Self {
        Self { text: String::new(), told: true }
    }

    /// The text, unless it was printed already.
    pub(crate) fn untold(&self) -> Option<&str> {
        (!self.told).then_some(self.text.as_str())
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// Adds to an error what was being done.
pub(crate) trait During<T> {
    /// Puts `what` before the error's own words.
    fn during(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Display> During<T> for Result<T, E> {
    fn during(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::new(format!("{}: {error}", what())))
    }
}
