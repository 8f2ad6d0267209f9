//! `message_search.query`: messages that hold keywords.

use command::scalar::Lenient;
use command::{Call, Callers, Command, Family, Spec};
use engine::search::{FoundConversation, FoundMessages, WantedMessages, kind_bit};
use fulltext::Hit;
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::wire::{check_on, count, cursor, phrases, to_cursor};

/// The most senders of a search.
pub const SENDERS_MAX: usize = 5;

/// The most types of a search: as many as there are.
pub const TYPES_MAX: usize = 20;

/// Types that clients know and that are none of a message between two accounts.
const OF_GROUPS: [&str; 2] = ["TIMGroupTipElem", "TIMGroupSystemNoticeElem"];

/// Whether all keywords have to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatchType {
    /// Any of them.
    #[default]
    Or,
    /// All of them.
    And,
}

/// Searches the caller's own messages, in one conversation or in all of them, the latest first.
///
/// Looked for are texts, names of files, names of places, titles and abstracts of merged messages and `Desc` of the app's own
/// elements. In Chinese, Japanese, Korean and Thai any part of a text is found; elsewhere whole words, whatever their case and
/// accents. Found is what the caller sees in history: nothing recalled, deleted, cleared or expired.
#[derive(Deserialize, JsonSchema)]
pub struct SearchMessages {
    /// What is looked for: up to 5 keywords of up to 200 bytes. May be left out where senders or types are given.
    #[serde(rename = "KeywordList", default)]
    pub keywords: Vec<String>,
    /// `or`: any of them; `and`: all of them in one message.
    #[serde(rename = "MatchType", default)]
    pub match_type: MatchType,
    /// Only the conversation with this account.
    #[serde(rename = "PeerAccount", default)]
    pub peer: Option<UserId>,
    /// Only this group's messages. There are no groups yet: nothing is found.
    #[serde(rename = "GroupID", default)]
    pub group: Option<String>,
    /// How many messages of the one conversation, or how many conversations: 1 to 100.
    #[serde(rename = "Count", default)]
    pub count: Option<Lenient>,
    /// Where to continue: that of the former answer. Empty: at the beginning.
    #[serde(rename = "Cursor", default)]
    pub cursor: String,
    /// Only messages with an element of one of these types.
    #[serde(rename = "MsgTypeList", default)]
    pub types: Vec<String>,
    /// Only messages of one of these accounts, up to 5.
    #[serde(rename = "SendUserIDList", default)]
    pub senders: Vec<String>,
    /// Not earlier than this second.
    #[serde(rename = "StartTime", default)]
    pub from: Seconds,
    /// Not later than this second; 0: until now.
    #[serde(rename = "EndTime", default)]
    pub until: Seconds,
}

/// What was found.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FoundList {
    /// How many messages in the one conversation, or in how many conversations; counted among the latest 1000 hits.
    #[serde(rename = "TotalCount")]
    pub total: usize,
    /// Where to continue; empty: there is nothing more.
    #[serde(rename = "Cursor")]
    pub cursor: String,
    /// Conversations, those with the latest messages first.
    #[serde(rename = "ConversationMsgs")]
    pub conversations: Vec<ConversationMessages>,
    /// 1: messages are being read in the background, and some may be missing. Left out otherwise.
    #[serde(rename = "Incomplete", skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<u8>,
}

/// What was found in a conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConversationMessages {
    /// The other side.
    #[serde(rename = "UserID")]
    pub peer: UserId,
    /// How many messages were found in it.
    #[serde(rename = "Count")]
    pub count: usize,
    /// When the first of the list was sent.
    #[serde(rename = "LastMsgTime")]
    pub last: Seconds,
    /// Messages as in history, the latest first. Without PeerAccount the latest one alone.
    #[serde(rename = "MsgList")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub messages: Vec<Box<RawValue>>,
}

impl Command for SearchMessages {
    const SPEC: Spec = Spec::new("message_search/query", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::FeatureMissing]);

    type Reply = FoundList;

    async fn run(self, call: &Call) -> Result<FoundList> {
        check_on(call)?;
        let Some(wanted) = self.wanted(call).await? else { return Ok(FoundList::default()) };
        let found = call.engine.search_messages(&call.app, &wanted).await?;
        reply(call, found).await
    }
}

impl SearchMessages {
    /// What is wanted; `None` if there can be none of it.
    async fn wanted(&self, call: &Call) -> Result<Option<WantedMessages>> {
        let viewer = call.actor("From_Account", None, ErrorCode::MessageAccountUnknown).await?;
        if self.keywords.is_empty() && self.types.is_empty() && self.senders.is_empty() {
            return Err(
                ErrorCode::MessageBadJson.because("KeywordList: keywords, senders or types are needed")
            );
        }
        let words = phrases("KeywordList", &self.keywords)?;
        let (kinds, count, cursor) = (self.kinds()?, count(self.count)?, cursor(&self.cursor)?);
        if self.senders.len() > SENDERS_MAX {
            return Err(
                ErrorCode::MessageBadJson.because(format!("SendUserIDList: at most {SENDERS_MAX} accounts"))
            );
        }
        let until = if self.until == Seconds(0) { Seconds(u32::MAX) } else { self.until };
        if until < self.from {
            return Err(ErrorCode::MessageBadJson.because("EndTime: lies before StartTime"));
        }
        let (engine, app) = (&call.engine, call.app.id);
        let mut authors = Vec::new();
        for user in self.senders.iter().filter_map(|name| UserId::new(name).ok()) {
            authors.extend(engine.accounts.find(app, &user).await?.map(|account| account.number));
        }
        let peer = match &self.peer {
            Some(peer) => Some(engine.accounts.find(app, peer).await?.map(|account| account.number)),
            None => None,
        };
        let is_nothing = words.is_empty() && !self.keywords.is_empty()
            || authors.is_empty() && !self.senders.is_empty()
            || kinds == 0 && !self.types.is_empty()
            || peer == Some(None)
            || self.group.as_ref().is_some_and(|group| !group.is_empty());
        let hit = |[time, position, low, high]: [u64; 4]| Hit {
            time: u32::try_from(time).unwrap_or(u32::MAX),
            position,
            sides: [low, high],
        };
        Ok((!is_nothing).then(|| WantedMessages {
            viewer: viewer.number,
            peer: peer.flatten(),
            phrases: words,
            wants_all: self.match_type == MatchType::And,
            authors,
            kinds,
            from: self.from,
            until,
            count,
            after: cursor.map(hit),
        }))
    }

    /// The wanted types as bits.
    fn kinds(&self) -> Result<u16> {
        if self.types.len() > TYPES_MAX {
            return Err(ErrorCode::MessageBadJson.because(format!("MsgTypeList: at most {TYPES_MAX} types")));
        }
        let mut kinds = 0;
        for (at, name) in self.types.iter().enumerate() {
            kinds |= match kind_bit(name) {
                Some(kind) => kind,
                None if OF_GROUPS.contains(&name.as_str()) => 0,
                None => {
                    return Err(ErrorCode::MessageBadJson.because(format!("MsgTypeList[{at}]: no such type")));
                }
            };
        }
        Ok(kinds)
    }
}

async fn reply(call: &Call, found: FoundMessages) -> Result<FoundList> {
    let FoundMessages { total, conversations, next, is_complete } = found;
    let mut list = Vec::with_capacity(conversations.len());
    for FoundConversation { peer, count, messages } in conversations {
        // One that was erased at this moment.
        let Some(peer) = call.engine.accounts.with_number(call.app.id, peer).await? else { continue };
        list.push(ConversationMessages {
            peer: peer.user.clone(),
            count,
            last: messages.first().map(|message| message.at.time).unwrap_or_default(),
            messages: call.engine.write_page(call.app.id, &messages).await?,
        });
    }
    let to_text = |hit: Hit| to_cursor(&[hit.time.into(), hit.position, hit.sides[0], hit.sides[1]]);
    Ok(FoundList {
        total,
        cursor: next.map(to_text).unwrap_or_default(),
        conversations: list,
        incomplete: (!is_complete).then_some(1),
    })
}
