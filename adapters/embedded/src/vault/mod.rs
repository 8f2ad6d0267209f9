//! The Vault port in a folder of its own, with an optional mirror: the only place that holds key states.
//!
//! | file | holds |
//! |---|---|
//! | `ring.0`, `ring.1` | the state of an even and of an odd generation, sealed under the key of that generation |
//! | `key.0`, `key.1` | the key of an even and of an odd generation; nothing but zeros once it is destroyed |
//! | `next` | the first number that was never given out |
//! | `doomed` | notes of what the next generations destroy, without names: a restore of older data destroys it again |
//! | `lock` | nothing: the program that has the vault open holds it |
//!
//! A change writes the state and the key of the new generation into the slots that are free, in every place, reads both
//! back, and only then overwrites the former key in place. Before that moment a crash leaves both generations, and the
//! next start finishes the change; after it there is the new one alone.
//!
//! What it does not promise: a medium that writes elsewhere than it is told to (flash, copy-on-write file systems,
//! snapshots) may keep the former key's bytes. An outer key that lives outside protects those.

mod files;
mod slot;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use ports::vault::{Kept, Note};
use ports::{Answer, Fault, Generation, Random, Vault};
use zeroize::Zeroizing;

use files::{Files, Steps};
pub use slot::Outer;
use slot::{GenerationKey, KEY_FILE_BYTES, OuterKey};

/// Where keys are kept.
pub struct VaultOptions {
    /// The folder; made if it is not there. Never inside the data folder.
    pub folder: PathBuf,
    /// A second place, on another disk or machine.
    pub mirror: Option<PathBuf>,
    /// Wraps the keys of generations.
    pub outer_key: Option<Outer>,
    /// The dice.
    pub random: Arc<dyn Random>,
}

/// A vault in a folder.
pub struct FolderVault {
    inner: Arc<Inner>,
    // Held as long as the vault is open: two programs would undo each other's destructions.
    _locks: Vec<std::fs::File>,
}

struct Inner {
    places: Vec<Files>,
    outer: OuterKey,
    random: Arc<dyn Random>,
    /// The generation that is in use; 0 before there is any. Held while files change.
    generation: Mutex<u64>,
    /// Held while notes change.
    noting: Mutex<()>,
}

/// A generation as one place holds it.
struct Held {
    generation: u64,
    state: Zeroizing<Vec<u8>>,
}

impl FolderVault {
    /// A vault in these places.
    ///
    /// # Errors
    /// `Unavailable` if a folder cannot be used, or another program has it open.
    pub fn open(options: VaultOptions) -> Result<Self, Fault> {
        let vault = Self::open_with(options, Steps::default())?;
        let locks = vault.inner.places.iter().map(Files::lock).collect::<Result<_, _>>()?;
        Ok(Self { _locks: locks, ..vault })
    }

    fn open_with(options: VaultOptions, steps: Steps) -> Result<Self, Fault> {
        let folders = std::iter::once(options.folder).chain(options.mirror);
        let places =
            folders.map(|folder| Files::open(folder, steps.clone())).collect::<Result<Vec<_>, _>>()?;
        let inner = Inner {
            places,
            outer: OuterKey::new(options.outer_key),
            random: options.random,
            generation: Mutex::new(0),
            noting: Mutex::new(()),
        };
        Ok(Self { inner: Arc::new(inner), _locks: Vec::new() })
    }
}

impl FolderVault {
    /// Works on a thread of its own: it syncs, and nobody else should wait for that.
    fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<'static, T> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let inner = Arc::clone(&self.inner);
        let started = std::thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || drop(answer.send(work(&inner))));
        Box::pin(async move {
            let gone = |what: &str| Fault::Unavailable(format!("cannot write beside the keys: {what}"));
            started.map_err(|error| gone(&error.to_string()))?;
            answered.await.map_err(|_| gone("its thread ended"))?
        })
    }
}

impl Inner {
    fn load(&self) -> Result<Option<Held>, Fault> {
        let mut generation = self.generation.lock();
        let mut newest: Option<Held> = None;
        let mut unreadable = None;
        for files in &self.places {
            for slot in 0..2 {
                match self.read_slot(files, slot) {
                    Ok(Some(held))
                        if newest.as_ref().is_none_or(|newest| newest.generation < held.generation) =>
                    {
                        newest = Some(held);
                    }
                    Ok(_) => {}
                    Err(fault) => unreadable = Some(fault),
                }
            }
        }
        let Some(newest) = newest else {
            // Keys that are there and cannot be read are no reason to make others.
            return unreadable.map_or(Ok(None), Err);
        };
        *generation = newest.generation;
        self.complete(&newest)?;
        Ok(Some(newest))
    }

    /// Finishes a change that was interrupted, and brings a place that lacks the newest generation up to it.
    fn complete(&self, newest: &Held) -> Result<(), Fault> {
        let slot = newest.generation % 2;
        let mut key = None;
        for files in &self.places {
            if let Ok(Some(held)) = self.read_slot(files, slot)
                && held.generation == newest.generation
            {
                key = self.read_key(files, slot)?;
            }
        }
        let Some(key) = key else { return Ok(()) };
        for files in &self.places {
            let is_there = self
                .read_slot(files, slot)
                .is_ok_and(|held| held.is_some_and(|held| held.generation == newest.generation));
            if !is_there {
                self.write_generation(files, &key, &newest.state)?;
            }
        }
        self.destroy_slot(1 - slot)
    }

    fn replace(&self, state: &[u8]) -> Result<u64, Fault> {
        let mut generation = self.generation.lock();
        let next = *generation + 1;
        let key = GenerationKey::fresh(next, self.random.as_ref());
        for files in &self.places {
            self.write_generation(files, &key, state)?;
        }
        for files in &self.places {
            let read_back = self.read_slot(files, next % 2)?;
            if !read_back.is_some_and(|held| held.generation == next && *held.state == state) {
                return Err(Fault::Corrupt(format!("{} does not read back", files.name())));
            }
        }
        // Both generations are whole everywhere. From here on there is no way back.
        *generation = next;
        self.destroy_slot(1 - next % 2)?;
        Ok(next)
    }

    fn write_generation(&self, files: &Files, key: &GenerationKey, state: &[u8]) -> Result<(), Fault> {
        let slot = key.generation % 2;
        files.write(&ring_name(slot), &key.seal(state, self.random.as_ref())?)?;
        files.overwrite(&key_name(slot), &self.outer.wrap(key, self.random.as_ref())?)?;
        files.sync_folder()
    }

    fn destroy_slot(&self, slot: u64) -> Result<(), Fault> {
        for files in &self.places {
            if files.read(&key_name(slot))?.is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0)) {
                files.overwrite(&key_name(slot), &[0; KEY_FILE_BYTES])?;
            }
        }
        Ok(())
    }

    fn read_key(&self, files: &Files, slot: u64) -> Result<Option<GenerationKey>, Fault> {
        match files.read(&key_name(slot))? {
            Some(bytes) => self.outer.unwrap(&bytes),
            None => Ok(None),
        }
    }

    /// The generation in a slot; `None` if there is none or it was not written to its end.
    fn read_slot(&self, files: &Files, slot: u64) -> Result<Option<Held>, Fault> {
        let Some(key) = self.read_key(files, slot)? else { return Ok(None) };
        // The state is written before its key: a key without it is damage.
        let damaged = || Fault::Corrupt(format!("{}: {} cannot be read", files.name(), ring_name(slot)));
        let state = files.read(&ring_name(slot))?.and_then(|sealed| key.open(&sealed));
        Ok(Some(Held { generation: key.generation, state: state.ok_or_else(damaged)? }))
    }

    fn note(&self, notes: &[Note]) -> Result<(), Fault> {
        let _noting = self.noting.lock();
        for files in &self.places {
            let is_new = files.read(NOTES)?.is_none();
            files.append(NOTES, slot::ENTRY_BYTES as u64, &slot::write_notes(notes))?;
            if is_new {
                files.sync_folder()?;
            }
        }
        Ok(())
    }

    /// What any place has.
    fn notes(&self) -> Result<BTreeSet<Note>, Fault> {
        let mut notes = BTreeSet::new();
        for files in &self.places {
            notes.extend(slot::read_notes(&files.read(NOTES)?.unwrap_or_default()));
        }
        Ok(notes)
    }

    fn forget_notes(&self, gone: &BTreeSet<Note>) -> Result<(), Fault> {
        let _noting = self.noting.lock();
        let left: Vec<Note> = self.notes()?.difference(gone).copied().collect();
        for files in &self.places {
            files.replace(NOTES, &slot::write_notes(&left))?;
        }
        Ok(())
    }

    fn reserve(&self, count: u64) -> Result<u64, Fault> {
        let generation = self.generation.lock();
        let mut next = None;
        for files in &self.places {
            if let Some(bytes) = files.read(NEXT)? {
                let number = slot::read_number(&bytes)
                    .ok_or_else(|| Fault::Corrupt(format!("{}: the next number", files.name())))?;
                next = next.max(Some(number));
            }
        }
        let first = match next {
            Some(next) => next,
            // The first number is asked for right behind the first generation.
            None if *generation <= 1 => 0,
            // Numbers could repeat, and with them keys.
            None => return Err(Fault::Corrupt("the keyring: the next number is missing".to_owned())),
        };
        let end =
            first.checked_add(count).ok_or_else(|| Fault::Unavailable("no numbers are left".to_owned()))?;
        for files in &self.places {
            files.replace(NEXT, &slot::write_number(end))?;
        }
        Ok(first)
    }
}

const NEXT: &str = "next";
const NOTES: &str = "doomed";

fn ring_name(slot: u64) -> String {
    format!("ring.{slot}")
}

fn key_name(slot: u64) -> String {
    format!("key.{slot}")
}

impl Vault for FolderVault {
    fn load(&self) -> Answer<'_, Option<Kept>> {
        let held = self.inner.load();
        Box::pin(async {
            Ok(held?.map(|held| Kept { generation: Generation(held.generation), state: held.state }))
        })
    }

    fn replace(&self, state: Zeroizing<Vec<u8>>) -> Answer<'_, Generation> {
        self.aside(move |inner| inner.replace(&state).map(Generation))
    }

    fn destruction(&self) -> String {
        let places = if self.inner.places.len() > 1 { "both places" } else { "its only place" };
        let wrapped = if self.inner.outer.is_set() { ", where it was wrapped by an outer key" } else { "" };
        format!("the former key was overwritten with zeros and synced in {places}{wrapped}")
    }

    fn note(&self, notes: Vec<Note>) -> Answer<'_, ()> {
        self.aside(move |inner| inner.note(&notes))
    }

    fn notes(&self) -> Answer<'_, Vec<Note>> {
        self.aside(|inner| Ok(inner.notes()?.into_iter().collect()))
    }

    fn forget_notes(&self, gone: Vec<Note>) -> Answer<'_, ()> {
        self.aside(move |inner| inner.forget_notes(&gone.into_iter().collect()))
    }

    fn reserve(&self, count: u64) -> Answer<'_, u64> {
        let first = self.inner.reserve(count);
        Box::pin(async { first })
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
