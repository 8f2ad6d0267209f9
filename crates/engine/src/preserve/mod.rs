//! What law keeps from being deleted: copies in a sealed store that no command reads.
//!
//! A *floor* is a time for which a law demands that something be kept, whatever the app chose. A *legal hold* keeps what one
//! account or one conversation holds until somebody ends it. Both work by copies: what they cover is written here before it
//! is stored or delivered, so everything else deletes as it always does. Copies are sealed under keys of their own: of the
//! floor's app, and of each hold. Whoever reads them leaves a record of it.

mod copied;
mod holds;
mod reading;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;
use model::profile::Profile;
use model::time::DAY_SECONDS;
use model::{AccountNumber, ConversationId, DataClass, Expiry, Medium, Result, SdkAppId, Seconds};
use parking_lot::RwLock;
use ports::records::{Range, Write};
use ports::{Fault, Record as _};
use promise::Stamps;
use promise::keys::Keyring;

pub use self::copied::{Copied, Cover, PreservedFact};
use self::holds::copies;
pub use self::holds::{HOLDS_MAX, Hold, HoldFact, HoldQuery};
pub use self::reading::{AccessFact, PAGE_MAX, PreservedPage};
use crate::context::Context;
use crate::facts::AccountFact;
use crate::messages::Outgoing;
use crate::store::{put, remove, write};

/// For how long a law demands that something be kept, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// Days; 0 for none.
    pub days: u32,
    /// The law, as receipts and documents name it.
    pub basis: String,
}

/// The floors of this server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floors {
    /// For messages, after their time.
    pub message: Floor,
    /// For profiles, after each change.
    pub profile: Floor,
    /// For the request log, after each request.
    pub log: Floor,
    /// Of which apps; of all, if there is none.
    pub apps: Vec<SdkAppId>,
}

impl Floors {
    /// The floor of an app for a class, if there is one.
    #[must_use]
    pub fn of(&self, app: SdkAppId, class: DataClass) -> Option<&Floor> {
        let floor = match class {
            DataClass::Message(_) => &self.message,
            DataClass::Profile => &self.profile,
            DataClass::Log => &self.log,
            _ => return None,
        };
        let applies = floor.days > 0 && (self.apps.is_empty() || self.apps.contains(&app));
        applies.then_some(floor)
    }
}

/// Reasons why copies are kept that one receipt names at most.
const SAID_MAX: usize = 30;

/// Floors and holds, and what copies for them.
pub struct Preserve {
    context: Context,
    keyring: Arc<Keyring>,
    floors: Floors,
    holds: RwLock<Vec<Arc<Hold>>>,
    /// Whether there is anything to look at.
    is_any: AtomicBool,
}

impl Preserve {
    pub(crate) fn new(context: Context, keyring: Arc<Keyring>, floors: Floors) -> Self {
        let is_any = floors.message.days > 0 || floors.profile.days > 0;
        Self { context, keyring, floors, holds: RwLock::default(), is_any: AtomicBool::new(is_any) }
    }

    /// The floors.
    #[must_use]
    pub const fn floors(&self) -> &Floors {
        &self.floors
    }

    /// What keeps copies of something of a class, and until when: the floor, and those holds for which `is_held` says so.
    fn covers(
        &self,
        app: SdkAppId,
        class: DataClass,
        now: Seconds,
        is_held: impl Fn(&Hold) -> bool,
    ) -> Vec<(Cover, Expiry)> {
        if !self.is_any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let end = |floor: &Floor| Expiry::At(now.plus(floor.days.saturating_mul(DAY_SECONDS)));
        let floor = self.floors.of(app, class).map(|floor| (Cover::floor(app), end(floor)));
        let holds = self.holds.read();
        let held = holds.iter().filter(|hold| hold.app == app && is_held(hold));
        let today = self.context.clock.now();
        let covers = floor.into_iter().chain(held.map(|hold| (hold.cover, Expiry::WithOwner)));
        // What is imported may be older than the law asks for.
        covers.filter(|(_, end)| !end.is_over(today)).collect()
    }

    /// Whether a hold is still copying what it found of an account: until then nothing of it is deleted.
    pub(crate) fn is_copying(&self, app: SdkAppId, number: AccountNumber) -> bool {
        self.is_any.load(Ordering::Acquire)
            && self
                .holds
                .read()
                .iter()
                .any(|hold| hold.app == app && !hold.is_complete && hold.may_need(number))
    }

    /// Copies a message that is about to be stored or delivered, where law demands it.
    pub(crate) async fn message(
        &self,
        app: SdkAppId,
        outgoing: &Outgoing,
        sequence: u32,
        time: Seconds,
    ) -> Result<()> {
        let conversation = ConversationId::between(outgoing.from.number, outgoing.to.number);
        let class = DataClass::Message(outgoing.medium);
        let covers = self.covers(app, class, time, |hold| hold.covers(class, conversation));
        if covers.is_empty() {
            return Ok(());
        }
        let names = (&outgoing.from.user, &outgoing.to.user);
        let copied = Copied::message(names, time, (sequence, outgoing.random), &outgoing.content);
        self.preserve(&covers, outgoing.from.number, &copied).await.map(drop)
    }

    /// Copies what a message is about to be changed to by `writer`. What this answers is taken back where the change is refused.
    pub(crate) async fn change(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        writer: AccountNumber,
        medium: Medium,
        copied: impl FnOnce(Seconds) -> Copied,
    ) -> Result<Vec<PreservedFact>> {
        let (class, now) = (DataClass::Message(medium), self.context.clock.now().seconds());
        let covers = self.covers(app, class, now, |hold| hold.covers(class, conversation));
        if covers.is_empty() {
            return Ok(Vec::new());
        }
        self.preserve(&covers, writer, &copied(now)).await
    }

    /// Removes copies of what never came to be.
    pub(crate) async fn take_back(&self, copies: &[PreservedFact]) -> Result<()> {
        if copies.is_empty() {
            return Ok(());
        }
        let writes = copies.iter().map(|copy| remove::<PreservedFact>(copy.key())).collect();
        write(self.context.records.as_ref(), SdkAppId::INSTALLATION, writes).await
    }

    /// Copies a message that is about to be recalled, for holds that are still copying and may not have come to it.
    pub(crate) async fn before_recall(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        author: AccountNumber,
        copied: impl FnOnce() -> Option<Copied>,
    ) -> Result<()> {
        if !self.is_any.load(Ordering::Acquire) {
            return Ok(());
        }
        let is_open = |hold: &&Arc<Hold>| {
            hold.app == app && !hold.is_complete && hold.covers(DataClass::MESSAGE, conversation)
        };
        let covers: Vec<_> = {
            let holds = self.holds.read();
            holds.iter().filter(is_open).map(|hold| (hold.cover, Expiry::WithOwner)).collect()
        };
        if covers.is_empty() {
            return Ok(());
        }
        match copied() {
            Some(copied) => self.preserve(&covers, author, &copied).await.map(drop),
            None => Ok(()),
        }
    }

    /// Copies a profile that is about to become this.
    pub(crate) async fn profile(&self, app: SdkAppId, account: &AccountFact, fields: &Profile) -> Result<()> {
        let time = self.context.clock.now().seconds();
        let number = account.number;
        let alone = ConversationId::between(number, number);
        let is_held = |hold: &Hold| hold.covers(DataClass::Profile, alone);
        let covers = self.covers(app, DataClass::Profile, time, is_held);
        if covers.is_empty() {
            return Ok(());
        }
        let copied = Copied::Profile { user: account.user.clone(), time, fields: fields.clone() };
        self.preserve(&covers, number, &copied).await.map(drop)
    }

    /// Copies merged messages that are about to be stored. Nobody knows yet to whom they go, so every hold that concerns who
    /// merged them keeps them.
    pub(crate) async fn merged(
        &self,
        app: SdkAppId,
        author: &AccountFact,
        time: Seconds,
        copied: impl FnOnce() -> Copied,
    ) -> Result<()> {
        let covers = self.covers(app, DataClass::MESSAGE, time, |hold| hold.concerns(author.number));
        if covers.is_empty() {
            return Ok(());
        }
        self.preserve(&covers, author.number, &copied()).await.map(drop)
    }

    async fn preserve(
        &self,
        covers: &[(Cover, Expiry)],
        author: AccountNumber,
        copied: &Copied,
    ) -> Result<Vec<PreservedFact>> {
        let (mut facts, mut writes) = (Vec::new(), Vec::new());
        for (cover, expiry) in covers {
            let fact = self.sealed_copy(*cover, *expiry, author, copied)?;
            writes.push(put(Stamps::preserved(author, *expiry), &fact)?);
            facts.push(fact);
        }
        write(self.context.records.as_ref(), SdkAppId::INSTALLATION, writes).await?;
        Ok(facts)
    }

    /// The write that keeps a copy.
    pub(crate) fn copy(
        &self,
        cover: Cover,
        expiry: Expiry,
        author: AccountNumber,
        copied: &Copied,
    ) -> Result<Write> {
        put(Stamps::preserved(author, expiry), &self.sealed_copy(cover, expiry, author, copied)?)
    }

    fn sealed_copy(
        &self,
        cover: Cover,
        expiry: Expiry,
        author: AccountNumber,
        copied: &Copied,
    ) -> Result<PreservedFact> {
        let bytes = serde_json::to_vec(copied)
            .map_err(|error| Fault::Corrupt(format!("cannot encode a copy: {error}")))?;
        let now = self.context.clock.now().seconds();
        let sealed = self.keyring.seal_bytes(cover.place(), now, expiry, bytes)?;
        // Indexes rise, so copies of one second keep their order.
        let mark = sealed.index;
        Ok(PreservedFact { cover, at: copied.time(), mark, author, sealed })
    }

    /// What receipts say in all: a receipt has a limit.
    fn cut(mut said: Vec<String>) -> Vec<String> {
        if said.len() > SAID_MAX {
            let more = said.len() - SAID_MAX;
            said.truncate(SAID_MAX);
            said.push(format!("and {more} more"));
        }
        said
    }

    /// How many copies a floor or a hold keeps.
    async fn count(&self, cover: Cover) -> Result<u64> {
        let (mut count, mut after) = (0, None);
        loop {
            let range = copies(cover, after, PAGE_MAX);
            let found = self.context.records.scan(SdkAppId::INSTALLATION, range).await?;
            let Some(last) = found.last() else { return Ok(count) };
            count += found.len() as u64;
            after = Some((Vec::new(), last.key.clone()));
        }
    }

    /// What receipts say of copies that an account's erasure leaves of what it wrote, in any hold.
    pub(crate) async fn left_of(&self, app: SdkAppId, number: AccountNumber) -> Result<Vec<String>> {
        let mut said = self.left_by_floors(app);
        let holds = self.holds.read().clone();
        if holds.is_empty() {
            return Ok(said);
        }
        let mut counts: HashMap<Cover, u64> = HashMap::new();
        let mut after = None;
        loop {
            let range = Range {
                kind: PreservedFact::KIND,
                index: Some(PreservedFact::BY_AUTHOR),
                prefix: number.0.to_be_bytes().to_vec(),
                after,
                limit: PAGE_MAX,
            };
            let found = self.context.records.scan(SdkAppId::INSTALLATION, range).await?;
            let Some(last) = found.last() else { break };
            after = Some((number.0.to_be_bytes().to_vec(), last.key.clone()));
            for record in found {
                *counts.entry(record.decode::<PreservedFact>()?.cover).or_default() += 1;
            }
        }
        for hold in holds {
            if let Some(copies) = counts.get(&hold.cover).filter(|_| hold.app == app) {
                said.push(format!("{copies} copies under legal hold {}", hold.reference));
            }
        }
        Ok(Self::cut(said))
    }

    /// What receipts say of copies that the erasure of a conversation's history leaves.
    pub(crate) async fn left_of_conversation(
        &self,
        app: SdkAppId,
        sides: [AccountNumber; 2],
    ) -> Result<Vec<String>> {
        let mut said = self.left_by_floors(app);
        let conversation = ConversationId::between(sides[0], sides[1]);
        let holds = self.holds.read().clone();
        let held = |hold: &&Arc<Hold>| hold.app == app && hold.covers(DataClass::MESSAGE, conversation);
        for hold in holds.iter().filter(held) {
            let copies = self.count(hold.cover).await?;
            said.push(format!("{copies} copies under legal hold {}", hold.reference));
        }
        Ok(Self::cut(said))
    }

    /// What receipts say of copies that an app's erasure leaves.
    pub(crate) async fn left_of_app(&self, app: SdkAppId) -> Result<Vec<String>> {
        let mut said = self.left_by_floors(app);
        let holds = self.holds.read().clone();
        for hold in holds.iter().filter(|hold| hold.app == app) {
            let copies = self.count(hold.cover).await?;
            said.push(format!("{copies} copies under legal hold {}", hold.reference));
        }
        Ok(Self::cut(said))
    }

    fn left_by_floors(&self, app: SdkAppId) -> Vec<String> {
        let kinds = [
            ("messages", DataClass::MESSAGE),
            ("profiles", DataClass::Profile),
            ("the request log", DataClass::Log),
        ];
        let said = kinds.into_iter().filter_map(|(what, class)| {
            let floor = self.floors.of(app, class)?;
            Some(format!("copies of {what} for {} days: {}", floor.days, floor.basis))
        });
        said.collect()
    }
}
