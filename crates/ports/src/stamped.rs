//! Values that may be stored.

use model::{DataClass, Stamp};

/// A value with the stamp that says whose it is, of which class, and until when it may be kept.
///
/// Ports write nothing else. Stamps are made by the crate `promise`, which knows each class's retention:
///
/// ```compile_fail
/// fn store(timeline: &dyn ports::Timeline, draft: ports::Draft) {
///     // A draft without a stamp is no argument.
///     drop(timeline.append(draft));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Stamped<T> {
    stamp: Stamp,
    value: T,
}

impl<T> Stamped<T> {
    /// Joins a value with its stamp.
    pub const fn new(stamp: Stamp, value: T) -> Self {
        Self { stamp, value }
    }

    /// The stamp.
    pub const fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The value.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The class of the value.
    pub const fn class(&self) -> DataClass {
        self.stamp.class
    }

    /// Stamp and value.
    pub fn into_parts(self) -> (Stamp, T) {
        (self.stamp, self.value)
    }
}
