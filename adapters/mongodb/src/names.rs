//! Which collections there are, which indexes they have, and what a server must be able to do.
//!
//! | collection | `_id` | what |
//! |---|---|---|
//! | `log` | cursor | entries ([`crate::log`]) |
//! | `content_DAY` | 16 random bytes | what was sealed, in `b`; dropped whole when the day begins |
//! | `heads` | conversation | a head up to position `p`, in `v` |
//! | `lists` | account, other side | `o`: the account, `h`: not before the time that orders it |
//! | `limits` | app, cursor, seconds | retention that was shortened |
//! | `erased` | account | what an erasure found |
//! | `meta` | its name | `floor`: the newest cursor that may be gone, `done`: up to where former contents were removed, `removed_DAY`: when the last of what ended that day was |

use mongodb::IndexModel;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::IndexOptions;
use ports::{Fault, Random};

use crate::database::{Database, Find, Inserted};

pub(crate) const LOG: &str = "log";
pub(crate) const HEADS: &str = "heads";
pub(crate) const LISTS: &str = "lists";
pub(crate) const LIMITS: &str = "limits";
pub(crate) const ERASED: &str = "erased";
pub(crate) const META: &str = "meta";

/// What names of collections of contents begin with; then the day in five digits or more.
const CONTENTS: &str = "content_";

/// What the name of a collection begins with that is tried out and dropped.
const SCRATCH: &str = "scratch_";

/// The oldest MongoDB that is taken: before it, reads of a majority could be switched off.
const VERSION_MIN: i32 = 5;

/// The collection of the contents that are over when this day begins.
pub(crate) fn contents(day: u32) -> String {
    format!("{CONTENTS}{day:05}")
}

/// The day of a collection of contents.
pub(crate) fn read_contents(name: &str) -> Option<u32> {
    name.strip_prefix(CONTENTS)?.parse().ok()
}

/// All indexes: the collection, the index's name, its keys, whether it is unique.
fn indexes() -> Vec<(&'static str, &'static str, Document, bool)> {
    vec![
        (LOG, "position", doc! { "c": 1, "p": 1 }, true),
        (LOG, "history", doc! { "h": 1 }, false),
        (LOG, "period", doc! { "app": 1, "hour": 1, "h": 1 }, false),
        (LOG, "age", doc! { "app": 1, "tm": 1 }, false),
        (LOG, "stream", doc! { "a": 1, "_id": 1 }, false),
        (LOG, "about", doc! { "c": 1, "t": 1 }, false),
        (LOG, "retry", doc! { "r": 1 }, false),
        (LOG, "ended", doc! { "keep": 1 }, false),
        (LOG, "kind", doc! { "k": 1, "_id": 1 }, false),
        (LISTS, "order", doc! { "o": 1, "h": -1 }, false),
        (LIMITS, "app", doc! { "app": 1 }, false),
    ]
}

fn refused(why: &str) -> Fault {
    Fault::Unavailable(format!("this MongoDB server cannot hold the timeline: {why}"))
}

/// Makes the indexes and looks whether they are what they should be.
pub(crate) async fn prepare(database: &Database) -> Result<(), Fault> {
    for (collection, name, keys, is_unique) in indexes() {
        let options = IndexOptions::builder().name(name.to_owned()).unique(is_unique.then_some(true)).build();
        let index = IndexModel::builder().keys(keys).options(options).build();
        database.index(collection, index).await?;
    }
    for (collection, name, keys, is_unique) in indexes() {
        let fits = |index: &IndexModel| {
            let options = index.options.as_ref();
            let is_named = options.and_then(|options| options.name.as_deref()) == Some(name);
            let found = options.and_then(|options| options.unique).unwrap_or(false);
            is_named && found == is_unique && same_keys(&index.keys, &keys)
        };
        if !database.indexes(collection).await?.iter().any(fits) {
            return Err(refused(&format!(
                "the index {name} of {collection} is another one, or was not made"
            )));
        }
    }
    Ok(())
}

/// Whether two indexes have the same keys; servers differ in the type of the numbers.
fn same_keys(one: &Document, other: &Document) -> bool {
    let number = |value: &Bson| match value {
        Bson::Int32(number) => i64::from(*number),
        Bson::Int64(number) => *number,
        Bson::Double(number) if *number > 0.0 => 1,
        Bson::Double(_) => -1,
        _ => 0,
    };
    let read =
        |keys: &Document| keys.iter().map(|(key, value)| (key.clone(), number(value))).collect::<Vec<_>>();
    read(one) == read(other)
}

/// Looks at what the server is, and tries out what everything depends on.
pub(crate) async fn check(database: &Database, random: &dyn Random, allow_lone: bool) -> Result<(), Fault> {
    let hello = database.command(doc! { "hello": 1 }).await?;
    let is_member =
        hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|kind| kind == "isdbgrid");
    if !is_member && !allow_lone {
        return Err(refused(
            "it is no member of a replica set, so nothing but itself keeps what it acknowledges \
             (start it with --replSet, or set lone_server where that is meant)",
        ));
    }
    if is_member {
        let told = database.command(doc! { "buildInfo": 1 }).await?;
        let version = told.get_array("versionArray").ok().and_then(|parts| parts.first()?.as_i32());
        if version.is_none_or(|version| version < VERSION_MIN) {
            return Err(refused(&format!("its version is older than {VERSION_MIN}.0")));
        }
    }
    let mut name = [0; 8];
    random.fill(&mut name);
    let scratch = format!("{SCRATCH}{:016x}", u64::from_be_bytes(name));
    let tried = try_out(database, &scratch).await;
    database.drop(&scratch).await?;
    tried
}

/// Tries out that a key is taken once, that inserts stop there, and that a condition holds for a change.
async fn try_out(database: &Database, scratch: &str) -> Result<(), Fault> {
    let options = IndexOptions::builder().name("pair".to_owned()).unique(true).build();
    let keys = doc! { "c": 1, "p": 1 };
    database.index(scratch, IndexModel::builder().keys(keys).options(options).build()).await?;
    let entry = |id: i64, position: i64| doc! { "_id": id, "c": "c", "p": position };
    // A write that waits for a majority and its journal.
    if database.insert(scratch, &[entry(1, 1)], true).await? != Inserted::All {
        return Err(refused("it refuses a document for no reason"));
    }
    for (documents, what) in [
        (vec![entry(1, 2)], "it takes the same _id twice"),
        (vec![entry(2, 1)], "unique indexes of two fields are not enforced"),
        (vec![entry(3, 3), entry(1, 4), entry(5, 5)], "it takes the same _id twice"),
    ] {
        if database.insert(scratch, &documents, true).await? != Inserted::Taken {
            return Err(refused(what));
        }
    }
    let ids = database.find(scratch, Find { sort: doc! { "_id": -1 }, ..Find::default() }).await?;
    let ids: Vec<i64> = ids.iter().filter_map(|document| document.get_i64("_id").ok()).collect();
    if ids != [3, 1] {
        return Err(refused("inserts in order do not stop at a key that is taken"));
    }
    let put = |below: i64| {
        let filter = doc! { "_id": 3_i64, "p": { "$lt": below } };
        database.put(scratch, filter, doc! { "$set": { "p": 4_i64 } })
    };
    if put(4).await? != Inserted::All || put(4).await? != Inserted::Taken {
        return Err(refused("the condition of a change is not kept"));
    }
    Ok(())
}
