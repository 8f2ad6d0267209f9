//! The Blobs port over a bucket of any store that speaks the S3 protocol, Tencent COS among them.
//!
//! An object lies under one key, which its app and name make (`keys`): the store itself replaces it in one step, and no read sees two. Its
//! head (`head`) says class, subject, end and length, so that a listing reads so much of each and no body. What has an end has a marker
//! as well, in the order of ends, so that expiry looks at nothing that goes on. Markers only help to find: whether an object is there and has
//! ended, its head alone says. The order of steps, and what a crash between them leaves:
//!
//! * Put: the marker, then the object. A marker without an object, or with one that ends later: it is dropped an hour after its time. Of an
//!   object that is replaced the former marker stays, and is one of these.
//! * Removal: the object, then the marker. The same.
//! * Expiry: the object, then the marker. The same.
//!
//! So every object that has an end has a marker of it. Time is the caller's, never the store's.
#![expect(clippy::disallowed_methods, reason = "adapters do the I/O that ports promise")]

mod bucket;
mod census;
mod client;
mod head;
mod keys;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use model::{Expiry, SdkAppId, Sealed, Seconds, Stamp};
use ports::blobs::{BLOB_BYTES_MAX, BlobInfo, BlobName, Blobs, LISTED_MAX};
use ports::{Answer, Clock, Fault, Stamped};

pub use crate::census::{Census, Count};
use crate::client::Client;
use crate::head::{HEAD_BYTES, Head, damaged};
use crate::keys::{Known, Marker};
pub use crate::settings::{Credentials, Settings};

/// How many keys are listed at once: the most that the protocol gives.
const PAGE_KEYS: usize = 1000;

/// How many heads of one listing are read at once.
const HEADS_AT_ONCE: usize = 16;

/// How long after its end a marker is kept whose object is not there, or ends later: one may be being written, by a machine whose
/// clock is behind.
const MARKER_GRACE_SECONDS: u32 = 3600;

/// Objects in a bucket.
pub struct S3Blobs {
    client: Client,
    clock: Arc<dyn Clock>,
    region: String,
}

impl S3Blobs {
    /// Connects, and makes sure that the bucket forgets what is removed. Nothing has to be prepared in it: objects are written in one
    /// request each, so that no rule for uploads that were not finished is needed.
    ///
    /// # Errors
    /// `Unavailable` if a setting cannot be used, the store does not answer or does not let the access key in, and if the bucket keeps
    /// versions or locks objects; with a sentence that says which setting is meant, and no key, secret or host.
    pub async fn connect(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let client = Client::new(settings)?;
        bucket::check(&client, &settings.prefix, settings.is_vouched_unversioned).await?;
        client.page(keys::MARKERS, None, 1).await?;
        Ok(Self { client, clock, region: settings.region.clone() })
    }

    /// The region in which the bucket lies. The store has accepted requests that are signed for it.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    fn is_over(&self, stamp: &Stamp) -> bool {
        stamp.expiry.is_over(self.clock.now())
    }

    /// The head of an object; `None` if there is no object.
    async fn head(&self, app: SdkAppId, name: BlobName) -> Result<Option<Head>, Fault> {
        let found = self.client.head(&keys::object(app, name)).await?;
        found.map(|bytes| Head::read(app, name, &bytes)).transpose()
    }

    /// The head of an object that was listed; `None` if it has gone meanwhile.
    async fn listed_head(&self, app: SdkAppId, name: BlobName, bytes: u64) -> Result<Option<Head>, Fault> {
        // There is nothing to read in an empty one.
        if bytes < u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX) {
            return Err(damaged());
        }
        self.head(app, name).await
    }

    async fn write(&self, name: BlobName, object: Stamped<Sealed>) -> Result<(), Fault> {
        if object.value().bytes.len() > BLOB_BYTES_MAX {
            return Err(Fault::Unavailable("an object is too large".to_owned()));
        }
        let stamp = *object.stamp();
        if self.is_over(&stamp) {
            return self.take_away(stamp.app, name).await;
        }
        if let Expiry::At(end) = stamp.expiry {
            self.client.write_empty(&Marker { end, app: stamp.app, name }.key()).await?;
        }
        let head = Head::of(name, &object);
        let (_, sealed) = object.into_parts();
        self.client.write(&keys::object(stamp.app, name), head.write(), sealed.bytes).await?;
        // What ended meanwhile may have been looked for already.
        if self.is_over(&stamp) { self.take_away(stamp.app, name).await } else { Ok(()) }
    }

    async fn read(&self, app: SdkAppId, name: BlobName) -> Result<Option<Sealed>, Fault> {
        match self.read_once(app, name).await {
            // One that is replaced while its read is taken up again may come as parts of both.
            Err(Fault::Corrupt(_)) => self.read_once(app, name).await,
            answer => answer,
        }
    }

    async fn read_once(&self, app: SdkAppId, name: BlobName) -> Result<Option<Sealed>, Fault> {
        let Some(bytes) = self.client.read(&keys::object(app, name)).await? else { return Ok(None) };
        let head = Head::read(app, name, &bytes)?;
        if self.is_over(&head.info.stamp) {
            return Ok(None);
        }
        head.open(bytes.slice(HEAD_BYTES..)).map(Some)
    }

    async fn listed(
        &self,
        app: SdkAppId,
        after: Option<BlobName>,
        limit: usize,
    ) -> Result<Vec<BlobInfo>, Fault> {
        let limit = limit.min(LISTED_MAX);
        let (under, mut after) = (keys::objects(app), after.map(|name| keys::object(app, name)));
        let mut found = Vec::new();
        while found.len() < limit {
            let wanted = (limit - found.len()).min(PAGE_KEYS);
            let page = self.client.page(&under, after.as_deref(), wanted).await?;
            let objects = page.iter().filter_map(|listed| match keys::read(&listed.key) {
                Some(Known::Object(app, name)) => Some((app, name, listed.bytes)),
                _ => None,
            });
            let objects: Vec<(SdkAppId, BlobName, u64)> = objects.collect();
            let heads = objects.into_iter().map(|(app, name, bytes)| self.listed_head(app, name, bytes));
            let heads: Vec<Option<Head>> =
                futures_util::stream::iter(heads).buffered(HEADS_AT_ONCE).try_collect().await?;
            let infos = heads.into_iter().flatten().map(|head| head.info);
            found.extend(infos.filter(|info| !self.is_over(&info.stamp)));
            if page.len() < wanted {
                break;
            }
            after = page.into_iter().last().map(|listed| listed.key);
        }
        Ok(found)
    }

    /// Removes an object, then the marker of its end.
    async fn take_away(&self, app: SdkAppId, name: BlobName) -> Result<(), Fault> {
        let stamp = match self.head(app, name).await {
            Ok(Some(head)) => Some(head.info.stamp),
            Ok(None) => return Ok(()),
            // Which marker it has nobody can tell; expiry drops it at its time.
            Err(Fault::Corrupt(_)) => None,
            Err(fault) => return Err(fault),
        };
        self.client.remove(&keys::object(app, name)).await?;
        match stamp.map(|stamp| stamp.expiry) {
            Some(Expiry::At(end)) => self.client.remove(&Marker { end, app, name }.key()).await,
            _ => Ok(()),
        }
    }

    async fn expire_all(&self) -> Result<u64, Fault> {
        let now = self.clock.now().seconds();
        let (mut gone, mut after) = (0_u64, None::<String>);
        loop {
            let page = self.client.page(keys::MARKERS, after.as_deref(), PAGE_KEYS).await?;
            let markers = page.iter().filter_map(|listed| match keys::read(&listed.key) {
                Some(Known::Marker(marker)) => Some(marker),
                _ => None,
            });
            let due: Vec<Marker> = markers.clone().filter(|marker| marker.end <= now).collect();
            let is_more = page.len() == PAGE_KEYS && due.len() == markers.count();
            let settled = due.into_iter().map(|marker| self.settle(marker, now));
            let settled: Vec<Option<(SdkAppId, BlobName)>> =
                futures_util::stream::iter(settled).buffer_unordered(HEADS_AT_ONCE).try_collect().await?;
            // Two markers of one object may both have found it.
            let objects: BTreeSet<_> = settled.into_iter().flatten().collect();
            gone += u64::try_from(objects.len()).unwrap_or(u64::MAX);
            if !is_more {
                return Ok(gone);
            }
            after = page.into_iter().last().map(|listed| listed.key);
        }
    }

    /// Does what is due at the time of a marker; which object has gone, if one has.
    async fn settle(&self, marker: Marker, now: Seconds) -> Result<Option<(SdkAppId, BlobName)>, Fault> {
        let Marker { end, app, name } = marker;
        let is_over = match self.head(app, name).await {
            Ok(Some(head)) => head.info.stamp.end() <= now,
            Ok(None) => false,
            // Nobody can read it, and it was to end.
            Err(Fault::Corrupt(_)) => true,
            Err(fault) => return Err(fault),
        };
        if is_over {
            self.client.remove(&keys::object(app, name)).await?;
        }
        if is_over || end.plus(MARKER_GRACE_SECONDS) <= now {
            self.client.remove(&marker.key()).await?;
        }
        Ok(is_over.then_some((app, name)))
    }
}

impl Blobs for S3Blobs {
    fn put(&self, name: BlobName, object: Stamped<Sealed>) -> Answer<'_, ()> {
        Box::pin(self.write(name, object))
    }

    fn get(&self, app: SdkAppId, name: BlobName) -> Answer<'_, Option<Sealed>> {
        Box::pin(self.read(app, name))
    }

    fn list(&self, app: SdkAppId, after: Option<BlobName>, limit: usize) -> Answer<'_, Vec<BlobInfo>> {
        Box::pin(self.listed(app, after, limit))
    }

    fn remove(&self, app: SdkAppId, name: BlobName) -> Answer<'_, ()> {
        Box::pin(self.take_away(app, name))
    }

    fn expire(&self) -> Answer<'_, u64> {
        Box::pin(self.expire_all())
    }
}
