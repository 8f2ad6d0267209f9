//! `openim.getmsg`: what an account missed.

use command::{Call, Callers, Command, Family, Spec};
use engine::facts::AccountFact;
use model::{ErrorCode, HistoryKey, Result, UserId};
use ports::Cursor;
use ports::timeline::{ConversationView, Direction, HistoryQuery};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Entries of one answer.
const PAGE: usize = 100;

/// Conversations whose unread messages are counted (page 1047/33524).
const CONVERSATIONS_MAX: usize = 100;

/// Unread messages listed at the first synchronisation, of one conversation.
const LISTED_MAX: usize = 10;

/// Synchronises a client: everything after the cookie, or at first the unread messages and their counts.
#[derive(Deserialize, JsonSchema)]
pub struct Synchronise {
    /// Empty at first, later as in the last answer.
    #[serde(rename = "Cookie", default)]
    pub cookie: String,
}

/// What was missed.
#[derive(Serialize, JsonSchema)]
pub struct Missed {
    /// Where to continue.
    #[serde(rename = "Cookie")]
    pub cookie: String,
    /// 1: more to come; 2: the end.
    #[serde(rename = "SyncFlag")]
    pub sync_flag: u8,
    /// Messages, and notices of recalls and reads.
    #[serde(rename = "MsgList")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub messages: Vec<Box<RawValue>>,
    /// Counts, at first.
    #[serde(rename = "C2CPairUnreadCount")]
    pub unread: Vec<PairUnread>,
    /// Further peers with unread messages.
    #[serde(rename = "C2CRemainingUnreadCount")]
    pub remaining: Vec<PairUnread>,
    /// Missed notices of another kind: which messages were changed, and what they say now.
    #[serde(rename = "EventArray")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub events: Vec<Value>,
}

/// Unread messages of one peer.
#[derive(Serialize, JsonSchema)]
pub struct PairUnread {
    /// Whose messages.
    #[serde(rename = "From_Account")]
    pub peer: UserId,
    /// How many, at most 250.
    #[serde(rename = "UnreadCount")]
    pub count: u32,
}

fn cookie_of(cursor: Cursor) -> String {
    format!("c:{}", cursor.0)
}

impl Command for Synchronise {
    const SPEC: Spec = Spec::new("openim/getmsg", Family::MESSAGE).callers(Callers::ACCOUNT).fails_with(&[]);

    type Reply = Missed;

    async fn run(self, call: &Call) -> Result<Missed> {
        let account = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        if self.cookie.is_empty() {
            return first(call, &account).await;
        }
        let after = self
            .cookie
            .strip_prefix("c:")
            .and_then(|number| number.parse().ok())
            .map(Cursor)
            .ok_or_else(|| ErrorCode::MessageBadJson.because("Cookie: not one of this server"))?;
        let page = call.engine.missed(call.app.id, account.number, after, PAGE).await?;
        let messages = call.engine.write_missed(&call.app, &account, &page).await?;
        let events = call.engine.missed_modifications(call.app.id, &page).await?;
        // With the end of what was missed a client takes over the counts as they are now.
        let unread = if page.complete { counts(call, &account).await? } else { Vec::new() };
        Ok(Missed {
            cookie: cookie_of(page.next),
            sync_flag: if page.complete { 2 } else { 1 },
            messages,
            unread: unread.into_iter().map(|(count, _)| count).collect(),
            remaining: Vec::new(),
            events,
        })
    }
}

/// Unread messages of every conversation that has some.
async fn counts(
    call: &Call,
    account: &AccountFact,
) -> Result<Vec<(PairUnread, ConversationView<model::Content>)>> {
    let (engine, app) = (&call.engine, call.app.id);
    let mut unread = Vec::new();
    for view in engine.conversations(app, account.number, CONVERSATIONS_MAX).await? {
        let count = engine.unread(app, account.number, view.peer).await?;
        if count == 0 {
            continue;
        }
        if let Some(peer) = engine.accounts.with_number(app, view.peer).await? {
            let peer = peer.user.clone();
            unread.push((PairUnread { peer, count }, view));
        }
    }
    Ok(unread)
}

async fn first(call: &Call, account: &AccountFact) -> Result<Missed> {
    let (engine, app) = (&call.engine, call.app.id);
    // Before anything is read: what comes in between is read twice, not missed.
    let cookie = cookie_of(engine.context.timeline.end());
    let (mut messages, mut unread) = (Vec::new(), Vec::new());
    for (count, view) in counts(call, account).await? {
        let query = HistoryQuery {
            viewer: account.number,
            after: view.read_to,
            before: HistoryKey::END,
            direction: Direction::Backwards,
            limit: LISTED_MAX,
        };
        let mut page = engine.history(app, account.number, view.peer, query).await?;
        page.messages.retain(|found| found.message.author == view.peer && found.revoker.is_none());
        messages.extend(engine.write_page(app, &page.messages).await?);
        unread.push(count);
    }
    let (remaining, events) = (Vec::new(), Vec::new());
    Ok(Missed { cookie, sync_flag: 2, messages, unread, remaining, events })
}
