//! Writes what follows from the log, in one batch, with the number of the entry up to which it goes.
//!
//! Nothing here is synced by itself: after a crash the missing part is derived again.

use std::borrow::Cow;

use fjall::{OwnedWriteBatch, PersistMode};
use parking_lot::RwLock;
use ports::{Event, Fault};

use crate::codec::{encode, fault};
use crate::head::Head;
use crate::layout::{Account, Reference, derived};
use crate::spaces::{Spaces, WRITTEN_TO};
use crate::state::{Rewrite, State};

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
        add_rewrites(&mut batch, spaces, &state)?;
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
        // Those of one bucket follow each other, but for a change of what the app keeps how long.
        let mut by_day: Vec<&Reference> = references.iter().collect();
        by_day.sort_by_key(|reference| reference.day);
        for of_day in by_day.chunk_by(|one, other| one.day == other.day) {
            let Some(bucket) = spaces.buckets.get(of_day[0].day) else { continue };
            for chunk in of_day.chunks(CHUNK_REFERENCES) {
                let mut bytes = Vec::with_capacity(chunk.len() * Reference::BYTES);
                for reference in chunk {
                    reference.write(&mut bytes);
                }
                let key = conversation.place(derived::REFERENCES, chunk[0].at);
                batch.insert(&bucket.derived, key, bytes);
            }
        }
    }
    for ((conversation, at), reference) in &state.backdated {
        let Some(bucket) = spaces.buckets.get(reference.day) else { continue };
        let mut bytes = Vec::with_capacity(Reference::BYTES);
        reference.write(&mut bytes);
        batch.insert(&bucket.derived, conversation.place(derived::BACKDATED, *at), bytes);
    }
}

fn add_amendments(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) -> Result<(), Fault> {
    for ((conversation, at), (day, amendment)) in &state.amendments {
        let Some(bucket) = spaces.buckets.get(*day) else { continue };
        batch.insert(&bucket.derived, conversation.place(derived::AMENDMENT, *at), encode(amendment)?);
    }
    Ok(())
}

/// Changes the content of entries where they lie: the text of a recalled message goes from the log as well, and a modified one
/// has its new text where it had the old.
fn add_rewrites(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) -> Result<(), Fault> {
    for ((day, cursor), rewrite) in &state.rewrites {
        let Some(bucket) = spaces.buckets.get(*day) else { continue };
        let Some(mut entry) = spaces.entry(*day, *cursor)? else { continue };
        match (&mut entry.event, rewrite) {
            (Event::Message(message), Rewrite::Empty) => message.content.empty(),
            (Event::Modify { content, .. }, Rewrite::Empty) => content.empty(),
            // What was emptied meanwhile stays empty.
            (Event::Message(message), Rewrite::Content(modification, content))
                if !message.content.bytes.is_empty() =>
            {
                message.modification = Some(*modification);
                message.content = content.clone();
            }
            _ => continue,
        }
        batch.insert(&bucket.log, cursor.0.to_be_bytes(), encode(&entry)?);
    }
    Ok(())
}

fn add_heads(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) -> Result<(), Fault> {
    for (conversation, cached) in state.heads.iter().filter(|(_, cached)| cached.is_dirty) {
        let head = without_dropped(spaces, &cached.head);
        batch.insert(&spaces.heads, conversation.key(), encode(head.as_ref())?);
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

/// A head without the buckets that are no more.
fn without_dropped<'a>(spaces: &Spaces, head: &'a Head) -> Cow<'a, Head> {
    if head.buckets.iter().all(|part| spaces.buckets.is_live(part.day)) {
        return Cow::Borrowed(head);
    }
    let mut head = head.clone();
    head.buckets.retain(|part| spaces.buckets.is_live(part.day));
    Cow::Owned(head)
}

fn add_streams(batch: &mut OwnedWriteBatch, spaces: &Spaces, state: &State) {
    for (account, places) in &state.streams {
        let mut by_day = places.clone();
        by_day.sort_unstable();
        for of_day in by_day.chunk_by(|one, other| one.0 == other.0) {
            let Some(bucket) = spaces.buckets.get(of_day[0].0) else { continue };
            for chunk in of_day.chunks(CHUNK_CURSORS) {
                let bytes: Vec<u8> = chunk.iter().flat_map(|(_, cursor)| cursor.0.to_be_bytes()).collect();
                batch.insert(&bucket.derived, account.stream_key(chunk[0].1), bytes);
            }
        }
    }
}

/// Syncs the journal and moves every write buffer to its table, so that the next start has nothing to replay.
pub(crate) fn flush_all(spaces: &Spaces) -> Result<(), Fault> {
    spaces.database.persist(PersistMode::SyncAll).map_err(|error| fault(&error))?;
    for space in spaces.all() {
        space.rotate_memtable_and_wait().map_err(|error| fault(&error))?;
    }
    Ok(())
}
