//! The newest messages, searched in memory until an index of them is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use fulltext::{Document, Hit, Query};
use model::SdkAppId;
use ports::Cursor;

/// A message that is in no stored index.
pub(super) struct Waiting {
    pub(super) cursor: Cursor,
    pub(super) document: Arc<Document>,
}

/// Messages of each app and bucket, in the order in which they were read.
#[derive(Default)]
pub(super) struct Tail {
    parts: BTreeMap<(SdkAppId, u16), Vec<Waiting>>,
    count: usize,
    bytes: usize,
}

/// What a message takes besides its words, in bytes.
const DOCUMENT_BYTES: usize = size_of::<Waiting>() + size_of::<Document>();

impl Tail {
    pub(super) fn add(&mut self, app: SdkAppId, bucket: u16, waiting: Waiting) {
        self.count += 1;
        self.bytes += DOCUMENT_BYTES + waiting.document.text.bytes();
        self.parts.entry((app, bucket)).or_default().push(waiting);
    }

    /// How many messages there are, and how much memory they take.
    pub(super) const fn size(&self) -> (usize, usize) {
        (self.count, self.bytes)
    }

    pub(super) fn keys(&self) -> Vec<(SdkAppId, u16)> {
        self.parts.keys().copied().collect()
    }

    pub(super) fn part(&self, app: SdkAppId, bucket: u16) -> &[Waiting] {
        self.parts.get(&(app, bucket)).map_or(&[], Vec::as_slice)
    }

    /// Forgets what does not pass.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(SdkAppId, u16, &Waiting) -> bool) {
        for ((app, bucket), part) in &mut self.parts {
            part.retain(|waiting| keep(*app, *bucket, waiting));
        }
        self.parts.retain(|_, part| !part.is_empty());
        let documents = || self.parts.values().flatten();
        self.count = documents().count();
        self.bytes = documents().map(|waiting| DOCUMENT_BYTES + waiting.document.text.bytes()).sum();
    }

    pub(super) fn drop_part(&mut self, app: SdkAppId, bucket: u16) {
        self.retain(|of, in_bucket, _| (of, in_bucket) != (app, bucket));
    }

    /// Forgets the message at a place of a conversation, if it is here.
    pub(super) fn remove(&mut self, app: SdkAppId, sides: [u64; 2], position: u64) {
        let is_it =
            |waiting: &Waiting| waiting.document.sides == sides && waiting.document.position == position;
        let parts = self.parts.range((app, 0)..=(app, u16::MAX));
        if parts.flat_map(|(_, part)| part).any(is_it) {
            self.retain(|of, _, waiting| of != app || !is_it(waiting));
        }
    }

    /// Where wanted messages of an app lie, except in buckets that are over.
    pub(super) fn search(&self, app: SdkAppId, query: &Query, today: u16) -> Vec<Hit> {
        let parts = self.parts.range((app, today.saturating_add(1))..=(app, u16::MAX));
        let wanted = parts.flat_map(|(_, part)| part).filter(|waiting| query.matches(&waiting.document));
        wanted.map(|waiting| waiting.document.hit()).collect()
    }
}
