//! How numbers are written where the server orders them: as text of a fixed width, which it compares byte by byte.
//!
//! BSON has no number that holds all of ours, and a text is one key of an index where three numbers would be three.

use model::{AccountNumber, ConversationId, HistoryKey, Position, SdkAppId, Seconds};
use ports::Cursor;

/// Follows every digit of such a text.
pub(crate) const AFTER: &str = "g";

/// What everything of an app begins with.
pub(crate) fn app(app: SdkAppId) -> String {
    format!("{:08x}", app.0)
}

/// A conversation of an app: ordered by app, then as conversations are.
pub(crate) fn conversation(app: SdkAppId, id: ConversationId) -> String {
    let [low, high] = id.sides();
    format!("{:08x}{:016x}{:016x}", app.0, low.0, high.0)
}

/// A place in the history of a conversation.
pub(crate) fn place(conversation: &str, at: HistoryKey) -> String {
    format!("{conversation}{:08x}{:016x}", at.time.0, at.position.0)
}

/// An account of an app.
pub(crate) fn account(app: SdkAppId, account: AccountNumber) -> String {
    format!("{:08x}{:016x}", app.0, account.0)
}

/// The row of an account's list that stands for its conversation with another.
pub(crate) fn listed(app: SdkAppId, viewer: AccountNumber, peer: AccountNumber) -> String {
    format!("{:08x}{:016x}{:016x}", app.0, viewer.0, peer.0)
}

/// The other side in a row that [`listed`] named.
pub(crate) fn read_listed(key: &str) -> Option<AccountNumber> {
    (key.len() == 40).then_some(())?;
    u64::from_str_radix(key.get(24..)?, 16).ok().map(AccountNumber)
}

/// A number as the server keeps it. Ours never come near its end.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn cursor(cursor: Cursor) -> i64 {
    number(cursor.0)
}

pub(crate) fn position(position: Position) -> i64 {
    number(position.0)
}

pub(crate) fn seconds(seconds: Seconds) -> i64 {
    i64::from(seconds.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_ordered_as_what_they_stand_for() {
        let conversations = [(1, 2), (1, 300), (2, 2), (2, 1 << 40)]
            .map(|(low, high)| ConversationId::between(AccountNumber(low), AccountNumber(high)));
        let keys = conversations.map(|id| conversation(SdkAppId(7), id));
        assert!(conversations.is_sorted() && keys.is_sorted());
        assert!(keys.iter().all(|key| key.starts_with(&app(SdkAppId(7))) && *key < app(SdkAppId(7)) + AFTER));
        let key = |time, position| HistoryKey { time: Seconds(time), position: Position(position) };
        let places = [HistoryKey::START, key(1, 900), key(1, u64::MAX), key(20, 1), HistoryKey::END];
        assert!(places.map(|at| place(&keys[0], at)).is_sorted());
        assert!(place(&keys[0], HistoryKey::END) < place(&keys[1], HistoryKey::START));
    }

    #[test]
    fn what_is_not_ours_reads_as_nothing() {
        for foreign in ["", "7", "zz", &"x".repeat(40), &"1".repeat(41)] {
            assert_eq!(read_listed(foreign), None, "{foreign}");
        }
        let row = listed(SdkAppId(1), AccountNumber(5), AccountNumber(6));
        assert_eq!(read_listed(&row), Some(AccountNumber(6)));
    }
}
