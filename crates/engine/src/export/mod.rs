//! Exports for a data subject: everything that is kept of an account and that it may see, line by line.
//!
//! An export is a stamped record that ends by itself: the right to read, until then, what had been stored when it was made.
//! It holds no copy. Each line is made when it is read, of what is live then, so nothing that was recalled, erased or
//! expired meanwhile lives on in an export.

mod told;

use model::settings::App;
use model::time::DAY_SECONDS;
use model::{AccountNumber, DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject, UserId};
use ports::records::{Range, find};
use ports::{Cursor, Entry, Event, Kind, Record};
use promise::Stamps;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Engine;
use crate::annotations::{About, Annotation, ExtensionFact, OF_ACCOUNT, ReactionFact};
use crate::contact_groups::ContactGroupsFact;
use crate::do_not_disturb::DoNotDisturbFact;
use crate::facts::{AccountFact, BlockFact, ContactFact, InstanceFact, WatchFact};
use crate::follow::{FollowFact, FollowList};
use crate::merged::MergedFact;
use crate::relations::{FriendFact, RelationsFact, RequestFact};
use crate::store::{put, write_all_for};
use told::Told;

/// For how many days an export can be read.
pub const EXPORT_DAYS: u32 = 7;

/// Lines in one page at most.
pub const LINES_MAX: usize = 500;

/// Conversations told of with their read marks at most, the most recent ones. Messages have no limit.
const CONVERSATIONS_MAX: usize = 10_000;

/// An export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFact {
    /// Whose data.
    pub number: AccountNumber,
    /// Names it among those of the account.
    pub mark: u64,
    /// The account's name.
    pub user: UserId,
    /// When it was made.
    pub made_at: Seconds,
    /// Until when it can be read.
    pub until: Seconds,
    /// What was appended later is no part of it.
    pub end: Cursor,
}

impl ExportFact {
    /// What names it outside.
    #[must_use]
    pub fn token(&self) -> String {
        format!("{:016x}{:016x}", self.number.0, self.mark)
    }

    fn key_of(token: &str) -> Option<Vec<u8>> {
        let bytes = u128::from_str_radix(token, 16).ok().filter(|_| token.len() == 32)?;
        Some(bytes.to_be_bytes().to_vec())
    }
}

impl Record for ExportFact {
    const KIND: Kind = Kind { id: 20, name: "export", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        [self.number.0.to_be_bytes(), self.mark.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }
}

/// The parts of an export. A place holds the number of its part, so new ones stand at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// What it is, the account and its profile.
    #[default]
    Head,
    /// Logins.
    Instances,
    /// The block list.
    Blocks,
    /// Settings of conversations.
    Contacts,
    /// Conversation groups.
    ContactGroups,
    /// When it does not want to be disturbed.
    DoNotDisturb,
    /// Whose status it follows.
    Watches,
    /// Conversations with their read marks.
    Conversations,
    /// Messages: the last part that is read.
    Messages(Cursor),
    /// Whom it follows, read after whose status it follows.
    Follows,
    /// Who follows it, read after that.
    Followers,
    /// Extensions that it set.
    Extensions,
    /// Its reactions.
    Reactions,
    /// Merged messages that were stored apart.
    Merged,
    /// Its friends, read after the block list.
    Friends,
    /// Applications for friendship, read after that.
    Requests,
    /// Its friend lists, read after that.
    FriendLists,
}

/// A place in an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPlace {
    part: Part,
    after: Option<Vec<u8>>,
}

impl ExportPlace {
    const fn of(part: Part) -> Self {
        Self { part, after: None }
    }

    /// As text for a client.
    #[must_use]
    pub fn to_text(&self) -> String {
        postcard::to_extend(self, Vec::new()).map(|bytes| crate::apps::hex(&bytes)).unwrap_or_default()
    }

    /// The place that [`Self::to_text`] wrote.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        let bytes: Vec<u8> = (0..text.len()).step_by(2).map(pair).collect::<Option<_>>()?;
        postcard::from_bytes(&bytes).ok()
    }
}

/// A page of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportPage {
    /// Lines of JSON.
    pub lines: Vec<String>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<ExportPlace>,
}

impl Engine {
    /// Makes an export of an account.
    ///
    /// # Errors
    /// `AccountUnknown`, also if it was just erased.
    pub async fn begin_export(&self, app: &App, user: &UserId) -> Result<ExportFact> {
        let account = self.accounts.find(app.id, user).await?.ok_or(ErrorCode::AccountUnknown)?;
        let mut mark = [0; 8];
        self.context.random.fill(&mut mark);
        let made_at = self.context.clock.now().seconds();
        let fact = ExportFact {
            number: account.number,
            mark: u64::from_be_bytes(mark),
            user: account.user.clone(),
            made_at,
            until: made_at.plus(EXPORT_DAYS * DAY_SECONDS),
            end: self.context.timeline.end(),
        };
        let stamp = Stamps::of(app.id, &app.settings).account_until(fact.number, fact.until);
        let concerned = (&[fact.number][..], ErrorCode::AccountUnknown);
        write_all_for(self.context.records.as_ref(), app.id, concerned, vec![put(stamp, &fact)?]).await?;
        Ok(fact)
    }

    /// An export that can still be read.
    ///
    /// # Errors
    /// `ExportUnknown`, also when its time is over or its account was erased.
    pub async fn export(&self, app: SdkAppId, token: &str) -> Result<ExportFact> {
        let key = ExportFact::key_of(token).ok_or(ErrorCode::ExportUnknown)?;
        let found = find::<ExportFact>(self.context.records.as_ref(), app, &key).await?;
        let (fact, _) = found.ok_or(ErrorCode::ExportUnknown)?;
        let account = self.accounts.find(app, &fact.user).await?;
        let is_same = account.is_some_and(|account| account.number == fact.number);
        if is_same { Ok(fact) } else { Err(ErrorCode::ExportUnknown.into()) }
    }

    /// A page of an export, from a place on.
    ///
    /// # Errors
    /// `ExportUnknown`.
    pub async fn read_export(&self, app: &App, token: &str, place: ExportPlace) -> Result<ExportPage> {
        let fact = self.export(app.id, token).await?;
        match place.part {
            Part::Head => {
                let lines = self.head(app, &fact).await?;
                Ok(ExportPage { lines, next: Some(ExportPlace::of(Part::Instances)) })
            }
            Part::Instances => self.owned::<InstanceFact>(app.id, &fact, place, Part::Blocks).await,
            Part::Blocks => self.owned::<BlockFact>(app.id, &fact, place, Part::Friends).await,
            Part::Friends => self.owned::<FriendFact>(app.id, &fact, place, Part::Requests).await,
            Part::Requests => self.owned::<RequestFact>(app.id, &fact, place, Part::FriendLists).await,
            Part::FriendLists => self.owned::<RelationsFact>(app.id, &fact, place, Part::Contacts).await,
            Part::Contacts => self.owned::<ContactFact>(app.id, &fact, place, Part::ContactGroups).await,
            Part::ContactGroups => {
                self.owned::<ContactGroupsFact>(app.id, &fact, place, Part::DoNotDisturb).await
            }
            Part::DoNotDisturb => self.owned::<DoNotDisturbFact>(app.id, &fact, place, Part::Watches).await,
            Part::Watches => self.owned::<WatchFact>(app.id, &fact, place, Part::Extensions).await,
            Part::Follows => self.owned::<FollowFact>(app.id, &fact, place, Part::Followers).await,
            Part::Followers => self.followers(app.id, &fact, place).await,
            Part::Extensions => {
                let line = |told: &ExtensionFact| {
                    let (key, value) = self.open_extension(app.id, told)?;
                    Some(json!({"type": "message extension", "key": key, "value": value}))
                };
                self.added(app.id, &fact, place, Part::Reactions, line).await
            }
            Part::Reactions => {
                let line = |told: &ReactionFact| {
                    let text = self.open_reaction(app.id, told)?;
                    Some(json!({"type": "reaction", "reaction": text}))
                };
                self.added(app.id, &fact, place, Part::Follows, line).await
            }
            Part::Conversations => {
                let lines = self.conversation_lines(app.id, &fact).await?;
                Ok(ExportPage { lines, next: Some(ExportPlace::of(Part::Messages(Cursor(0)))) })
            }
            Part::Messages(after) => self.messages(app.id, &fact, after).await,
            Part::Merged => self.merged_lines(app.id, &fact, place).await,
        }
    }

    async fn head(&self, app: &App, fact: &ExportFact) -> Result<Vec<String>> {
        let account = self.accounts.find(app.id, &fact.user).await?.ok_or(ErrorCode::ExportUnknown)?;
        let AccountFact { user, number, created_at, .. } = &*account;
        let fields = self.profiles.of(app.id, fact.number).await?;
        let retention = app.settings.retention();
        let controller = match app.settings.controller_name.as_str() {
            "" => &app.settings.name,
            name => name,
        };
        let about = json!({
            "type": "about",
            "controller": controller,
            "controller_contact": app.settings.controller_contact,
            "legal_bases": app.settings.legal_bases,
            "sdkappid": app.id.0,
            "user": user,
            "made_at": fact.made_at,
            "readable_until": fact.until,
            "messages_kept_days": retention.message_days,
            "profile_kept_days": retention.profile_days,
            "purpose": "to deliver messages between the accounts of the app and to show them in its clients",
            "recipients": "the accounts named in messages, and the app's administrators",
            "media": "files lie where the addresses in messages point; this server holds none of them",
        });
        let is_robot = self.is_robot(app.id, fact.number).await?;
        let account = json!({
            "type": "account",
            "user": user,
            "number": number.to_string(),
            "created_at": created_at,
            "is_robot": is_robot,
        });
        let profile = json!({"type": "profile", "fields": *fields});
        Ok([about, account, profile].iter().map(Value::to_string).collect())
    }

    /// A page of the records of one kind that belong to the account.
    async fn owned<R: Record + Told>(
        &self,
        app: SdkAppId,
        fact: &ExportFact,
        place: ExportPlace,
        next: Part,
    ) -> Result<ExportPage> {
        let range = Range {
            kind: R::KIND,
            index: None,
            prefix: fact.number.0.to_be_bytes().to_vec(),
            after: place.after.map(|key| (Vec::new(), key)),
            limit: LINES_MAX,
        };
        let found = self.context.records.scan(app, range).await?;
        let is_last = found.len() < LINES_MAX;
        let after = found.last().map(|last| last.key.clone());
        let mut lines = Vec::with_capacity(found.len());
        for record in found {
            let told: R = record.decode()?;
            let other = match told.other() {
                Some(number) => self.name(app, number).await?,
                None => None,
            };
            lines.push(told.tell(other.as_ref()).to_string());
        }
        let next = if is_last { ExportPlace::of(next) } else { ExportPlace { part: place.part, after } };
        Ok(ExportPage { lines, next: Some(next) })
    }

    /// A page of those who follow the account.
    async fn followers(&self, app: SdkAppId, fact: &ExportFact, place: ExportPlace) -> Result<ExportPage> {
        let after = place.after.and_then(|key| Some(AccountNumber(u64::from_be_bytes(key.try_into().ok()?))));
        let found = self.follows.page(app, fact.number, FollowList::Followers, after, LINES_MAX).await?;
        let mut lines = Vec::with_capacity(found.len());
        for follow in &found {
            let user = self.name(app, follow.follower).await?;
            lines.push(json!({"type": "follower", "user": user, "since": follow.since}).to_string());
        }
        let next = match found.last() {
            Some(last) if found.len() == LINES_MAX => {
                ExportPlace { part: place.part, after: Some(last.follower.0.to_be_bytes().to_vec()) }
            }
            _ => ExportPlace::of(Part::Conversations),
        };
        Ok(ExportPage { lines, next: Some(next) })
    }

    /// A page of what the account added to messages.
    async fn added<R: Annotation>(
        &self,
        app: SdkAppId,
        fact: &ExportFact,
        place: ExportPlace,
        next: Part,
        line: impl Fn(&R) -> Option<Value>,
    ) -> Result<ExportPage> {
        let prefix = fact.number.0.to_be_bytes().to_vec();
        let range = Range {
            kind: R::KIND,
            index: Some(OF_ACCOUNT),
            prefix: prefix.clone(),
            after: place.after.map(|key| (prefix, key)),
            limit: LINES_MAX,
        };
        let found = self.context.records.scan(app, range).await?;
        let is_last = found.len() < LINES_MAX;
        let after = found.last().map(|last| last.key.clone());
        let mut lines = Vec::new();
        for record in found {
            let told: R = record.decode()?;
            let is_own = told.said().is_some_and(|(by, _)| by == fact.number);
            let Some(mut line) = line(&told).filter(|_| is_own) else { continue };
            let About { conversation, message, .. } = told.about();
            line["message"] = json!(message);
            line["between"] = json!(self.names(app, &conversation.sides()).await?);
            line["kept_until"] = json!(record.stamp.end());
            lines.push(line.to_string());
        }
        let next = if is_last { ExportPlace::of(next) } else { ExportPlace { part: place.part, after } };
        Ok(ExportPage { lines, next: Some(next) })
    }

    async fn name(&self, app: SdkAppId, number: AccountNumber) -> Result<Option<UserId>> {
        Ok(self.accounts.with_number(app, number).await?.map(|account| account.user.clone()))
    }

    async fn conversation_lines(&self, app: SdkAppId, fact: &ExportFact) -> Result<Vec<String>> {
        let views = self.context.timeline.conversations(app, fact.number, CONVERSATIONS_MAX).await?;
        let mut lines = Vec::with_capacity(views.len());
        for view in views {
            let with = self.name(app, view.peer).await?;
            let line = json!({
                "type": "conversation",
                "with": with,
                "active_at": view.active_at,
                "read_up_to": view.read_to.time,
            });
            lines.push(line.to_string());
        }
        Ok(lines)
    }

    async fn messages(&self, app: SdkAppId, fact: &ExportFact, after: Cursor) -> Result<ExportPage> {
        let page = self.context.timeline.account_entries(app, fact.number, after, LINES_MAX).await?;
        let of_it = page.entries.iter().filter(|entry| entry.cursor <= fact.end);
        let lines = of_it.filter_map(|entry| self.event_line(app, fact, entry)).map(|line| line.to_string());
        let is_end = page.complete || page.next >= fact.end;
        let next = if is_end { Part::Merged } else { Part::Messages(page.next) };
        Ok(ExportPage { lines: lines.collect(), next: Some(ExportPlace::of(next)) })
    }

    /// A page of the merged messages that the account stored, which may be long lines.
    async fn merged_lines(&self, app: SdkAppId, fact: &ExportFact, place: ExportPlace) -> Result<ExportPage> {
        let found = self.merged_of(app, fact.number, place.after).await?;
        let after = found.last().map(|record| record.key.clone());
        let mut lines = Vec::with_capacity(found.len());
        for record in found {
            let merged: MergedFact = record.decode()?;
            let line = json!({
                "type": "merged messages",
                "key": merged.key,
                "time": merged.stored_at,
                "messages": self.open_merged(app, &merged).unwrap_or_default(),
                "kept_until": record.stamp.end(),
            });
            // What came after the export was made is no part of it.
            lines.extend((merged.stored_at <= fact.made_at).then(|| line.to_string()));
        }
        let next = after.map(|after| ExportPlace { part: Part::Merged, after: Some(after) });
        Ok(ExportPage { lines, next })
    }

    /// What happened in a conversation, as the account sees it now.
    fn event_line(&self, app: SdkAppId, fact: &ExportFact, entry: &Entry) -> Option<Value> {
        let is_own = |number: AccountNumber| number == fact.number;
        Some(match &entry.event {
            Event::Message(sealed) => {
                let message = self.open_message(app, entry.conversation, sealed);
                let elements: Value = serde_json::from_slice(&message.content.body).unwrap_or_default();
                json!({
                    "type": "message",
                    "from": message.from,
                    "to": message.to,
                    "direction": if is_own(message.author) { "sent" } else { "received" },
                    "time": entry.time,
                    "sequence": message.sequence,
                    "random": message.random,
                    "elements": elements,
                    "custom_data": message.content.cloud_custom_data,
                    "version": message.version(),
                    "kept_until": entry.stamp.end(),
                })
            }
            Event::Recall { key, revoker, .. } => json!({
                "type": "recall",
                "by": revoker,
                "time": entry.time,
                "sequence": key.sequence,
                "random": key.random,
            }),
            Event::Modify { key, modification, .. } => json!({
                "type": "modification",
                "own": is_own(modification.by),
                "time": entry.time,
                "version": modification.version,
                "sequence": key.sequence,
                "random": key.random,
            }),
            Event::Receipt { reader, targets } => json!({
                "type": "read receipt",
                "own": is_own(*reader),
                "time": entry.time,
                "messages": targets.iter().map(|target| (target.sequence, target.random)).collect::<Vec<_>>(),
            }),
            Event::Read { reader, up_to } => {
                json!({"type": "read", "own": is_own(*reader), "time": entry.time, "up_to": up_to.time})
            }
            Event::Delete { .. } => json!({"type": "deletion", "own": true, "time": entry.time}),
            Event::Clear { by, .. } => json!({"type": "clearing", "own": is_own(*by), "time": entry.time}),
        })
    }
}
