//! `recentcontact.page_get`: the conversation list with everything that clients show.

use command::{Call, Callers, Command, Family, Spec};
use engine::facts::ContactSettings;
use hashbrown::HashMap;
use model::profile::{IMAGE, NICK};
use model::{AccountNumber, Content, ErrorCode, Result, Seconds, UserId};
use ports::timeline::ConversationView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::wire::marks_text;

/// `LastMsgFlags` of a recalled message.
const RECALLED: u8 = 8;

/// Gets the conversation list, pinned conversations included. It is one page of at most the app's number of
/// recent conversations and 50 pinned ones.
#[derive(Deserialize, JsonSchema)]
pub struct PageConversations {
    /// Whose; the caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
}

/// The conversation list.
#[derive(Serialize, JsonSchema)]
pub struct Conversations {
    /// The conversations, the most recently active first.
    #[serde(rename = "SessionItem")]
    pub items: Vec<Item>,
    /// 1: the end.
    #[serde(rename = "CompleteFlag")]
    pub complete: u8,
    /// Where the next page starts; there is none.
    #[serde(rename = "TimeStamp")]
    pub time: Seconds,
    /// The same.
    #[serde(rename = "StartIndex")]
    pub start: u32,
    /// The same.
    #[serde(rename = "TopTimeStamp")]
    pub top_time: Seconds,
    /// The same.
    #[serde(rename = "TopStartIndex")]
    pub top_start: u32,
    /// Conversation groups: there are none yet.
    #[serde(rename = "GroupItem")]
    pub groups: Vec<()>,
}

/// A conversation.
#[derive(Serialize, JsonSchema)]
pub struct Item {
    /// 1: one-to-one.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account")]
    pub peer: UserId,
    /// The time of the last message.
    #[serde(rename = "MsgTimeStamp")]
    pub time: Seconds,
    /// Its sequence.
    #[serde(rename = "MsgSeq", skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// Its random number.
    #[serde(rename = "MsgRandom", skip_serializing_if = "Option::is_none")]
    pub random: Option<u32>,
    /// Its sender.
    #[serde(rename = "LastC2CMsgFrom_Account", skip_serializing_if = "Option::is_none")]
    pub from: Option<UserId>,
    /// 8 if it was recalled.
    #[serde(rename = "LastMsgFlags")]
    pub flags: u8,
    /// Its content.
    #[serde(rename = "LastMsg", skip_serializing_if = "Option::is_none")]
    pub last: Option<LastMessage>,
    /// Up to when the other side has read.
    #[serde(rename = "C2cPeerReadTime")]
    pub peer_read_time: Seconds,
    /// Unread messages.
    #[serde(rename = "UnreadMsgCount")]
    pub unread: u32,
    /// 1: pinned.
    #[serde(rename = "TopFlags")]
    pub pinned: u8,
    /// When it was pinned.
    #[serde(rename = "TopTimeStamp")]
    pub pinned_at: Seconds,
    /// The other side's nickname.
    #[serde(rename = "C2cNick")]
    pub nick: String,
    /// The other side's avatar.
    #[serde(rename = "C2cImage")]
    pub image: String,
    /// The caller's name for the other side: there are no friends yet.
    #[serde(rename = "C2cRemark")]
    pub remark: String,
    /// How messages are announced.
    #[serde(rename = "MsgRecvOption")]
    pub remind: u8,
    /// Marks.
    #[serde(rename = "StandardMark")]
    pub marks: String,
    /// The app's own text.
    #[serde(rename = "CustomMark")]
    pub custom: String,
    /// Conversation groups that it is in.
    #[serde(rename = "ContactGroupId")]
    pub groups: Vec<()>,
}

/// The last message.
#[derive(Serialize, JsonSchema)]
pub struct LastMessage {
    /// Its elements; none if it was recalled.
    #[serde(rename = "MsgBody")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub body: Box<RawValue>,
    /// The app's own text.
    #[serde(rename = "CloudCustomData")]
    pub cloud_custom_data: String,
    /// Who recalled it.
    #[serde(rename = "RevokerInfo", skip_serializing_if = "Option::is_none")]
    pub revoker: Option<Revoker>,
}

/// Who recalled a message.
#[derive(Serialize, JsonSchema)]
pub struct Revoker {
    /// Who.
    #[serde(rename = "Revoker_Account")]
    pub user: UserId,
    /// Why: not given.
    #[serde(rename = "Reason")]
    pub reason: &'static str,
}

impl Command for PageConversations {
    const SPEC: Spec = Spec::new("recentcontact/page_get", Family::CONTACT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::ContactAccountUnknown]);

    type Reply = Conversations;

    async fn run(self, call: &Call) -> Result<Conversations> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        let (engine, app) = (&call.engine, call.app.id);
        let limit = usize::try_from(call.app.settings.conversations_allowed()).unwrap_or(usize::MAX);
        let settings: HashMap<AccountNumber, ContactSettings> = engine
            .contacts
            .all(app, owner.number)
            .await?
            .into_iter()
            .map(|fact| (fact.peer, fact.settings))
            .collect();
        let mut views = engine.conversations(app, owner.number, limit).await?;
        let mut pinned: Vec<AccountNumber> =
            settings.iter().filter(|(_, found)| found.pinned_at.is_some()).map(|(peer, _)| *peer).collect();
        pinned.retain(|peer| views.iter().all(|view| view.peer != *peer));
        pinned.sort_unstable();
        for peer in pinned {
            let view = engine.conversation(app, owner.number, peer).await?;
            views.push(view.unwrap_or_else(|| empty_view(owner.number, peer)));
        }
        let mut items = Vec::with_capacity(views.len());
        for view in views {
            let found = settings.get(&view.peer).cloned().unwrap_or_default();
            if let Some(item) = item(call, owner.number, view, found).await? {
                items.push(item);
            }
        }
        let now = engine.context.clock.now().seconds();
        Ok(Conversations {
            items,
            complete: 1,
            time: now,
            start: 0,
            top_time: now,
            top_start: 0,
            groups: Vec::new(),
        })
    }
}

/// A pinned conversation in which nothing was ever said.
fn empty_view(owner: AccountNumber, peer: AccountNumber) -> ConversationView<Content> {
    ConversationView {
        conversation: model::ConversationId::between(owner, peer),
        peer,
        is_listed: false,
        active_at: Seconds(0),
        last: None,
        read_to: model::HistoryKey::START,
        peer_read_to: model::HistoryKey::START,
    }
}

async fn item(
    call: &Call,
    owner: AccountNumber,
    view: ConversationView<Content>,
    settings: ContactSettings,
) -> Result<Option<Item>> {
    let (engine, app) = (&call.engine, call.app.id);
    // The other side's account may be gone: such a conversation has no name any more.
    let Some(peer) = engine.accounts.with_number(app, view.peer).await? else {
        return Ok(None);
    };
    let profile = engine.profiles.of(app, peer.number).await?;
    let friend = engine.relations.friend(app, owner, peer.number).await?;
    let last = view.last.as_ref();
    let content = match last {
        Some(found) => {
            let text = String::from_utf8_lossy(engine::push::body_of(&found.message)).into_owned();
            let body = RawValue::from_string(text)
                .map_err(|error| model::Error::from(ErrorCode::ContactInternal).caused_by(error))?;
            Some(LastMessage {
                body,
                cloud_custom_data: found.message.content.cloud_custom_data.to_string(),
                revoker: found.revoker.clone().map(|user| Revoker { user, reason: "" }),
            })
        }
        None => None,
    };
    Ok(Some(Item {
        kind: 1,
        time: last.map_or(view.active_at, |found| found.at.time),
        sequence: last.map(|found| found.message.sequence),
        random: last.map(|found| found.message.random),
        from: last.map(|found| found.message.from.clone()),
        flags: if last.is_some_and(|found| found.revoker.is_some()) { RECALLED } else { 0 },
        last: content,
        peer_read_time: view.peer_read_to.time,
        unread: engine.unread(app, owner, peer.number).await?,
        pinned: settings.pinned_at.is_some().into(),
        pinned_at: settings.pinned_at.unwrap_or_default(),
        nick: profile.text(NICK).to_owned(),
        image: profile.text(IMAGE).to_owned(),
        remark: friend.map(|friend| friend.remark.clone()).unwrap_or_default(),
        remind: settings.remind,
        marks: marks_text(&settings),
        custom: settings.custom,
        groups: Vec::new(),
        peer: peer.user.clone(),
    }))
}
