//! Backups: every key space as it was at one moment, in a file that does not depend on the engine.
//!
//! The file begins with [`MAGIC`]; then come frames: length (4 bytes), checksum (CRC-32, 4 bytes), and what they hold: the
//! name of a key space, an item of it, or at the end how many items there were. A file without its end is none.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use fjall::{PersistMode, Readable as _};
use parking_lot::RwLock;
use ports::Fault;

use crate::codec::fault;
use crate::spaces::{Spaces, WRITTEN_TO};
use crate::state::State;
use crate::store::EmbeddedStore;

const MAGIC: &[u8] = b"whimbrel backup 1\n";

/// What a frame holds, as its first byte.
const SPACE: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;

/// The largest frame: a key and a value of the engine.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// Items written at once by a restore.
const ITEMS_AT_ONCE: usize = 2000;

/// More entries than are appended between a backup and its restore.
const CURSORS_SKIPPED: u64 = 1 << 40;

/// What has no sense elsewhere.
const LEFT_OUT: &str = "padding";

fn failed(error: &std::io::Error) -> Fault {
    Fault::Unavailable(format!("the backup: {error}"))
}

fn damaged(why: &str) -> Fault {
    Fault::Corrupt(format!("the backup: {why}"))
}

impl EmbeddedStore {
    /// Writes everything as it is now to a file, while the store goes on. What is sealed stays sealed. Returns the number of
    /// items.
    ///
    /// # Errors
    /// `Unavailable` if the file cannot be written or the store is closed.
    pub async fn backup(&self, file: File) -> Result<u64, Fault> {
        self.keep_up().await?;
        let spaces = Arc::clone(self.spaces());
        let written = tokio::task::spawn_blocking(move || write(&spaces, file)).await;
        written.map_err(|error| Fault::Unavailable(error.to_string()))?
    }

    /// Makes a store in a folder out of a backup; returns the number of items. The folder must not hold one.
    ///
    /// # Errors
    /// `Unavailable` if the folder holds a store or cannot be written, `Corrupt` if the backup is damaged or not whole; then
    /// there is no store.
    pub fn restore(folder: &Path, file: File) -> Result<u64, Fault> {
        let store = folder.join("store");
        if store.exists() {
            return Err(Fault::Unavailable(format!("{} is there already", store.display())));
        }
        // It has its name only when it is whole: what is begun here is no store.
        let part = folder.join("store.part");
        if part.exists() {
            std::fs::remove_dir_all(&part).map_err(|error| failed(&error))?;
        }
        crate::store::make_private(&part)?;
        let spaces = Spaces::open(&part)?;
        let items = read(&spaces, file)?;
        let mut state = State::default();
        crate::store::recover(&spaces, &mut state)?;
        crate::behind::write(&spaces, &RwLock::new(state))?;
        // Cursors that were given out after the backup must not come again: clients have seen them.
        let skipped = spaces.last_cursor()?.0.saturating_add(CURSORS_SKIPPED);
        spaces.meta.insert(WRITTEN_TO, skipped.to_be_bytes()).map_err(|error| fault(&error))?;
        crate::behind::flush_all(&spaces)?;
        drop(spaces);
        std::fs::rename(&part, &store).map_err(|error| failed(&error))?;
        Ok(items)
    }
}

fn write(spaces: &Spaces, file: File) -> Result<u64, Fault> {
    let mut out = BufWriter::with_capacity(1 << 20, file);
    out.write_all(MAGIC).map_err(|error| failed(&error))?;
    // The moment comes first: what is made later is not part of it, and what it holds is not dropped under it.
    let _held = spaces.moment.read();
    let moment = spaces.database.snapshot();
    let mut items = 0_u64;
    for space in spaces.all() {
        let name = space.name().to_string();
        if name == LEFT_OUT {
            continue;
        }
        frame(&mut out, &[&[SPACE], name.as_bytes()])?;
        for guard in moment.iter(&space) {
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            let length = u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes();
            frame(&mut out, &[&[ITEM], &length, &key, &value])?;
            items += 1;
        }
    }
    frame(&mut out, &[&[END], &items.to_be_bytes()])?;
    let file = out.into_inner().map_err(|error| failed(error.error()))?;
    file.sync_all().map_err(|error| failed(&error))?;
    Ok(items)
}

fn frame(out: &mut impl Write, parts: &[&[u8]]) -> Result<(), Fault> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut checksum = crc32fast::Hasher::new();
    parts.iter().for_each(|part| checksum.update(part));
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let header = [length, checksum.finalize().to_be_bytes()].concat();
    for part in std::iter::once(&header[..]).chain(parts.iter().copied()) {
        out.write_all(part).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// The next frame; `None` at the end of the file.
fn next_frame(from: &mut impl Read) -> Result<Option<Vec<u8>>, Fault> {
    let mut header = [0; 8];
    match from.read_exact(&mut header) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read.map_err(|error| failed(&error))?,
    }
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let length = usize::try_from(word(0)).ok().filter(|length| *length <= FRAME_BYTES_MAX);
    let mut body = vec![0; length.ok_or_else(|| damaged("a frame is too long"))?];
    from.read_exact(&mut body).map_err(|_| damaged("it ends in the middle"))?;
    if crc32fast::hash(&body) != word(4) {
        return Err(damaged("a checksum does not match"));
    }
    Ok(Some(body))
}

fn read(spaces: &Spaces, file: File) -> Result<u64, Fault> {
    let mut from = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; MAGIC.len()];
    if from.read_exact(&mut magic).is_err() || magic != MAGIC {
        return Err(damaged("no such file, or of another version"));
    }
    let (mut items, mut space) = (0_u64, None);
    let mut batch = spaces.database.batch();
    while let Some(body) = next_frame(&mut from)? {
        match body.split_first() {
            Some((&SPACE, name)) => {
                let name = std::str::from_utf8(name).map_err(|_| damaged("a name"))?;
                let options = crate::bucket::space_options;
                space = Some(spaces.database.keyspace(name, options).map_err(|error| fault(&error))?);
            }
            Some((&ITEM, item)) => {
                let space = space.as_ref().ok_or_else(|| damaged("an item of no key space"))?;
                let (length, rest) = item.split_first_chunk::<4>().ok_or_else(|| damaged("an item"))?;
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                let (key, value) = rest.split_at_checked(length).ok_or_else(|| damaged("an item"))?;
                batch.insert(space, key, value);
                items += 1;
                if items % ITEMS_AT_ONCE as u64 == 0 {
                    let full = std::mem::replace(&mut batch, spaces.database.batch());
                    full.commit().map_err(|error| fault(&error))?;
                }
            }
            Some((&END, count)) if count == items.to_be_bytes() => {
                batch.commit().map_err(|error| fault(&error))?;
                spaces.database.persist(PersistMode::SyncAll).map_err(|error| fault(&error))?;
                return Ok(items);
            }
            _ => return Err(damaged("a frame that says nothing")),
        }
    }
    Err(damaged("it is not whole"))
}
