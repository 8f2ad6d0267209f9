//! The Vault port: the one place that holds key states.

use zeroize::Zeroizing;

use crate::fault::{Answer, Fault};

/// Which state of the keys: grows by one with every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

/// The length of a note, in bytes.
pub const NOTE_BYTES: usize = 16;

/// Something noted beside the state: no secret.
pub type Note = [u8; NOTE_BYTES];

/// The longest wrapped key, in bytes.
pub const WRAPPED_BYTES_MAX: usize = 3000;

/// Wraps the keys of generations where the vault is not: a KMS, a TPM, a security module.
///
/// Called on threads that may wait, for each change of generation and at each start.
pub trait KeyWrap: Send + Sync {
    /// Wraps a key, bound to `bound`; at most [`WRAPPED_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be reached.
    fn wrap(&self, key: &[u8; 32], bound: &[u8]) -> Result<Vec<u8>, Fault>;

    /// Unwraps what was wrapped with the same `bound`.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be reached, `Corrupt` for what it did not wrap.
    fn unwrap(&self, wrapped: &[u8], bound: &[u8]) -> Result<Zeroizing<[u8; 32]>, Fault>;
}

/// A state of the keys as it was kept.
pub struct Kept {
    /// Which one.
    pub generation: Generation,
    /// The state.
    pub state: Zeroizing<Vec<u8>>,
}

/// Keeps the state of the keys, and nothing that it held before.
///
/// Atomicity: after a crash at any moment either the former or the new state is there, whole. Forgetting: once a
/// replacement is answered, the former state cannot be read any more by whoever gets everything that the vault holds
/// then; what the medium itself may keep is said by the adapter. A vault never makes a state of its own.
pub trait Vault: Send + Sync {
    /// The state; `None` if none was ever kept. `Corrupt` if there is one and it cannot be read.
    fn load(&self) -> Answer<'_, Option<Kept>>;

    /// Keeps a new state and forgets the former one.
    fn replace(&self, state: Zeroizing<Vec<u8>>) -> Answer<'_, Generation>;

    /// How a replacement destroys the former state, for receipts: what was done, and no more than that.
    fn destruction(&self) -> String;

    /// Notes something beside the state, for whoever opens it with older data. Durable when answered; replacements leave
    /// notes alone.
    fn note(&self, notes: Vec<Note>) -> Answer<'_, ()>;

    /// Every note, in no order.
    fn notes(&self) -> Answer<'_, Vec<Note>>;

    /// Forgets these notes; others that are added meanwhile stay.
    fn forget_notes(&self, gone: Vec<Note>) -> Answer<'_, ()>;

    /// The first of `count` numbers that were never given out before and never will be again.
    fn reserve(&self, count: u64) -> Answer<'_, u64>;
}
