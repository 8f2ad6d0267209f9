//! Blobs as a map.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{SdkAppId, Sealed};
use parking_lot::Mutex;
use ports::blobs::{BLOB_BYTES_MAX, BlobInfo, BlobName, Blobs, LISTED_MAX};
use ports::{Answer, Clock, Fault, Stamped};

#[derive(Default)]
struct Inner {
    objects: BTreeMap<(SdkAppId, BlobName), Stamped<Sealed>>,
    crashes: u64,
    is_full: bool,
}

/// Objects in memory. What is being written when the store crashes is lost.
pub struct MemoryBlobs {
    inner: Mutex<Inner>,
    clock: Arc<dyn Clock>,
    sync_millis: u64,
}

impl MemoryBlobs {
    /// No objects, in a store whose syncs take this long.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, sync_millis: u64) -> Self {
        Self { inner: Mutex::default(), clock, sync_millis }
    }

    /// Loses everything that is being written.
    pub fn crash(&self) {
        self.inner.lock().crashes += 1;
    }

    /// Makes every write fail as if the disk were full, or no longer.
    pub fn set_full(&self, is_full: bool) {
        self.inner.lock().is_full = is_full;
    }

    /// How many objects there are, of all apps, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.lock().objects.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of every object.
    #[must_use]
    pub fn names(&self) -> Vec<BlobName> {
        self.inner.lock().objects.keys().map(|(_, name)| *name).collect()
    }

    /// Changes the bytes of every object of an app, as a bad disk would; how many.
    pub fn damage(&self, app: SdkAppId) -> usize {
        let mut inner = self.inner.lock();
        let mut count = 0;
        for ((_, _), object) in inner.objects.iter_mut().filter(|((of, _), _)| *of == app) {
            let (stamp, mut sealed) = object.clone().into_parts();
            sealed.bytes = sealed.bytes.iter().map(|byte| byte ^ 1).collect();
            *object = Stamped::new(stamp, sealed);
            count += 1;
        }
        count
    }

    async fn write(&self, change: impl FnOnce(&mut Inner)) -> Result<(), Fault> {
        let crashes = self.inner.lock().crashes;
        if self.sync_millis > 0 {
            self.clock.sleep(Duration::from_millis(self.sync_millis)).await;
        }
        let mut inner = self.inner.lock();
        if inner.crashes != crashes {
            return Err(Fault::Unavailable("crashed".to_owned()));
        }
        change(&mut inner);
        Ok(())
    }

    fn is_over(&self, object: &Stamped<Sealed>) -> bool {
        object.stamp().expiry.is_over(self.clock.now())
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, name: BlobName, object: Stamped<Sealed>) -> Answer<'_, ()> {
        Box::pin(async move {
            if object.value().bytes.len() > BLOB_BYTES_MAX {
                return Err(Fault::Unavailable("an object is too large".to_owned()));
            }
            if self.inner.lock().is_full {
                return Err(Fault::Full);
            }
            self.write(|inner| drop(inner.objects.insert((object.stamp().app, name), object))).await
        })
    }

    fn get(&self, app: SdkAppId, name: BlobName) -> Answer<'_, Option<Sealed>> {
        let inner = self.inner.lock();
        let found = inner.objects.get(&(app, name)).filter(|object| !self.is_over(object));
        let found = found.map(|object| object.value().clone());
        Box::pin(async { Ok(found) })
    }

    fn list(&self, app: SdkAppId, after: Option<BlobName>, limit: usize) -> Answer<'_, Vec<BlobInfo>> {
        let inner = self.inner.lock();
        let of_app = inner.objects.iter().filter(|((of, name), object)| {
            *of == app && after.is_none_or(|after| *name > after) && !self.is_over(object)
        });
        let infos = of_app.map(|((_, name), object)| BlobInfo {
            name: *name,
            stamp: *object.stamp(),
            bytes: object.value().bytes.len() as u64,
        });
        let found: Vec<BlobInfo> = infos.take(limit.min(LISTED_MAX)).collect();
        Box::pin(async { Ok(found) })
    }

    fn remove(&self, app: SdkAppId, name: BlobName) -> Answer<'_, ()> {
        Box::pin(self.write(move |inner| drop(inner.objects.remove(&(app, name)))))
    }

    fn expire(&self) -> Answer<'_, u64> {
        let mut inner = self.inner.lock();
        let before = inner.objects.len();
        inner.objects.retain(|_, object| !object.stamp().expiry.is_over(self.clock.now()));
        let gone = before - inner.objects.len();
        Box::pin(async move { Ok(gone as u64) })
    }
}

#[cfg(test)]
mod tests {
    use model::{DataClass, Expiry, Millis, Seconds, Stamp, Subject};

    use super::*;
    use crate::SimulatedClock;

    const APP: SdkAppId = SdkAppId(1);

    fn object() -> Stamped<Sealed> {
        let expiry = Expiry::At(Seconds(9));
        let stamp = Stamp { app: APP, class: DataClass::MESSAGE, subject: Subject::Nobody, expiry };
        let sealed = Sealed { bucket: 1, index: 1, sealed_at: Seconds(1), bytes: vec![7].into() };
        Stamped::new(stamp, sealed)
    }

    #[tokio::test]
    async fn a_crash_loses_what_is_being_written() {
        let blobs = MemoryBlobs::new(Arc::new(SimulatedClock::new(Millis(0))), 10);
        let (written, ()) = tokio::join!(blobs.put(BlobName(1), object()), async {
            tokio::task::yield_now().await;
            blobs.crash();
        });
        assert!(matches!(written, Err(Fault::Unavailable(_))));
        assert_eq!(blobs.get(APP, BlobName(1)).await, Ok(None));
        blobs.set_full(true);
        assert_eq!(blobs.put(BlobName(1), object()).await, Err(Fault::Full));
        blobs.set_full(false);
        assert_eq!(blobs.put(BlobName(1), object()).await, Ok(()));
        assert_eq!(blobs.damage(APP), 1);
    }
}
