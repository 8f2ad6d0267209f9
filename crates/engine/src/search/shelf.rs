//! Stored indexes: which there are, and those of them that are open.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulltext::Index;
use hashbrown::HashMap;
use model::{Result, SdkAppId, Sealed, Seconds};
use parking_lot::Mutex;
use ports::records::{Write, find};
use ports::{Cursor, Fault, Record as _, Stamped};
use promise::Stamps;
use promise::keys::{Destroyed, Keyring, Place};

use super::computed;
use super::facts::IndexFact;
use crate::context::Context;
use crate::erasure::RecalledFact;
use crate::store::{put, remove, write};

/// The indexes of each app and bucket.
type Indexes = BTreeMap<(SdkAppId, u16), Vec<IndexFact>>;

/// Indexes that are open.
#[derive(Default)]
struct Opened {
    indexes: HashMap<u64, (Arc<Index>, u64)>,
    bytes: usize,
    /// Counts uses.
    uses: u64,
}

impl Opened {
    fn remove(&mut self, number: u64) {
        if let Some((index, _)) = self.indexes.remove(&number) {
            self.bytes -= index.bytes();
        }
    }

    fn get(&mut self, number: u64) -> Option<Arc<Index>> {
        self.uses += 1;
        let (index, used) = self.indexes.get_mut(&number)?;
        *used = self.uses;
        Some(Arc::clone(index))
    }

    fn insert(&mut self, number: u64, index: &Arc<Index>, bytes_max: usize) {
        self.uses += 1;
        self.remove(number);
        self.indexes.insert(number, (Arc::clone(index), self.uses));
        self.bytes += index.bytes();
        while self.bytes > bytes_max {
            let oldest = self.indexes.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(number, _)| *number) else { return };
            self.remove(oldest);
        }
    }
}

/// An object or a record that may be half of an index. Until it is known its key counts as one of those to be destroyed.
#[derive(Clone)]
struct Loose {
    app: SdkAppId,
    fact: IndexFact,
    /// What it was to replace.
    former: Vec<IndexFact>,
    /// Whether it is nothing, whatever the other half says.
    is_stray: bool,
}

/// Every stored index.
pub(super) struct Shelf {
    context: Context,
    keyring: Arc<Keyring>,
    bytes_max: usize,
    indexes: Mutex<Indexes>,
    opened: Mutex<Opened>,
    /// What may have been left by an attempt that failed, or by a crash.
    loose: Mutex<Vec<Loose>>,
    /// Keys of what was replaced since the keys last changed: what it holds may have to be destroyed with the next change.
    retired: Mutex<Vec<Destroyed>>,
    /// Held by who opens one: opening takes several times its memory.
    opening: tokio::sync::Mutex<()>,
}

impl Shelf {
    pub(super) fn new(context: Context, keyring: Arc<Keyring>, bytes_max: usize) -> Self {
        let (indexes, opened, loose) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (retired, opening) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { context, keyring, bytes_max, indexes, opened, loose, retired, opening }
    }

    /// The indexes that live in an app, with their buckets rising.
    pub(super) fn of_app(&self, app: SdkAppId, today: u16) -> Vec<IndexFact> {
        let indexes = self.indexes.lock();
        let live = indexes.range((app, today.saturating_add(1))..=(app, u16::MAX));
        live.flat_map(|(_, facts)| facts).cloned().collect()
    }

    /// Every index there is.
    pub(super) fn all(&self) -> Vec<(SdkAppId, IndexFact)> {
        let indexes = self.indexes.lock();
        indexes.iter().flat_map(|((app, _), facts)| facts.iter().map(|fact| (*app, fact.clone()))).collect()
    }

    /// Up to where the log is in the indexes of an app and bucket.
    pub(super) fn read_to(&self, app: SdkAppId, bucket: u16) -> Cursor {
        let indexes = self.indexes.lock();
        let facts = indexes.get(&(app, bucket)).map_or(&[][..], Vec::as_slice);
        facts.iter().map(|fact| fact.last).max().unwrap_or_default()
    }

    /// Whether an index is there as this says.
    pub(super) fn holds(&self, app: SdkAppId, fact: &IndexFact) -> bool {
        self.indexes.lock().get(&(app, fact.bucket)).is_some_and(|facts| facts.contains(fact))
    }

    /// Takes one that is stored already.
    pub(super) fn add(&self, app: SdkAppId, fact: IndexFact) {
        self.indexes.lock().entry((app, fact.bucket)).or_default().push(fact);
    }

    /// An index; `None` if it is not there any more, or cannot be read: damaged, or its key is destroyed.
    pub(super) async fn open(&self, app: SdkAppId, fact: &IndexFact) -> Result<Option<Arc<Index>>> {
        if let Some(index) = self.opened.lock().get(fact.number) {
            return Ok(Some(index));
        }
        let _opening = self.opening.lock().await;
        if let Some(index) = self.opened.lock().get(fact.number) {
            return Ok(Some(index));
        }
        let sealed = match self.context.blobs.get(app, fact.name()).await {
            Ok(Some(sealed)) => sealed,
            Ok(None) | Err(Fault::Corrupt(_)) => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        let keyring = Arc::clone(&self.keyring);
        let is_it = (sealed.bucket, sealed.index) == (fact.bucket, fact.number);
        let opened = computed(self.context.spawner.as_ref(), move || {
            let packed = keyring.open_bytes(Place::search_index(app), &sealed)?;
            drop(sealed);
            Index::open(&packed).ok()
        });
        let Some(index) = opened.await?.filter(|_| is_it).map(Arc::new) else { return Ok(None) };
        // One that was replaced meanwhile is not kept.
        let indexes = self.indexes.lock();
        let is_there = |facts: &Vec<IndexFact>| facts.iter().any(|known| known.number == fact.number);
        if indexes.get(&(app, fact.bucket)).is_some_and(is_there) {
            self.opened.lock().insert(fact.number, &index, self.bytes_max);
        }
        Ok(Some(index))
    }

    /// Stores an index in the place of others, whose keys are destroyed with the next generation. `fact` says what it covers; its
    /// number is given here.
    pub(super) async fn store(
        &self,
        app: SdkAppId,
        mut fact: IndexFact,
        packed: Vec<u8>,
        former: &[IndexFact],
    ) -> Result<()> {
        let stamp = fact.stamp(app);
        fact.bytes = packed.len() as u64;
        let (keyring, now) = (Arc::clone(&self.keyring), self.now());
        let sealed = computed(self.context.spawner.as_ref(), move || {
            keyring.seal_bytes(Place::search_index(app), now, stamp.expiry, packed)
        });
        let sealed: Sealed = sealed.await??;
        fact.number = sealed.index;
        let (bucket, number) = (fact.bucket, fact.number);
        let loose = Loose { app, fact: fact.clone(), former: former.to_vec(), is_stray: false };
        self.loose.lock().push(loose);
        self.context.blobs.put(fact.name(), Stamped::new(stamp, sealed)).await?;
        self.replace(app, bucket, Some(fact), former).await?;
        self.is_settled(number);
        Ok(())
    }

    /// Drops indexes, whose keys are destroyed with the next generation.
    pub(super) async fn drop(&self, app: SdkAppId, bucket: u16, former: &[IndexFact]) -> Result<()> {
        self.replace(app, bucket, None, former).await
    }

    async fn replace(
        &self,
        app: SdkAppId,
        bucket: u16,
        fact: Option<IndexFact>,
        former: &[IndexFact],
    ) -> Result<()> {
        let now = self.now();
        let mut writes = Vec::new();
        if let Some(fact) = &fact {
            writes.push(put(fact.stamp(app), fact)?);
        }
        for gone in former {
            writes.push(remove::<IndexFact>(gone.key()));
            writes.push(doomed(app, bucket, gone.number, now)?);
        }
        write(self.context.records.as_ref(), app, writes).await?;
        self.put_in_place(app, bucket, fact, former);
        for gone in former {
            // What is left of it then is removed by the next start.
            self.context.blobs.remove(app, gone.name()).await?;
        }
        Ok(())
    }

    /// Shows an index in the place of others.
    fn put_in_place(&self, app: SdkAppId, bucket: u16, fact: Option<IndexFact>, former: &[IndexFact]) {
        let is_gone = |number| former.iter().any(|gone| gone.number == number);
        self.retired.lock().extend(former.iter().map(|gone| key_of(bucket, gone.number)));
        let mut indexes = self.indexes.lock();
        let known = indexes.entry((app, bucket)).or_default();
        let new = fact.as_ref().map(|fact| fact.number);
        known.retain(|fact| !is_gone(fact.number) && Some(fact.number) != new);
        known.extend(fact);
        indexes.retain(|_, facts| !facts.is_empty());
        let mut opened = self.opened.lock();
        former.iter().for_each(|gone| opened.remove(gone.number));
    }

    /// Notes half of an index: an object that no record knows, or a record without its object.
    pub(super) fn is_stray(&self, app: SdkAppId, fact: IndexFact) {
        self.loose.lock().push(Loose { app, fact, former: Vec::new(), is_stray: true });
    }

    /// The keys of what may be half of an index.
    pub(super) fn loose_keys(&self) -> Vec<Destroyed> {
        self.loose.lock().iter().map(|loose| key_of(loose.fact.bucket, loose.fact.number)).collect()
    }

    /// The keys of what was replaced or removed since this was asked last.
    pub(super) fn take_retired(&self) -> Vec<Destroyed> {
        std::mem::take(&mut self.retired.lock())
    }

    /// Finds out what attempts that failed have left. What is no index is removed, and its key destroyed with the next
    /// generation.
    pub(super) async fn settle(&self) -> Result<()> {
        let records = self.context.records.as_ref();
        let all = self.loose.lock().clone();
        for Loose { app, fact, former, is_stray } in all {
            let (bucket, number, key) = (fact.bucket, fact.number, fact.key());
            let is_stored = !is_stray && find::<IndexFact>(records, app, &key).await?.is_some();
            if is_stored {
                self.put_in_place(app, bucket, Some(fact), &former);
                for gone in former {
                    self.context.blobs.remove(app, gone.name()).await?;
                }
            } else {
                let writes = vec![remove::<IndexFact>(key), doomed(app, bucket, number, self.now())?];
                write(records, app, writes).await?;
                self.retired.lock().push(key_of(bucket, number));
                self.context.blobs.remove(app, fact.name()).await?;
            }
            self.is_settled(number);
        }
        Ok(())
    }

    fn is_settled(&self, number: u64) {
        self.loose.lock().retain(|loose| loose.fact.number != number);
    }

    /// Forgets what is in memory about an app.
    pub(super) fn forget_app(&self, app: SdkAppId) {
        self.forget_where(|of, _| of == app);
    }

    /// Forgets what is in memory about buckets that are over.
    pub(super) fn forget_over(&self, today: u16) {
        self.forget_where(|_, bucket| bucket <= today);
    }

    fn forget_where(&self, is_gone: impl Fn(SdkAppId, u16) -> bool) {
        self.loose.lock().retain(|loose| !is_gone(loose.app, loose.fact.bucket));
        let mut indexes = self.indexes.lock();
        let mut opened = self.opened.lock();
        indexes.retain(|(app, bucket), facts| {
            let is_gone = is_gone(*app, *bucket);
            if is_gone {
                facts.iter().for_each(|fact| opened.remove(fact.number));
            }
            !is_gone
        });
    }

    /// How many bytes the open ones take.
    pub(super) fn opened_bytes(&self) -> usize {
        self.opened.lock().bytes
    }

    fn now(&self) -> Seconds {
        self.context.clock.now().seconds()
    }
}

/// The key of an index.
const fn key_of(bucket: u16, number: u64) -> Destroyed {
    Destroyed::Content { bucket, index: number }
}

/// That the key of an index is to be destroyed.
fn doomed(app: SdkAppId, bucket: u16, index: u64, since: Seconds) -> Result<Write> {
    let fact = RecalledFact::search_index(bucket, index, since);
    put(Stamps::recalled(app, fact.author, bucket), &fact)
}
