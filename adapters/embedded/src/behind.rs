//! Writes what follows from the log, in one batch, with the number of the entry up to which it goes.
//!
//! Nothing here is synced by itself: after a crash the missing part is derived again.

use fjall::{OwnedWriteBatch, PersistMode};
use parking_lot::RwLock;
use ports::{Event, Fault};

use crate::codec::{encode, fault};
use crate::layout::{Account, Reference};
use crate::spaces::{Spaces, WRITTEN_TO};
use crate::state::State;

/// References in one chunk at most: a page is read without much that it does not need.
const CHUNK_REFERENCES: usize = 256;

/// Cursors in one chunk of an account's stream at most.
const CHUNK_CURSORS: usize = 512;

/// Writes all that is not written yet.
pub(crate) fn write(spaces: &Spaces, state: &RwLock<State>) -> Result<(), Fault> {
    let batch = {
        let state = state.read();
        if state.unwritten == 0 {
            return Ok(());
        }
        let mut batch = spaces.database.batch();
        add_references(&mut batch, spaces, &state);
        add_amendments(&mut batch, spaces, &state)?;
        add_heads(&mut batch, spaces, &state)?;
        add_streams(&mut batch, spaces, &state);
        batch.insert(&spaces.meta, WRITTEN_TO, state.applied.0.to_be_bytes());
        batch
    };
    batch.commit().map_err(|error| fault(&error))?;
    state.write().written();
    Ok(())
}

fn add_references(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) {
    for (conversation, references) in &state.references {
        for chunk in references.chunks(CHUNK_REFERENCES) {
            let mut bytes = Vec::with_capacity(chunk.len() * Reference::BYTES);
            for reference in chunk {
                reference.write(&mut bytes);
            }
            batch.insert(&spaces.references, conversation.place(chunk[0].at), bytes);
        }
    }
    for ((conversation, at), reference) in &state.backdated {
        let mut bytes = Vec::with_capacity(Reference::BYTES);
        reference.write(&mut bytes);
        batch.insert(&spaces.backdated, conversation.place(*at), bytes);
    }
}

fn add_amendments(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) -> Result<(), Fault> {
    for ((conversation, at), amendment) in &state.amendments {
        batch.insert(&spaces.amendments, conversation.place(*at), encode(amendment)?);
    }
    // The text of a recalled message goes from the log as well.
    for cursor in &state.emptied {
        if let Some(mut entry) = spaces.entry(*cursor)?
            && let Event::Message(message) = &mut entry.event
        {
            message.content.empty();
            batch.insert(&spaces.log, cursor.0.to_be_bytes(), encode(&entry)?);
        }
    }
    Ok(())
}

fn add_heads(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) -> Result<(), Fault> {
    for (conversation, cached) in state.heads.iter().filter(|(_, cached)| cached.is_dirty) {
        batch.insert(&spaces.heads, conversation.key(), encode(&cached.head)?);
        for (index, number) in conversation.id.sides().into_iter().enumerate() {
            let account = Account { app: conversation.app, number };
            let peer = conversation.id.peer_of(number);
            let key_of = |head: &crate::head::Head| {
                let side = &head.sides[index];
                side.is_listed().then(|| account.recent_key(side.active_at, peer))
            };
            let (former, current) = (cached.stored.as_ref().and_then(key_of), key_of(&cached.head));
            if former == current {
                continue;
            }
            if let Some(key) = former {
                batch.remove(&spaces.recent, key);
            }
            if let Some(key) = current {
                batch.insert(&spaces.recent, key, b"");
            }
        }
    }
    Ok(())
}

fn add_streams(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) {
    for (account, cursors) in &state.streams {
        for chunk in cursors.chunks(CHUNK_CURSORS) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|cursor| cursor.0.to_be_bytes()).collect();
            batch.insert(&spaces.accounts, account.stream_key(chunk[0]), bytes);
        }
    }
}

/// Syncs the journal and moves every write buffer to its table, so that the next start has nothing to replay.
pub(crate) fn flush_all(spaces: &Spaces) -> Result<(), Fault> {
    spaces.database.persist(PersistMode::SyncAll).map_err(|error| fault(&error))?;
    for (_, space) in spaces.all() {
        space.rotate_memtable_and_wait().map_err(|error| fault(&error))?;
    }
    Ok(())
}
