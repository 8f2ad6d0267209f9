//! Messages of an app by the time at which they were sent, whoever sent them: what archives are made of.

use model::{ConversationId, HistoryKey, Seconds};

use crate::timeline::{Cursor, StoredMessage};

/// Where a message of an app stands: in which conversation, and where there. Orders what
/// [`crate::Timeline::messages_of_period`] gives.
pub type PeriodPlace = (ConversationId, HistoryKey);

/// Which page of an app's messages of a period.
#[derive(Clone, Copy, Debug)]
pub struct PeriodQuery {
    /// Messages of this second and later.
    pub from: Seconds,
    /// Messages before this second.
    pub before: Seconds,
    /// Only messages that were appended up to here: pages of one reader show the same, whatever is imported meanwhile.
    pub until: Cursor,
    /// Only messages after this place; `None` for the first page.
    pub after: Option<PeriodPlace>,
    /// At most this many, and at most [`crate::timeline::PAGE_MAX`].
    pub limit: usize,
}

/// A page of an app's messages of a period.
#[derive(Clone, Debug, Default)]
pub struct PeriodPage {
    /// The messages in the order of their places, as they are now: a recalled one has no content.
    pub messages: Vec<(ConversationId, StoredMessage)>,
    /// After which place the next page begins; `None` if there is none. A page may hold few messages, or none, though others
    /// follow: a store looks at a bounded part at once.
    pub next: Option<PeriodPlace>,
}
