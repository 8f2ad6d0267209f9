//! Which message a command about extensions or reactions means, and who asks.

use std::sync::Arc;

use command::{Call, Caller};
use engine::annotations::{Annotated, Maker, REACTION_BYTES_MAX, no_such_message};
use engine::facts::AccountFact;
use model::{AccountNumber, ErrorCode, MessageKey, Result, UserId};

/// Error numbers of the fields that name a message.
pub const FIELD_ERRORS: &[(&str, ErrorCode)] = &[
    ("From_Account", ErrorCode::SenderUnknown),
    ("To_Account", ErrorCode::ReceiverMissing),
    ("MsgKey", ErrorCode::KeyMalformed),
    ("MsgKeyList", ErrorCode::KeyMalformed),
];

/// Sender and receiver of a message, of whom the caller is one.
pub struct Sides {
    /// Who sent it.
    pub from: Arc<AccountFact>,
    /// To whom.
    pub to: Arc<AccountFact>,
}

impl Sides {
    /// The sides that a request names; without a sender the caller is meant.
    ///
    /// # Errors
    /// `KeyMalformed` to an account that is neither of them, whether or not they exist; to an administrator `SenderUnknown` or
    /// `ReceiverMissing`.
    pub async fn of(call: &Call, from: Option<&UserId>, to: &UserId) -> Result<Self> {
        let Some(session) = call.session() else {
            let caller = match &call.caller {
                Caller::Administrator(user) => Some(user),
                Caller::Account(_) | Caller::Nobody => None,
            };
            let from = from.or(caller).ok_or(ErrorCode::SenderUnknown)?;
            let from = call.account("From_Account", from, ErrorCode::SenderUnknown).await?;
            let to = call.account("To_Account", to, ErrorCode::ReceiverMissing).await?;
            return Ok(Self { from, to });
        };
        let own = &session.account;
        let find = |user| call.engine.accounts.find(call.app.id, user);
        let (from, to) = (find(from.unwrap_or(&own.user)).await?, find(to).await?);
        match (from, to) {
            (Some(from), Some(to)) if [from.number, to.number].contains(&own.number) => Ok(Self { from, to }),
            _ => Err(no_such_message()),
        }
    }

    /// Refuses an account what it would add to a message for somebody whom it may not write to. What the other side does not see
    /// needs no leave.
    ///
    /// # Errors
    /// `BlockedByReceiver`, `NotFriends`, `SenderNotFriend`, `ReceiverNotFriend`.
    pub async fn check_writing(&self, call: &Call, message: &Annotated) -> Result<()> {
        let Some(session) = call.session() else { return Ok(()) };
        let (own, settings) = (session.account.number, &call.app.settings);
        let other = if self.from.number == own { self.to.number } else { self.from.number };
        if !message.is_seen_by(other) {
            return Ok(());
        }
        let engine = &call.engine;
        if !has_robot(&self.from.user, &self.to.user) {
            engine.relations.check_friendship(call.app.id, settings, own, other).await?;
        }
        if settings.block_list_check && engine.blocks.is_blocked(call.app.id, other, own).await? {
            return Err(ErrorCode::BlockedByReceiver.into());
        }
        Ok(())
    }

    /// The message under this key, as the caller sees it.
    ///
    /// # Errors
    /// `KeyMalformed` if the caller sees none.
    pub async fn message(&self, call: &Call, key: MessageKey) -> Result<Annotated> {
        self.message_this_way(call, key).await?.ok_or_else(no_such_message)
    }

    /// The message under this key that was sent this way, as the caller sees it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn message_this_way(&self, call: &Call, key: MessageKey) -> Result<Option<Annotated>> {
        let viewer = call.session().map(|session| session.account.number);
        call.engine.annotated(&call.app, &self.from, &self.to, key, viewer).await
    }

    /// The sides of a message of this author: who sent it, and to whom.
    #[must_use]
    pub fn as_sent(&self, author: AccountNumber) -> (&Arc<AccountFact>, &Arc<AccountFact>) {
        if self.from.number == author { (&self.from, &self.to) } else { (&self.to, &self.from) }
    }

    /// The message that a reaction is about, as the caller sees it, with its sides.
    ///
    /// # Errors
    /// `MessageBadJson` for a text that is no reaction, `KeyMalformed` if the caller sees no such message.
    pub async fn reacted(
        call: &Call,
        from: Option<&UserId>,
        to: &UserId,
        key: MessageKey,
        reaction: &str,
    ) -> Result<(Self, Annotated)> {
        check_reaction(reaction)?;
        let sides = Self::of(call, from, to).await?;
        let message = sides.message(call, key).await?;
        Ok((sides, message))
    }

    /// The message under this key, whichever side sent it, as the caller sees it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn message_either_way(&self, call: &Call, key: MessageKey) -> Result<Option<Annotated>> {
        if let Some(found) = self.message_this_way(call, key).await? {
            return Ok(Some(found));
        }
        let viewer = call.session().map(|session| session.account.number);
        call.engine.annotated(&call.app, &self.to, &self.from, key, viewer).await
    }
}

/// Whether one of two accounts is a robot: those need no friendship (page 1047/55281).
#[must_use]
pub fn has_robot(one: &UserId, other: &UserId) -> bool {
    one.is_robot_name() || other.is_robot_name()
}

/// Refuses an account that is muted, as it is now: it may have been muted since it logged in.
///
/// # Errors
/// `Muted`.
pub async fn check_not_muted(call: &Call, user: &UserId) -> Result<()> {
    let now = call.engine.context.clock.now().seconds();
    let account = call.engine.accounts.find(call.app.id, user).await?;
    if account.is_some_and(|account| account.muted_until > now) {
        return Err(ErrorCode::Muted.into());
    }
    Ok(())
}

/// Who changes what was added to a message: the account over the socket, an administrator's over REST.
///
/// # Errors
/// `NotLoggedIn`.
pub async fn maker(call: &Call) -> Result<Maker> {
    let number = match &call.caller {
        Caller::Account(session) => session.account.number,
        Caller::Administrator(user) => {
            call.engine.accounts.ensure(call.stamps(), call.app.id, user).await?.number
        }
        Caller::Nobody => return Err(ErrorCode::NotLoggedIn.into()),
    };
    Ok(Maker { number, origin: call.instance() })
}

/// Checks that a reaction is the caller's own: a list of accounts may name no other.
///
/// # Errors
/// `SenderUnknown`, naming the field.
pub async fn check_own(call: &Call, field: &str, users: &[UserId]) -> Result<()> {
    for user in users {
        call.actor(field, Some(user), ErrorCode::SenderUnknown).await?;
    }
    Ok(())
}

/// Checks the text of a reaction.
///
/// # Errors
/// `MessageBadJson`.
fn check_reaction(text: &str) -> Result<()> {
    if text.is_empty() || text.len() > REACTION_BYTES_MAX {
        return Err(ErrorCode::MessageBadJson.because(format!("Reaction: 1 to {REACTION_BYTES_MAX} bytes")));
    }
    Ok(())
}
