//! Decides what appends become: numbers, or the earlier entries that they repeat.
//!
//! What is read for it is right if the log ends where it did when the reading began. The insertion proves that: the cursor after
//! that end is taken by nobody else.

use hashbrown::HashMap;
use model::{ConversationId, HistoryKey, Position, Seconds};
use mongodb::bson::{Document, doc};
use ports::timeline::RETRY_SECONDS;
use ports::{Appended, Cursor, Draft, Entry, Event, Fault, Stamped};

use crate::codec::binary;
use crate::database::{Database, Find};
use crate::heads::{self, Standing};
use crate::keys;
use crate::log::{Id, Logged, content_of, day_of, kind, targets_of};
use crate::names::LOG;
use crate::state::Amendment;

/// A conversation with what has to be known of it, and what the batch adds.
#[derive(Default)]
struct Known {
    standing: Standing,
    /// Entries that may matter, in the order of the log.
    logged: Vec<Logged>,
}

/// What is decided about a batch.
pub(crate) struct Stage {
    known: HashMap<String, Known>,
    /// Entries of this batch that an earlier try put into the log, though nobody was told.
    landed: HashMap<Id, Logged>,
    next: Cursor,
    now: Seconds,
}

/// What becomes of one draft.
pub(crate) enum Decision {
    /// Nothing is appended, or it was already.
    Answer(Appended),
    /// This entry is to be inserted; with its content.
    Insert(Box<Logged>, Option<bytes::Bytes>),
}

/// The conversation of a draft.
pub(crate) fn conversation_of(draft: &Stamped<Draft>) -> String {
    keys::conversation(draft.stamp().app, draft.value().conversation)
}

/// What has to be looked at for a draft.
fn wanted(conversation: &str, draft: &Draft) -> Vec<Document> {
    let positions = |targets: Vec<HistoryKey>| -> Vec<i64> {
        targets.into_iter().map(|at| keys::position(at.position)).collect()
    };
    match (&draft.event, draft.sent_at, draft.retry) {
        (Event::Message(message), Some(time), _) => {
            let first = keys::place(conversation, HistoryKey::start_of(time));
            let last = keys::place(conversation, HistoryKey::end_of(time));
            let (sequence, random) = (i64::from(message.sequence), i64::from(message.random));
            vec![doc! { "h": { "$gte": first, "$lte": last }, "s": sequence, "u": random }]
        }
        (Event::Message(_), None, Some(retry)) => {
            vec![doc! { "r": binary(retry.0.to_vec()), "c": conversation }]
        }
        (Event::Message(_) | Event::Read { .. } | Event::Clear { .. }, ..) => Vec::new(),
        (event @ (Event::Recall { .. } | Event::Modify { .. }), ..) => {
            let positions = positions(targets_of(event));
            let about = doc! { "c": conversation, "t": { "$in": &positions }, "k": { "$in": [kind::RECALL, kind::MODIFY] } };
            vec![doc! { "c": conversation, "p": { "$in": positions } }, about]
        }
        (event, ..) => vec![doc! { "c": conversation, "p": { "$in": positions(targets_of(event)) } }],
    }
}

impl Stage {
    /// Reads what a batch needs. `end` was read before, and `tried` says after which cursor earlier tries began.
    pub(crate) async fn load<'a>(
        database: &Database,
        drafts: impl Iterator<Item = (&'a Id, &'a Stamped<Draft>)>,
        end: Cursor,
        tried: Option<Cursor>,
    ) -> Result<Self, Fault> {
        let (mut conversations, mut filters, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for (id, draft) in drafts {
            let conversation = conversation_of(draft);
            filters.extend(wanted(&conversation, draft.value()));
            conversations.push(conversation);
            ids.push(*id);
        }
        conversations.sort_unstable();
        conversations.dedup();
        let landed = async {
            let Some(tried) = tried else { return Ok(HashMap::new()) };
            let ids = ids.iter().map(|id| binary(id.to_vec())).collect::<Vec<_>>();
            let filter = doc! { "_id": { "$gt": keys::cursor(tried) }, "n": { "$in": ids } };
            let found = database.find(LOG, Find { filter, ..Find::default() }).await?;
            let found = Logged::read_all(&found)?.into_iter().map(|logged| (logged.id, logged));
            Ok::<HashMap<_, _>, Fault>(found.collect())
        };
        let logged = async {
            if filters.is_empty() {
                return Ok(Vec::new());
            }
            // Ordered here: a server that has to order them may go through the whole log instead.
            let find = Find { filter: doc! { "$or": filters }, ..Find::default() };
            let mut found = Logged::read_all(&database.find(LOG, find).await?)?;
            found.sort_unstable_by_key(|logged| logged.entry.cursor);
            Ok(found)
        };
        let (heads, logged, landed) =
            tokio::try_join!(heads::load(database, &conversations), logged, landed)?;
        let of = |(key, standing): (String, Standing)| (key, Known { standing, logged: Vec::new() });
        let mut known: HashMap<String, Known> = heads.into_iter().map(of).collect();
        for logged in logged {
            let conversation = keys::conversation(logged.app(), logged.conversation());
            known.entry(conversation).or_default().logged.push(logged);
        }
        let now = database.clock().now().seconds();
        Ok(Self { known, landed, next: Cursor(end.0 + 1), now })
    }

    /// Decides about the next draft of the batch.
    pub(crate) fn decide(&mut self, id: Id, draft: &Stamped<Draft>) -> Decision {
        if let Some(logged) = self.landed.get(&id) {
            return Decision::Answer(answer_of(&logged.entry, true));
        }
        let (stamp, draft_value) = (*draft.stamp(), draft.value().clone());
        let (now, next) = (self.now, self.next);
        let known = self.known.entry(conversation_of(draft)).or_default();
        let earlier = known.logged.iter().find(|logged| repeats(&draft_value, &logged.entry, now));
        if let Some(earlier) = earlier {
            return Decision::Answer(answer_of(&earlier.entry, false));
        }
        let head = &known.standing.head;
        let Some(event) = known.settle(draft_value.conversation, draft_value.event) else {
            let (position, time, cursor) = (head.position, head.time, head.cursor);
            return Decision::Answer(Appended { position, time, cursor, key: None, is_new: false });
        };
        let mut entry = Entry {
            cursor: next,
            conversation: draft_value.conversation,
            position: Position(head.position.0 + 1),
            time: draft_value.sent_at.unwrap_or_else(|| now.max(head.time)),
            stamp,
            retry: draft_value.retry,
            origin: draft_value.origin,
            event,
        };
        let content = content_of(&mut entry.event).map(std::mem::take).filter(|bytes| !bytes.is_empty());
        let day = content.as_ref().map(|_| day_of(stamp.end(), now));
        // What is about a message is needed as long as that.
        let about = targets_of(&entry.event);
        let of_targets = known.logged.iter().filter(|logged| {
            matches!(logged.entry.event, Event::Message(_)) && about.contains(&logged.entry.history_key())
        });
        let keep = of_targets.map(|logged| logged.keep).max().unwrap_or_default().max(stamp.end());
        let logged = Logged { entry, id, day, is_emptied: false, keep };
        known.standing.head.apply(&logged.entry);
        known.logged.push(logged.clone());
        self.next = Cursor(next.0 + 1);
        Decision::Insert(Box::new(logged), content)
    }

    /// The heads with this batch added.
    pub(crate) fn heads(&self) -> impl Iterator<Item = (&String, &Standing)> {
        self.known.iter().map(|(key, known)| (key, &known.standing))
    }

    /// What was known of a message's conversation: entries about messages, and these themselves.
    pub(crate) fn known(&self, conversation: &str) -> &[Logged] {
        self.known.get(conversation).map_or(&[][..], |known| known.logged.as_slice())
    }
}

impl Known {
    /// Cuts an event to what it changes; `None` if it changes nothing.
    fn settle(&self, id: ConversationId, mut event: Event) -> Option<Event> {
        let head = &self.standing.head;
        match &mut event {
            Event::Read { reader, up_to } => {
                up_to.position = up_to.position.min(head.message_position);
                up_to.time = up_to.time.min(head.time);
                let read_to = head.side(id, *reader).read_to;
                (*up_to > read_to).then_some(event)
            }
            Event::Recall { target, .. } => {
                let is_first = self.amendment(*target).revoker.is_none();
                is_first.then_some(event)
            }
            Event::Modify { target, modification, .. } => {
                let is_message = |logged: &&Logged| {
                    matches!(logged.entry.event, Event::Message(_)) && logged.entry.history_key() == *target
                };
                let message = self.logged.iter().find(is_message)?;
                let amendment = self.amendment(*target);
                let follows = modification.version == amendment.version().saturating_add(1);
                (follows && amendment.content(message).is_some()).then_some(event)
            }
            _ => Some(event),
        }
    }

    fn amendment(&self, target: HistoryKey) -> Amendment {
        let mut amendment = Amendment::default();
        for logged in &self.logged {
            amendment.apply(target, logged);
        }
        amendment
    }
}

/// Whether a draft is the same as an entry.
fn repeats(draft: &Draft, entry: &Entry, now: Seconds) -> bool {
    match (&draft.event, &entry.event, draft.sent_at) {
        (Event::Message(new), Event::Message(old), Some(time)) => {
            let is_twin = entry.time == time && old.key(time) == new.key(time);
            is_twin && (draft.retry.is_none() || entry.retry == draft.retry)
        }
        (Event::Message(_), Event::Message(_), None) => {
            draft.retry.is_some() && entry.retry == draft.retry && entry.time >= now.minus(RETRY_SECONDS)
        }
        _ => false,
    }
}

fn answer_of(entry: &Entry, is_new: bool) -> Appended {
    let key = match &entry.event {
        Event::Message(message) => Some(message.key(entry.time)),
        _ => None,
    };
    Appended { position: entry.position, time: entry.time, cursor: entry.cursor, key, is_new }
}

/// The answer for an entry that was inserted.
pub(crate) fn appended(entry: &Entry) -> Appended {
    answer_of(entry, true)
}
