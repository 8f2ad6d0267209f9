//! The server's operations that we use, each bounded in time, with faults that name nothing of what is stored.
//!
//! Every write waits for a majority of the replica set and its journals; every read sees what a majority has. Updates depend
//! on nothing but the document that they change.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, IndexModel};
use ports::{Clock, Fault};

/// How long an answer may take; then the store is not available, and whether a write happened is not known.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server may wait for the majority's journals.
const MAJORITY_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a primary is looked for.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How many connections a node has at most.
const CONNECTIONS_MAX: u32 = 64;

/// How many changes go into one command.
const UPDATES_AT_ONCE: usize = 500;

/// What the server says when a key is there already.
const DUPLICATE_KEY: i32 = 11_000;

/// What the server says when its disk is full.
const OUT_OF_DISK_SPACE: i32 = 14_031;

/// What the server says of something that is not there.
const NAMESPACE_NOT_FOUND: i32 = 26;

/// What became of documents that were to be inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// All are there.
    All,
    /// One met a key that was taken.
    Taken,
}

/// What is to be found: a filter, an order, how many at most (0: all), and which fields (empty: all).
#[derive(Default)]
pub(crate) struct Find {
    pub(crate) filter: Document,
    pub(crate) sort: Document,
    pub(crate) limit: usize,
    pub(crate) fields: Document,
}

/// One database of the server.
#[derive(Clone)]
pub(crate) struct Database {
    inner: mongodb::Database,
    clock: Arc<dyn Clock>,
}

fn majority() -> WriteConcern {
    let mut concern = WriteConcern::majority();
    concern.journal = Some(true);
    concern.w_timeout = Some(MAJORITY_TIMEOUT);
    concern
}

impl Database {
    /// A client of this address. Nothing is sent before the first operation.
    pub(crate) async fn open(address: &str, name: &str, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let unusable = |_| Fault::Unavailable("the address of MongoDB cannot be understood".to_owned());
        let mut options = ClientOptions::parse(address).await.map_err(unusable)?;
        let is_weak = options.write_concern.as_ref().is_some_and(|concern| {
            concern.journal == Some(false)
                || concern.w.as_ref().is_some_and(|w| *w != Acknowledgment::Majority)
        });
        if is_weak {
            let why = "the address of MongoDB asks for less than w=majority with journal: what is answered could be lost";
            return Err(Fault::Unavailable(why.to_owned()));
        }
        options.write_concern = Some(majority());
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        options.connect_timeout = Some(CONNECT_TIMEOUT);
        options.server_selection_timeout = Some(SELECTION_TIMEOUT);
        options.max_pool_size = Some(CONNECTIONS_MAX);
        options.app_name = Some("whimbrel".to_owned());
        let client = Client::with_options(options).map_err(unusable)?;
        Ok(Self { inner: client.database(name), clock })
    }

    /// What a future of the driver comes to within the time that an answer may take.
    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<Result<T, Error>, Fault> {
        tokio::select! {
            done = work => Ok(done),
            () = self.clock.sleep(ANSWER_TIMEOUT) => {
                Err(Fault::Unavailable("MongoDB: no answer in time".to_owned()))
            }
        }
    }

    async fn ask<T>(&self, work: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Fault> {
        self.bounded(work).await?.map_err(|error| fault(&error))
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Runs a command that neither reads nor writes what is stored.
    pub(crate) async fn command(&self, command: Document) -> Result<Document, Fault> {
        self.ask(async { self.inner.run_command(command).await }).await
    }

    pub(crate) async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, Fault> {
        let collection = self.inner.collection::<Document>(collection);
        let work = async {
            let mut asked = collection.find(find.filter);
            if !find.sort.is_empty() {
                asked = asked.sort(find.sort);
            }
            if !find.fields.is_empty() {
                asked = asked.projection(find.fields);
            }
            if let (1.., Ok(limit)) = (find.limit, i64::try_from(find.limit)) {
                asked = asked.limit(limit);
            }
            asked.await?.try_collect().await
        };
        self.ask(work).await
    }

    /// Finds one document by its `_id`.
    pub(crate) async fn get(&self, collection: &str, id: impl Into<Bson>) -> Result<Option<Document>, Fault> {
        let find = Find { filter: doc! { "_id": id.into() }, limit: 1, ..Find::default() };
        Ok(self.find(collection, find).await?.pop())
    }

    /// Inserts documents one after the other, up to the first whose key is taken; or all whose keys are not.
    pub(crate) async fn insert(
        &self,
        collection: &str,
        documents: &[Document],
        is_ordered: bool,
    ) -> Result<Inserted, Fault> {
        let collection = self.inner.collection::<Document>(collection);
        let work = async { collection.insert_many(documents).ordered(is_ordered).await };
        match self.bounded(work).await? {
            Ok(_) => Ok(Inserted::All),
            Err(error) if is_duplicate(&error) => Ok(Inserted::Taken),
            Err(error) => Err(fault(&error)),
        }
    }

    /// Changes all documents of a filter; how many there were.
    pub(crate) async fn update(
        &self,
        collection: &str,
        filter: Document,
        change: Document,
    ) -> Result<u64, Fault> {
        let collection = self.inner.collection::<Document>(collection);
        let work = async { collection.update_many(filter, change).await };
        Ok(self.ask(work).await?.matched_count)
    }

    /// Changes the document of a filter, or makes it. `Taken` if it is there and the filter does not hold.
    pub(crate) async fn put(
        &self,
        collection: &str,
        filter: Document,
        change: Document,
    ) -> Result<Inserted, Fault> {
        let collection = self.inner.collection::<Document>(collection);
        let work = async { collection.update_one(filter, change).upsert(true).await };
        match self.bounded(work).await? {
            Ok(_) => Ok(Inserted::All),
            Err(error) if is_duplicate(&error) => Ok(Inserted::Taken),
            Err(error) => Err(fault(&error)),
        }
    }

    /// Changes documents or makes them, each by its filter and change; in few commands.
    pub(crate) async fn put_each(
        &self,
        collection: &str,
        changes: Vec<(Document, Document)>,
    ) -> Result<(), Fault> {
        let timeout = i64::try_from(MAJORITY_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
        for part in changes.chunks(UPDATES_AT_ONCE) {
            let of =
                |(filter, change): &(Document, Document)| doc! { "q": filter, "u": change, "upsert": true };
            let updates: Vec<Document> = part.iter().map(of).collect();
            let command = doc! {
                "update": collection,
                "updates": updates,
                "ordered": false,
                "writeConcern": { "w": "majority", "j": true, "wtimeout": timeout },
            };
            let said = self.command(command).await?;
            // Two that make the same document at once: one of them changes it the next time.
            let errors = said.get_array("writeErrors").map(Vec::as_slice).unwrap_or_default();
            let code = |error: &Bson| error.as_document().and_then(|error| error.get_i32("code").ok());
            let mut again = Vec::new();
            for error in errors {
                let index = error.as_document().and_then(|error| error.get_i32("index").ok());
                let change = index.and_then(|index| part.get(usize::try_from(index).ok()?));
                let (Some(DUPLICATE_KEY), Some(change)) = (code(error), change) else {
                    return Err(Fault::Unavailable("MongoDB: a change was refused".to_owned()));
                };
                again.push(change.clone());
            }
            if said.contains_key("writeConcernError") {
                return Err(Fault::Unavailable("MongoDB: no majority".to_owned()));
            }
            for (filter, change) in again {
                self.put(collection, filter, change).await?;
            }
        }
        Ok(())
    }

    /// Removes all documents of a filter; how many there were.
    pub(crate) async fn delete(&self, collection: &str, filter: Document) -> Result<u64, Fault> {
        let collection = self.inner.collection::<Document>(collection);
        Ok(self.ask(async { collection.delete_many(filter).await }).await?.deleted_count)
    }

    /// How many documents of a filter there are.
    pub(crate) async fn count(&self, collection: &str, filter: Document) -> Result<u64, Fault> {
        let collection = self.inner.collection::<Document>(collection);
        self.ask(async { collection.count_documents(filter).await }).await
    }

    /// The names of all collections.
    pub(crate) async fn collections(&self) -> Result<Vec<String>, Fault> {
        self.ask(async { self.inner.list_collection_names().await }).await
    }

    /// Makes an index unless it is there. `Unavailable` if there is another one of its name.
    pub(crate) async fn index(&self, collection: &str, index: IndexModel) -> Result<(), Fault> {
        let collection = self.inner.collection::<Document>(collection);
        self.ask(async { collection.create_index(index).await.map(drop) }).await
    }

    /// Which indexes a collection has.
    pub(crate) async fn indexes(&self, collection: &str) -> Result<Vec<IndexModel>, Fault> {
        let collection = self.inner.collection::<Document>(collection);
        self.ask(async { collection.list_indexes().await?.try_collect().await }).await
    }

    /// Removes a collection with everything in it.
    pub(crate) async fn drop(&self, collection: &str) -> Result<(), Fault> {
        let collection = self.inner.collection::<Document>(collection);
        match self.bounded(async { collection.drop().await }).await? {
            Err(error) if code_of(&error) == Some(NAMESPACE_NOT_FOUND) => Ok(()),
            other => other.map_err(|error| fault(&error)),
        }
    }
}

/// Whether nothing else went wrong than that keys were taken.
fn is_duplicate(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::InsertMany(many) if many.write_concern_error.is_none() => {
            let errors = many.write_errors.as_deref().unwrap_or_default();
            !errors.is_empty() && errors.iter().all(|error| error.code == DUPLICATE_KEY)
        }
        ErrorKind::InsertMany(_) => false,
        _ => code_of(error) == Some(DUPLICATE_KEY),
    }
}

fn code_of(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::InsertMany(many) => {
            let first = many.write_errors.as_ref().and_then(|errors| errors.first());
            first.map(|error| error.code).or(many.write_concern_error.as_ref().map(|error| error.code))
        }
        _ => None,
    }
}

/// Says what a failure means to a caller. What the driver and the server say may name keys, values and hosts; their kinds and
/// codes do not.
fn fault(error: &Error) -> Fault {
    if let Some(code) = code_of(error) {
        return match code {
            OUT_OF_DISK_SPACE => Fault::Full,
            13 | 18 => {
                Fault::Unavailable("MongoDB: this user may not do that, or its password is wrong".to_owned())
            }
            code => Fault::Unavailable(format!("MongoDB: error {code}")),
        };
    }
    let what = match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => "the login failed",
        ErrorKind::BsonDeserialization(_) | ErrorKind::InvalidResponse { .. } => {
            return Fault::Corrupt("MongoDB: a document that cannot be read".to_owned());
        }
        ErrorKind::Io(_) => "the connection was lost",
        ErrorKind::ConnectionPoolCleared { .. } => "connections were lost",
        ErrorKind::ServerSelection { .. } => "no primary answers",
        ErrorKind::DnsResolve { .. } => "its name cannot be resolved",
        ErrorKind::InvalidTlsConfig { .. } => "the settings of TLS do not work",
        ErrorKind::IncompatibleServer { .. } => "the server lacks something",
        ErrorKind::Shutdown => "the client is closed",
        _ => "the operation failed",
    };
    Fault::Unavailable(format!("MongoDB: {what}"))
}
