//! What was sealed: a document each, in the collection of the day by whose beginning it is over.

use bytes::Bytes;
use hashbrown::HashMap;
use mongodb::bson::{Binary, Document, doc};
use ports::Fault;

use crate::codec::{self, binary};
use crate::database::{Database, Find};
use crate::log::{ContentAt, Id};
use crate::names;

/// Contents asked for in one query: together they are far below what one answer holds.
const AT_ONCE: usize = 500;

fn by_day<'a>(places: impl Iterator<Item = &'a ContentAt>) -> HashMap<u32, Vec<Binary>> {
    let mut days: HashMap<u32, Vec<Binary>> = HashMap::new();
    for at in places {
        days.entry(at.day).or_default().push(binary(at.id.to_vec()));
    }
    days
}

/// Writes contents. One that is there already was written by an earlier try.
pub(crate) async fn write(database: &Database, contents: &[(ContentAt, Bytes)]) -> Result<(), Fault> {
    let mut days: HashMap<u32, Vec<Document>> = HashMap::new();
    for (at, bytes) in contents {
        let document = doc! { "_id": binary(at.id.to_vec()), "b": binary(bytes.to_vec()) };
        days.entry(at.day).or_default().push(document);
    }
    for (day, documents) in days {
        database.insert(&names::contents(day), &documents, false).await?;
    }
    Ok(())
}

/// Reads contents; those that are not there are left out.
pub(crate) async fn read(
    database: &Database,
    places: impl Iterator<Item = &ContentAt> + Send,
) -> Result<HashMap<Id, Bytes>, Fault> {
    let mut found = HashMap::new();
    for (day, ids) in by_day(places) {
        for part in ids.chunks(AT_ONCE) {
            let find = Find { filter: doc! { "_id": { "$in": part } }, ..Find::default() };
            for document in database.find(&names::contents(day), find).await? {
                let damaged = |_| Fault::Corrupt("the name of a content".to_owned());
                let id = codec::bytes(&document, "_id")?.try_into().map_err(damaged)?;
                found.insert(id, Bytes::copy_from_slice(codec::bytes(&document, "b")?));
            }
        }
    }
    Ok(found)
}

/// Removes contents. May be repeated.
pub(crate) async fn remove(database: &Database, places: &[ContentAt]) -> Result<(), Fault> {
    for (day, ids) in by_day(places.iter()) {
        for part in ids.chunks(AT_ONCE) {
            database.delete(&names::contents(day), doc! { "_id": { "$in": part } }).await?;
        }
    }
    Ok(())
}
