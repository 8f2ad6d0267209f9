//! `openim_msg_ext_http_svc.reaction_multi_stat`: the reactions to several one-to-one messages.

use command::{Call, Callers, Command, Family, Spec};
use engine::annotations::REACTED_MAX;
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::target::{FIELD_ERRORS, Sides};

/// The most messages of one call.
pub const MESSAGES_MAX: usize = 30;

/// Accounts of each reaction that are named, where a request does not say how many.
const NAMED: usize = 10;

/// Lists the reactions to messages of one conversation, of either direction.
#[derive(Deserialize, JsonSchema)]
pub struct GetReactions {
    /// One side of the conversation. The caller, if absent.
    #[serde(rename = "From_Account", default)]
    pub from: Option<UserId>,
    /// The other side.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Which messages, 1 to 30.
    #[serde(rename = "MsgKeyList")]
    pub keys: Vec<MessageKey>,
    /// How many accounts of each reaction are named, at most 100; 10, if absent.
    #[serde(rename = "Count", default)]
    pub count: Option<usize>,
}

/// The reactions to several messages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReactionList {
    /// In the order of the request. A message that the caller does not see has no reactions.
    #[serde(rename = "Results")]
    pub results: Vec<MessageReactions>,
}

/// The reactions to a message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageReactions {
    /// Which message.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// Its reactions, in the order in which each was made first.
    #[serde(rename = "MsgReactionSummary")]
    pub summary: Vec<ReactionSummary>,
    /// The same, under the name by which `lite-chat` reads it.
    #[serde(rename = "ReactionList")]
    pub list: Vec<ReactionSummary>,
}

/// A reaction to a message.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReactionSummary {
    /// The reaction.
    #[serde(rename = "Reaction")]
    pub reaction: String,
    /// How many accounts have put it there.
    #[serde(rename = "Count")]
    pub count: usize,
    /// Some of them, in the order in which they did.
    #[serde(rename = "Reaction_Account")]
    pub users: Vec<UserId>,
    /// Whether the caller has.
    #[serde(rename = "ReactedByMe")]
    pub is_own: u8,
}

impl Command for GetReactions {
    const SPEC: Spec = Spec::new("openim_msg_ext_http_svc/reaction_multi_stat", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fields(FIELD_ERRORS)
        .fails_with(&[ErrorCode::KeyMalformed]);

    type Reply = ReactionList;

    async fn run(self, call: &Call) -> Result<ReactionList> {
        if self.keys.is_empty() || self.keys.len() > MESSAGES_MAX {
            return Err(ErrorCode::KeyMalformed.because(format!("MsgKeyList: 1 to {MESSAGES_MAX} keys")));
        }
        let limit = self.count.unwrap_or(NAMED).min(REACTED_MAX);
        let sides = Sides::of(call, self.from.as_ref(), &self.to).await?;
        let own = call.session().map(|session| session.account.number);
        let mut results = Vec::with_capacity(self.keys.len());
        for key in self.keys {
            let reactions = match sides.message_either_way(call, key).await? {
                Some(message) => call.engine.reactions(call.app.id, &message).await?,
                None => Vec::new(),
            };
            let mut summary = Vec::with_capacity(reactions.len());
            for reaction in reactions {
                let named = &reaction.by[..limit.min(reaction.by.len())];
                summary.push(ReactionSummary {
                    users: call.engine.names(call.app.id, named).await?,
                    count: reaction.by.len(),
                    is_own: u8::from(own.is_some_and(|own| reaction.by.contains(&own))),
                    reaction: reaction.text,
                });
            }
            results.push(MessageReactions { key, list: summary.clone(), summary });
        }
        Ok(ReactionList { results })
    }
}
