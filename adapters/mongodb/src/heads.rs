//! Heads as they are now: what is stored of them, and the entries behind that.

use hashbrown::HashMap;
use model::{Position, Seconds};
use mongodb::bson::{Document, doc};
use ports::{Cursor, Fault};

use crate::codec::{self, decode, encode};
use crate::database::{Database, Find};
use crate::head::Head;
use crate::keys;
use crate::log::Logged;
use crate::names::{HEADS, LOG};

/// A head is stored again when so many entries lie behind what is stored.
pub(crate) const BEHIND_MAX: u64 = 32;

/// Conversations asked for in one query.
const AT_ONCE: usize = 100;

/// Entries read at once.
const ENTRIES_AT_ONCE: usize = 1000;

/// A head, and how much of it is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) head: Head,
    /// The position up to which the stored head goes.
    pub(crate) stored: u64,
}

impl Standing {
    /// Whether it is time to store it again.
    pub(crate) fn is_behind(&self) -> bool {
        self.head.position.0 >= self.stored.saturating_add(BEHIND_MAX)
    }
}

/// The heads of these conversations; those without any entry are left out. `Conflict` if something was removed meanwhile.
pub(crate) async fn load(database: &Database, keys: &[String]) -> Result<HashMap<String, Standing>, Fault> {
    let mut found = HashMap::new();
    for part in keys.chunks(AT_ONCE) {
        load_part(database, part, &mut found).await?;
    }
    found.retain(|_, standing: &mut Standing| standing.head.position.0 > 0);
    Ok(found)
}

async fn load_part(
    database: &Database,
    keys: &[String],
    found: &mut HashMap<String, Standing>,
) -> Result<(), Fault> {
    let filter = doc! { "_id": { "$in": keys } };
    for document in database.find(HEADS, Find { filter, ..Find::default() }).await? {
        let head: Head = decode(codec::bytes(&document, "v")?, "a head")?;
        let stored = head.position.0;
        found.insert(codec::text(&document, "_id")?.to_owned(), Standing { head, stored });
    }
    loop {
        let behind = |key: &String| {
            let position = found.get(key).map_or(0, |standing| standing.head.position.0);
            doc! { "c": key, "p": { "$gt": keys::number(position) } }
        };
        let filter = doc! { "$or": keys.iter().map(behind).collect::<Vec<Document>>() };
        let find = Find { filter, sort: doc! { "c": 1, "p": 1 }, limit: ENTRIES_AT_ONCE, ..Find::default() };
        let documents = database.find(LOG, find).await?;
        for document in &documents {
            let (position, cursor) = (codec::number(document, "p")?, codec::number(document, "_id")?);
            let standing = found.entry_ref(codec::text(document, "c")?).or_default();
            let before = standing.head.position.0;
            if before > 0 && position != before + 1 {
                // What is stored of the head went on since, and what was before it was removed.
                return Err(Fault::Conflict);
            }
            match Logged::read(document) {
                Ok(logged) => standing.head.apply(&logged.entry),
                Err(fault) => {
                    // The conversation goes on after an entry that cannot be read.
                    tracing::error!(%fault, cursor, "passed over");
                    let time = document.get_i64("tm").ok().and_then(|time| u32::try_from(time).ok());
                    standing.head.pass(Position(position), Cursor(cursor), time.map(Seconds));
                }
            }
        }
        if documents.len() < ENTRIES_AT_ONCE {
            return Ok(());
        }
    }
}

/// Stores a head unless a newer one is stored.
pub(crate) async fn store(database: &Database, key: &str, head: &Head) -> Result<(), Fault> {
    let position = keys::position(head.position);
    let filter = doc! { "_id": key, "p": { "$lt": position } };
    let change = doc! { "$set": { "p": position, "v": encode(head)? } };
    database.put(HEADS, filter, change).await.map(drop)
}
