//! How a port says that something could not be done.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What a port's method returns: a future, boxed so that ports can be trait objects.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Why a port could not do what was asked. Absence is not a fault: it is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A condition of a transaction did not hold; nothing was written.
    Conflict,
    /// The store cannot do this now. Whether the write happened is not known.
    Unavailable(String),
    /// Free space is below the floor: the write was refused, reads go on.
    Full,
    /// Stored bytes are not what was written.
    Corrupt(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("a condition of the transaction did not hold"),
            Self::Unavailable(what) => write!(f, "the store is not available: {what}"),
            Self::Full => f.write_str("free space is below the floor"),
            Self::Corrupt(what) => write!(f, "stored bytes are damaged: {what}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for model::Error {
    /// What the caller is told; the pipeline puts the command's own number for internal errors in place of 91000.
    fn from(fault: Fault) -> Self {
        let code = match fault {
            Fault::Full => model::ErrorCode::DiskFull,
            Fault::Conflict | Fault::Unavailable(_) | Fault::Corrupt(_) => {
                model::ErrorCode::MessageServiceUnavailable
            }
        };
        Self::from(code).caused_by(fault)
    }
}
