//! The order of an account's list.
//!
//! A row of `lists` says that its conversation stands no later in the list than its time: rows are raised before messages are
//! there. So the heads of the rows are looked at from the top, until no further row can stand before what was found.

use std::cmp::Reverse;

use hashbrown::HashMap;
use model::{AccountNumber, ConversationId, SdkAppId};
use mongodb::bson::doc;
use ports::Fault;
use ports::timeline::{ConversationView, Recent};

use crate::codec;
use crate::database::Find;
use crate::head::Head;
use crate::heads;
use crate::keys;
use crate::names::{ERASED, LISTS};
use crate::reader::Reader;

/// Rows looked at for one list.
const ROWS_MAX: usize = 10_000;

/// Rows read at once, beyond as many as are wanted.
const ROWS_MORE: usize = 20;

/// Rows read at once at most.
const ROWS_AT_ONCE: usize = 500;

impl Reader<'_> {
    /// Whether the account was erased: it has neither a list nor a stream.
    pub(crate) async fn is_erased(&self, account: AccountNumber) -> Result<bool, Fault> {
        let found = self.database.get(ERASED, keys::account(self.app, account)).await?;
        Ok(found.is_some())
    }

    /// The order of an account's list.
    pub(crate) async fn recent(&self, viewer: AccountNumber, limit: usize) -> Result<Vec<Recent>, Fault> {
        Ok(self.listed(viewer, limit).await?.into_iter().map(|(recent, _)| recent).collect())
    }

    /// The conversations of an account's list.
    pub(crate) async fn conversations(
        &self,
        viewer: AccountNumber,
        limit: usize,
    ) -> Result<Vec<ConversationView>, Fault> {
        let mut views = Vec::new();
        for (recent, head) in self.listed(viewer, limit).await? {
            let id = ConversationId::between(viewer, recent.peer);
            views.push(self.view_of(viewer, id, &head).await?);
        }
        Ok(views)
    }

    async fn listed(&self, viewer: AccountNumber, limit: usize) -> Result<Vec<(Recent, Head)>, Fault> {
        if limit == 0 || self.is_erased(viewer).await? {
            return Ok(Vec::new());
        }
        let mut order: Vec<(Recent, Head)> = Vec::new();
        let mut after: Option<(i64, String)> = None;
        let step = limit.saturating_add(ROWS_MORE).min(ROWS_AT_ONCE);
        let mut looked_at = 0;
        while looked_at < ROWS_MAX {
            let mut filter = doc! { "o": keys::account(self.app, viewer) };
            if let Some((time, row)) = &after {
                let same = doc! { "h": time, "_id": { "$gt": row } };
                filter.insert("$or", vec![doc! { "h": { "$lt": time } }, same]);
            }
            let find = Find { filter, sort: doc! { "h": -1, "_id": 1 }, limit: step, ..Find::default() };
            let rows = self.database.find(LISTS, find).await?;
            let Some(last) = rows.last() else { break };
            let lowest = keys::number(codec::number(last, "h")?);
            after = Some((lowest, codec::text(last, "_id")?.to_owned()));
            looked_at += rows.len();
            let mut peers = Vec::with_capacity(rows.len());
            for row in &rows {
                let peer = keys::read_listed(codec::text(row, "_id")?);
                peers.push(peer.ok_or_else(|| Fault::Corrupt("a row of a list".to_owned()))?);
            }
            self.add_listed(viewer, peers, &mut order).await?;
            order.sort_unstable_by_key(|(recent, _)| (Reverse(recent.active_at), recent.peer));
            let is_certain =
                order.get(limit - 1).is_some_and(|(recent, _)| keys::seconds(recent.active_at) > lowest);
            if is_certain || rows.len() < step {
                break;
            }
        }
        order.truncate(limit);
        Ok(order)
    }

    async fn add_listed(
        &self,
        viewer: AccountNumber,
        peers: Vec<AccountNumber>,
        order: &mut Vec<(Recent, Head)>,
    ) -> Result<(), Fault> {
        let key = |peer: &AccountNumber| conversation_key(self.app, viewer, *peer);
        let keys: Vec<String> = peers.iter().map(key).collect();
        let mut heads: HashMap<String, heads::Standing> = heads::load(self.database, &keys).await?;
        for (peer, key) in peers.into_iter().zip(keys) {
            // A row may be there before the first message is.
            let Some(standing) = heads.remove(&key) else { continue };
            let side = standing.head.side(ConversationId::between(viewer, peer), viewer);
            if side.is_listed() {
                order.push((Recent { peer, active_at: side.active_at }, standing.head));
            }
        }
        Ok(())
    }
}

fn conversation_key(app: SdkAppId, viewer: AccountNumber, peer: AccountNumber) -> String {
    keys::conversation(app, ConversationId::between(viewer, peer))
}
