//! What happened to messages after they were sent, as the entries about them say.

use hashbrown::{HashMap, HashSet};
use model::{HistoryKey, Modification, Position, Seconds, UserId};
use mongodb::bson::{Document, doc};
use ports::{Event, Fault};

use crate::database::{Database, Find};
use crate::keys;
use crate::log::{ContentAt, Logged};
use crate::names::LOG;

/// Messages asked for in one query.
const AT_ONCE: usize = 500;

/// The newest change of a message's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) modification: Modification,
    /// What names its key: the content without its bytes.
    pub(crate) sealed: model::Sealed,
    /// Where the content lies; `None` if it was taken away.
    pub(crate) content: Option<ContentAt>,
}

/// What happened to one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amendment {
    pub(crate) revoker: Option<UserId>,
    pub(crate) receipt_at: Option<Seconds>,
    pub(crate) deleted: [bool; 2],
    pub(crate) changed: Option<Changed>,
}

impl Amendment {
    /// Applies an entry that is about the message at this place, in the order of the log.
    pub(crate) fn apply(&mut self, at: HistoryKey, logged: &Logged) {
        let entry = &logged.entry;
        match &entry.event {
            Event::Recall { target, revoker, .. } if *target == at => self.revoker = Some(revoker.clone()),
            Event::Receipt { targets, .. } if targets.iter().any(|target| target.at == at) => {
                self.receipt_at = self.receipt_at.or(Some(entry.time));
            }
            Event::Delete { by, targets } if targets.contains(&at) => {
                for (deleted, side) in self.deleted.iter_mut().zip(entry.conversation.sides()) {
                    *deleted |= side == *by;
                }
            }
            Event::Modify { target, modification, content, .. } if *target == at => {
                let (modification, sealed, content) = (*modification, content.clone(), logged.content());
                self.changed = Some(Changed { modification, sealed, content });
            }
            _ => {}
        }
    }

    /// Where the content of a message lies now; `None` if it has none any more.
    pub(crate) fn content(&self, message: &Logged) -> Option<ContentAt> {
        if self.revoker.is_some() || message.is_emptied {
            return None;
        }
        match &self.changed {
            Some(changed) => changed.content,
            None => message.content(),
        }
    }

    /// How often the message was changed.
    pub(crate) fn version(&self) -> u32 {
        self.changed.as_ref().map_or(0, |changed| changed.modification.version)
    }
}

/// A message: its conversation and where it stands there.
pub(crate) type MessageAt = (String, HistoryKey);

/// What happened to these messages; those to which nothing did are left out.
pub(crate) async fn amendments(
    database: &Database,
    messages: &[MessageAt],
) -> Result<HashMap<MessageAt, Amendment>, Fault> {
    let mut found: HashMap<MessageAt, Amendment> = HashMap::new();
    for part in messages.chunks(AT_ONCE) {
        // Ordered here: a server that has to order them may go through the whole log instead.
        let find = Find { filter: any_of(part, "t"), ..Find::default() };
        let documents = database.find(LOG, find).await?;
        let mut about: Vec<(&str, Logged)> = documents
            .iter()
            .map(|document| Ok((crate::codec::text(document, "c")?, Logged::read(document)?)))
            .collect::<Result<_, Fault>>()?;
        about.sort_unstable_by_key(|(_, logged)| logged.entry.cursor);
        let wanted: HashSet<&MessageAt> = part.iter().collect();
        for (conversation, logged) in &about {
            for at in crate::log::targets_of(&logged.entry.event) {
                let message = ((*conversation).to_owned(), at);
                if wanted.contains(&message) {
                    found.entry(message).or_default().apply(at, logged);
                }
            }
        }
    }
    Ok(found)
}

/// The entries of these messages themselves, whether or not they have ended.
pub(crate) async fn messages_at(database: &Database, messages: &[MessageAt]) -> Result<Vec<Logged>, Fault> {
    let mut found = Vec::new();
    for part in messages.chunks(AT_ONCE) {
        let wanted: HashSet<&MessageAt> = part.iter().collect();
        let find = Find { filter: any_of(part, "p"), ..Find::default() };
        for logged in Logged::read_all(&database.find(LOG, find).await?)? {
            let is_meant = matches!(logged.entry.event, Event::Message(_)) && {
                let conversation = keys::conversation(logged.app(), logged.conversation());
                wanted.contains(&(conversation, logged.entry.history_key()))
            };
            found.extend(is_meant.then_some(logged));
        }
    }
    Ok(found)
}

/// Documents of these conversations with one of the positions in a field.
fn any_of(messages: &[MessageAt], field: &str) -> Document {
    let mut positions: HashMap<&str, Vec<i64>> = HashMap::new();
    for (conversation, at) in messages {
        positions.entry(conversation).or_default().push(keys::position(at.position));
    }
    let of =
        |(conversation, positions): (&str, Vec<i64>)| doc! { "c": conversation, field: { "$in": positions } };
    doc! { "$or": positions.into_iter().map(of).collect::<Vec<Document>>() }
}

/// Entries that are about messages of one conversation at these positions.
pub(crate) fn any_position_of(conversation: &str, positions: impl Iterator<Item = Position>) -> Document {
    doc! { "c": conversation, "t": { "$in": positions.map(keys::position).collect::<Vec<_>>() } }
}
