//! Before keys are destroyed, indexes are written anew without the messages whose keys those are.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulltext::{Gone, Index};
use model::{DataClass, Result, SdkAppId};
use promise::keys::Destroyed;
use tokio::sync::MutexGuard;

use super::facts::IndexFact;
use super::{Search, Writing, computed};

/// Keeps everything that is indexed as it is, until it is dropped.
pub(crate) struct Forgotten<'a> {
    _writing: MutexGuard<'a, Writing>,
    /// The keys of the indexes that were replaced, to be destroyed together with what is gone from them.
    pub(crate) keys: Vec<Destroyed>,
}

/// What is gone.
#[derive(Default)]
struct Departed {
    /// By app.
    apps: BTreeMap<SdkAppId, Gone>,
    /// The numbers of keys, by bucket.
    keys: BTreeMap<u16, Vec<u64>>,
}

impl Departed {
    fn of(destroyed: &[Destroyed]) -> Self {
        let mut departed = Self::default();
        for what in destroyed {
            match *what {
                Destroyed::Content { bucket, index } => departed.keys.entry(bucket).or_default().push(index),
                Destroyed::Author(app, author) => {
                    departed.apps.entry(app).or_default().authors.insert(author.0);
                }
                Destroyed::SealedBefore(app, class, second) if class.rule() == DataClass::MESSAGE => {
                    let gone = departed.apps.entry(app).or_default();
                    gone.sealed_before = gone.sealed_before.max(second.0);
                }
                // Days are dropped as a whole, and so are apps.
                Destroyed::SealedBefore(..) | Destroyed::Before(_) | Destroyed::App(_) => {}
            }
        }
        departed.keys.values_mut().for_each(|keys| keys.sort_unstable());
        departed
    }

    /// What may be gone from the messages of an app and bucket, with keys between these.
    fn gone(&self, app: SdkAppId, bucket: u16, (low, high): (u64, u64)) -> Gone {
        let mut gone = self.apps.get(&app).cloned().unwrap_or_default();
        let keys = self.keys.get(&bucket).map_or(&[][..], Vec::as_slice);
        let from = keys.partition_point(|key| *key < low);
        gone.keys.extend(keys[from..].iter().take_while(|key| **key <= high));
        gone
    }
}

impl Search {
    /// Takes messages out of everything whose keys are about to be destroyed. Nothing is indexed until the answer is dropped:
    /// what is read after that cannot be opened any more.
    pub(crate) async fn forget(&self, destroyed: &[Destroyed]) -> Result<Forgotten<'_>> {
        let mut writing = self.writing.lock().await;
        let departed = Departed::of(destroyed);
        self.tail.lock().retain(|app, bucket, waiting| {
            let key = waiting.document.key;
            !departed.gone(app, bucket, (key, key)).holds(&waiting.document)
        });
        // What cannot be settled now is no index: better one that is made anew than a key that lives.
        let mut keys = Vec::new();
        if self.shelf.settle().await.is_err() {
            tracing::warn!("what is left of search indexes cannot be removed yet; its keys are destroyed");
            keys = self.shelf.loose_keys();
        }
        let today = self.today();
        for (app, fact) in self.shelf.all() {
            let gone = departed.gone(app, fact.bucket, fact.keys);
            let may_hold =
                !gone.authors.is_empty() || !gone.keys.is_empty() || fact.sealed_from < gone.sealed_before;
            if fact.bucket > today && may_hold {
                self.forget_in(&mut writing, app, &fact, gone).await?;
            }
        }
        // Also of what was merged since somebody noted what is to be destroyed.
        keys.extend(self.shelf.take_retired());
        Ok(Forgotten { _writing: writing, keys })
    }

    /// Takes messages out of an index, or drops it where that is not possible: an erasure waits for nothing.
    async fn forget_in(
        &self,
        writing: &mut Writing,
        app: SdkAppId,
        fact: &IndexFact,
        gone: Gone,
    ) -> Result<()> {
        let former = std::slice::from_ref(fact);
        // One that cannot be read, for whatever reason, must not keep keys alive.
        let Ok(Some(index)) = self.shelf.open(app, fact).await else {
            return self.give_up(writing, app, fact).await;
        };
        let made = computed(self.context.spawner.as_ref(), move || without(&index, &gone));
        let made =
            made.await.and_then(|made| made.map_err(|error| ports::Fault::Corrupt(error.to_string()).into()));
        match made {
            Ok(Made::Same) => Ok(()),
            Ok(Made::Nothing) => self.shelf.drop(app, fact.bucket, former).await,
            Ok(Made::Less(packed, count)) => {
                let less = IndexFact { count, ..fact.clone() };
                match self.shelf.store(app, less, packed, former).await {
                    Ok(()) => Ok(()),
                    Err(_) => self.give_up(writing, app, fact).await,
                }
            }
            Err(_) => self.give_up(writing, app, fact).await,
        }
    }

    /// Drops an index; what stays of it is read anew.
    async fn give_up(&self, writing: &mut Writing, app: SdkAppId, fact: &IndexFact) -> Result<()> {
        self.shelf.drop(app, fact.bucket, std::slice::from_ref(fact)).await?;
        writing.broken.insert((app, fact.bucket));
        self.is_reading.store(true, std::sync::atomic::Ordering::Release);
        self.untidy.notify_one();
        Ok(())
    }
}

/// What is left of an index.
enum Made {
    Same,
    Nothing,
    Less(Vec<u8>, u32),
}

fn without(index: &Arc<Index>, gone: &Gone) -> std::result::Result<Made, fulltext::Failed> {
    if index.count_gone(gone)? == 0 {
        return Ok(Made::Same);
    }
    let made = Index::merge(&[index.as_ref()], gone)?;
    Ok(made.map_or(Made::Nothing, |(packed, count)| Made::Less(packed, count)))
}

#[cfg(test)]
mod tests {
    use model::{AccountNumber, Seconds};

    use super::*;

    #[test]
    fn what_is_destroyed_says_what_is_gone_from_where() {
        let (one, other) = (SdkAppId(1), SdkAppId(2));
        let departed = Departed::of(&[
            Destroyed::Content { bucket: 7, index: 30 },
            Destroyed::Content { bucket: 7, index: 10 },
            Destroyed::Content { bucket: 8, index: 20 },
            Destroyed::Author(one, AccountNumber(5)),
            Destroyed::SealedBefore(one, DataClass::MESSAGE, Seconds(9)),
            Destroyed::SealedBefore(one, DataClass::MESSAGE, Seconds(3)),
            Destroyed::SealedBefore(other, DataClass::Profile, Seconds(9)),
            Destroyed::Before(7),
            Destroyed::App(other),
        ]);
        let gone = departed.gone(one, 7, (0, u64::MAX));
        assert_eq!((gone.authors, gone.keys, gone.sealed_before), ([5].into(), [10, 30].into(), 9));
        let gone = departed.gone(other, 7, (11, 30));
        assert_eq!((gone.authors, gone.keys, gone.sealed_before), ([].into(), [30].into(), 0));
        assert!(departed.gone(other, 8, (21, 30)).keys.is_empty());
    }
}
