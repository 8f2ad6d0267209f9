//! Keys in memory.

use parking_lot::Mutex;
use ports::vault::{Kept, Note};
use ports::{Answer, Generation, Vault};
use zeroize::Zeroizing;

#[derive(Default)]
struct Inner {
    state: Option<Zeroizing<Vec<u8>>>,
    generation: u64,
    reserved: u64,
    notes: Vec<Note>,
}

/// A vault that outlives the server of a test, as long as the test holds it.
#[derive(Default)]
pub struct MemoryVault {
    inner: Mutex<Inner>,
}

impl Vault for MemoryVault {
    fn load(&self) -> Answer<'_, Option<Kept>> {
        let inner = self.inner.lock();
        let generation = Generation(inner.generation);
        let kept = inner.state.clone().map(|state| Kept { generation, state });
        Box::pin(async { Ok(kept) })
    }

    fn replace(&self, state: Zeroizing<Vec<u8>>) -> Answer<'_, Generation> {
        let mut inner = self.inner.lock();
        inner.state = Some(state);
        inner.generation += 1;
        let generation = Generation(inner.generation);
        Box::pin(async move { Ok(generation) })
    }

    fn destruction(&self) -> String {
        "the former key was forgotten in memory".to_owned()
    }

    fn note(&self, notes: Vec<Note>) -> Answer<'_, ()> {
        self.inner.lock().notes.extend(notes);
        Box::pin(async { Ok(()) })
    }

    fn notes(&self) -> Answer<'_, Vec<Note>> {
        let notes = self.inner.lock().notes.clone();
        Box::pin(async { Ok(notes) })
    }

    fn forget_notes(&self, gone: Vec<Note>) -> Answer<'_, ()> {
        self.inner.lock().notes.retain(|note| !gone.contains(note));
        Box::pin(async { Ok(()) })
    }

    fn reserve(&self, count: u64) -> Answer<'_, u64> {
        let mut inner = self.inner.lock();
        let first = inner.reserved;
        inner.reserved += count;
        Box::pin(async move { Ok(first) })
    }
}
