//! Messages of an app by their time, whoever sent them.

use hashbrown::HashMap;
use model::ConversationId;
use mongodb::bson::{Document, doc};
use ports::Fault;
use ports::period::{PeriodPage, PeriodPlace, PeriodQuery};
use ports::timeline::PAGE_MAX;

use crate::database::Find;
use crate::heads;
use crate::keys;
use crate::log::Logged;
use crate::names::LOG;
use crate::reader::{Found, Reader};

/// Periods of so many hours are read by the index of hours; longer ones look at all messages of the app.
const HOURS_MAX: u32 = 48;

impl Reader<'_> {
    /// A page of the app's messages of a period.
    pub(crate) async fn of_period(&self, query: PeriodQuery) -> Result<PeriodPage, Fault> {
        let limit = query.limit.clamp(1, PAGE_MAX);
        let find = Find {
            filter: self.period_filter(query),
            sort: doc! { "h": 1 },
            limit: limit + 1,
            ..Find::default()
        };
        let mut documents = self.database.find(LOG, find).await?;
        let has_more = documents.len() > limit;
        documents.truncate(limit);
        let logged = Logged::read_all(&documents)?;
        let place = |logged: &Logged| -> PeriodPlace { (logged.conversation(), logged.entry.history_key()) };
        let next = logged.last().map(place).filter(|_| has_more);
        let mut found = self.with_amendments(logged).await?;
        let mut keys: Vec<String> =
            found.iter().map(|found| keys::conversation(self.app, found.logged.conversation())).collect();
        keys.dedup();
        let heads: HashMap<String, heads::Standing> = heads::load(self.database, &keys).await?;
        found.retain(|found| {
            let id = found.logged.conversation();
            let head = heads.get(&keys::conversation(self.app, id));
            head.is_some_and(|standing| is_seen(found, id, standing))
        });
        let ids: Vec<ConversationId> = found.iter().map(|found| found.logged.conversation()).collect();
        let messages = ids.into_iter().zip(self.messages(found).await?).collect();
        Ok(PeriodPage { messages, next })
    }

    fn period_filter(&self, query: PeriodQuery) -> Document {
        let app = keys::app(self.app);
        let after = match query.after {
            Some((id, at)) => keys::place(&keys::conversation(self.app, id), at),
            None => app.clone(),
        };
        let mut filter = doc! {
            "app": i64::from(self.app.0),
            "h": { "$gt": after, "$lt": app + keys::AFTER },
            "tm": { "$gte": keys::seconds(query.from), "$lt": keys::seconds(query.before) },
            "end": { "$gt": keys::seconds(self.now.seconds()) },
            "_id": { "$lte": keys::cursor(query.until) },
        };
        let (first, last) = (query.from.0 / 3600, query.before.0.div_ceil(3600));
        if last.saturating_sub(first) <= HOURS_MAX {
            filter.insert("hour", doc! { "$in": (first..last).map(i64::from).collect::<Vec<_>>() });
        }
        filter
    }
}

fn is_seen(found: &Found, id: ConversationId, standing: &heads::Standing) -> bool {
    id.sides().into_iter().any(|side| found.is_seen_by(&standing.head, side))
}

/// How many messages of an app would be over if they were kept so many seconds only.
pub(crate) async fn count_older(reader: &Reader<'_>, keep_seconds: u32) -> Result<u64, Fault> {
    let now = reader.now.seconds();
    let mut filter = doc! {
        "app": i64::from(reader.app.0),
        "tm": { "$lte": keys::seconds(now) - i64::from(keep_seconds) },
        "end": { "$gt": keys::seconds(now) },
    };
    let over = reader.limits.filters(now);
    if !over.is_empty() {
        filter.insert("$nor", over);
    }
    reader.database.count(LOG, filter).await
}
