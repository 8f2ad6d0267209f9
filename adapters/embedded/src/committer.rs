//! The one writer: takes what arrived, decides numbers, writes one batch, syncs it, then answers.
//!
//! All writes that arrive while a sync runs share the next one. After a failed write or sync the process ends: what
//! the engine holds in memory can no longer be trusted, the next start reads what is really there.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fjall::PersistMode;
use hashbrown::{HashMap, HashSet};
use model::time::DAY_SECONDS;
use model::{Expiry, Position, SdkAppId, UserId};
use parking_lot::RwLock;
use ports::timeline::ErasedMessages;
use ports::{Appended, Clock, Cursor, Draft, Entry, Fault, Stamped, Transaction};
use tokio::sync::mpsc;

use crate::bucket::{Bucket, day_of};
use crate::empty::Emptying;
use crate::erase::Erasure;
use crate::forget::Forgetting;
use crate::inbox::Asker;
use crate::layout::{Account, Conversation};
use crate::records::{RecordKey, record_changes};
use crate::room::Room;
use crate::settle::{Settled, Waiting};
use crate::spaces::Spaces;
use crate::stage::{Stage, Staged};
use crate::state::State;
use crate::sweep::Sweep;

/// With so many requests no further round is waited for before the sync.
const BATCH_MAX: usize = 4096;

/// After this many entries the derived key spaces are written, if time did not come first.
const UNWRITTEN_MAX: usize = 16_384;

/// What the writer is asked.
pub(crate) enum Request {
    Append(Stamped<Draft>, Asker<Appended>),
    Apply(SdkAppId, Transaction, Asker<()>),
    /// Keep what an app's messages are so far for so many seconds at most.
    Shorten(SdkAppId, u32, Asker<()>),
    /// Take away what an account of this name wrote.
    Erase(Account, UserId, Asker<ErasedMessages>),
    /// Empty the messages of a conversation up to a place.
    Empty(Conversation, Position, Asker<ErasedMessages>),
    /// Remove everything of an app.
    Forget(SdkAppId, Asker<u64>),
    /// Write what follows from the log, and remove what has expired.
    Tick,
    /// The same, and say when it is done.
    KeepUp(Asker<()>),
    /// Write everything, flush the engine, and end.
    Close(Asker<()>),
    /// End, with nothing more than was asked for.
    End,
}

/// Called when the store can no longer be trusted; does not return in production.
pub(crate) type Fatal = Box<dyn Fn(&str) + Send>;

pub(crate) struct Committer {
    pub(crate) spaces: Arc<Spaces>,
    pub(crate) state: Arc<RwLock<State>>,
    pub(crate) settled: mpsc::UnboundedSender<Settled>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) room: Room,
    pub(crate) fatal: Fatal,
    pub(crate) next_cursor: Cursor,
    pub(crate) next_version: u64,
    /// Told when something was removed that files may still hold.
    pub(crate) purge: std::sync::mpsc::Sender<()>,
    pub(crate) upkeep: Upkeep,
}

/// What has to be done from time to time.
#[derive(Default)]
pub(crate) struct Upkeep {
    /// The day on which records were last swept.
    day: u32,
    /// Whether files hold former values of records: they are purged when the day is over.
    has_swept: bool,
    /// Whether nothing is to be removed.
    is_off: bool,
    /// How many days ahead entries end, of those that came: their buckets are made before the next day begins.
    ahead: BTreeSet<u32>,
    sweeps: Vec<Sweep>,
    erasures: VecDeque<Erasure>,
    emptyings: VecDeque<Emptying>,
    forgetting: VecDeque<Forgetting>,
}

impl Upkeep {
    /// Nothing to be made up for.
    pub(crate) fn since(now: model::Millis, spaces: &Spaces, is_off: bool) -> Self {
        let sweeps = spaces.limits.apps().into_iter().map(|app| Sweep::new(spaces, app)).collect();
        // What was swept before the last stop is not known any more.
        Self { day: now.seconds().0 / DAY_SECONDS, has_swept: true, is_off, sweeps, ..Self::default() }
    }
}

/// How long before a day begins its buckets are made, in seconds.
const MADE_AHEAD_SECONDS: u32 = 1800;

/// How long the writer erases before it looks what else there is to do.
const STEPS_TIME: Duration = Duration::from_millis(20);

/// Whether the writer goes on.
enum Next {
    Go,
    End,
}

/// A batch on its way to the disk.
struct Batch {
    writes: fjall::OwnedWriteBatch,
    entries: Vec<Arc<Entry>>,
    /// The bucket of each of them.
    days: Vec<u16>,
    /// That of the last one: most often also that of the next.
    bucket: Option<Arc<Bucket>>,
    staged: HashMap<Conversation, Staged>,
    records: HashSet<RecordKey>,
    waiting: Vec<Waiting>,
}

impl Committer {
    /// Runs until it is told to end or everybody who could ask is gone.
    pub(crate) fn run(mut self, mut rounds: mpsc::UnboundedReceiver<Vec<Request>>) {
        while let Some(mut arrived) = rounds.blocking_recv() {
            while arrived.len() < BATCH_MAX
                && let Ok(more) = rounds.try_recv()
            {
                arrived.extend(more);
            }
            match self.serve(arrived) {
                Ok(Next::Go) => {}
                Ok(Next::End) => return,
                Err(error) => {
                    (self.fatal)(&format!("the store failed and ends the process: {error}"));
                    return;
                }
            }
        }
    }

    fn serve(&mut self, arrived: Vec<Request>) -> Result<Next, Fault> {
        let mut batch = self.new_batch();
        for request in arrived {
            match request {
                Request::Append(draft, answer) => self.append(&mut batch, draft, answer)?,
                Request::Apply(app, transaction, answer) => {
                    self.transact(&mut batch, app, &transaction, answer)?;
                }
                Request::Shorten(app, keep_seconds, answer) => {
                    self.tick(&mut batch)?;
                    let until = Cursor(self.next_cursor.0 - 1);
                    self.spaces.limits.add(&self.spaces.meta, app, until, keep_seconds)?;
                    self.spaces
                        .database
                        .persist(PersistMode::SyncData)
                        .map_err(|error| crate::codec::fault(&error))?;
                    self.upkeep.sweeps.push(Sweep::new(&self.spaces, app));
                    answer.answer(Ok(()));
                }
                Request::Erase(account, name, answer) => {
                    self.tick(&mut batch)?;
                    let erasure = Erasure::new(&self.spaces, account, name, answer);
                    self.upkeep.erasures.push_back(erasure);
                }
                Request::Empty(conversation, up_to, answer) => {
                    self.tick(&mut batch)?;
                    let emptying = Emptying::new(&self.spaces, conversation, up_to, answer);
                    self.upkeep.emptyings.push_back(emptying);
                }
                Request::Forget(app, answer) => {
                    self.tick(&mut batch)?;
                    self.upkeep.forgetting.push_back(Forgetting::new(&self.spaces, app, answer));
                }
                Request::Tick => self.tick(&mut batch)?,
                Request::KeepUp(answer) => {
                    self.tick(&mut batch)?;
                    answer.answer(Ok(()));
                }
                Request::End => {
                    self.commit(&mut batch)?;
                    return Ok(Next::End);
                }
                Request::Close(answer) => {
                    self.commit(&mut batch)?;
                    self.write_derived()?;
                    let flushed = crate::behind::flush_all(&self.spaces);
                    drop(self.settled.send(Settled::Closed(answer, flushed)));
                    return Ok(Next::End);
                }
            }
        }
        self.commit(&mut batch)?;
        if self.state.read().unwritten >= UNWRITTEN_MAX {
            self.write_derived()?;
        }
        Ok(Next::Go)
    }

    fn new_batch(&self) -> Batch {
        Batch {
            writes: self.spaces.database.batch(),
            entries: Vec::new(),
            days: Vec::new(),
            bucket: None,
            staged: HashMap::new(),
            records: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    fn append(
        &mut self,
        batch: &mut Batch,
        draft: Stamped<Draft>,
        answer: Asker<Appended>,
    ) -> Result<(), Fault> {
        if !self.room.has_space() {
            answer.answer(Err(Fault::Full));
            return Ok(());
        }
        let now = self.clock.now().seconds();
        let mut stage = Stage {
            spaces: &self.spaces,
            state: &self.state,
            staged: &mut batch.staged,
            next_cursor: self.next_cursor,
            now,
        };
        let day = match day_of(draft.stamp().expiry, now) {
            Ok(day) => day,
            Err(fault) => {
                answer.answer(Err(fault));
                return Ok(());
            }
        };
        let (appended, entry) = stage.decide(draft)?;
        if let Some(entry) = entry {
            let bucket = match batch.bucket.take().filter(|bucket| bucket.day == day) {
                Some(bucket) => bucket,
                None => {
                    self.upkeep.ahead.insert(u32::from(day) - now.0 / DAY_SECONDS);
                    self.spaces.buckets.make(day)?
                }
            };
            let bytes = crate::codec::encode(entry.as_ref())?;
            bucket.holds(entry.cursor);
            batch.writes.insert(&bucket.log, entry.cursor.0.to_be_bytes(), bytes);
            self.next_cursor = Cursor(entry.cursor.0 + 1);
            batch.entries.push(entry);
            batch.days.push(day);
            batch.bucket = Some(bucket);
        }
        batch.waiting.push(Waiting::Append(answer, appended));
        Ok(())
    }

    fn transact(
        &mut self,
        batch: &mut Batch,
        app: SdkAppId,
        transaction: &Transaction,
        answer: Asker<()>,
    ) -> Result<(), Fault> {
        if transaction.adds_data() && !self.room.has_space() {
            answer.answer(Err(Fault::Full));
            return Ok(());
        }
        let touched = crate::records::keys_of(app, transaction);
        if touched.iter().any(|key| batch.records.contains(key)) {
            // It may depend on what this batch writes: that has to be readable first.
            self.commit(batch)?;
        }
        let version = self.next_version;
        match record_changes(&self.spaces, app, transaction, version, self.clock.now()) {
            Ok(changes) => {
                self.next_version += 1;
                self.upkeep.has_swept |= changes.leaves_former;
                changes.add_to(&mut batch.writes, &self.spaces);
                batch.records.extend(touched);
                batch.waiting.push(Waiting::Apply(answer));
            }
            Err(Fault::Conflict) => answer.answer(Err(Fault::Conflict)),
            Err(fault @ (Fault::Full | Fault::Corrupt(_) | Fault::Unavailable(_))) => {
                answer.answer(Err(fault));
            }
        }
        Ok(())
    }

    /// Makes a batch durable, then visible, then answers.
    fn commit(&mut self, batch: &mut Batch) -> Result<(), Fault> {
        let batch = std::mem::replace(batch, self.new_batch());
        let failed = |error: fjall::Error| Fault::Unavailable(error.to_string());
        if !batch.writes.is_empty() {
            batch.writes.commit().map_err(failed)?;
            self.spaces.database.persist(PersistMode::SyncData).map_err(failed)?;
        }
        if !batch.entries.is_empty() {
            let mut state = self.state.write();
            for (entry, day) in batch.entries.iter().zip(&batch.days) {
                state.apply(&self.spaces, *day, entry)?;
            }
        }
        if !batch.waiting.is_empty() {
            let Batch { waiting, entries, .. } = batch;
            // Without a receiver nobody waits any more either.
            drop(self.settled.send(Settled::Batch { waiting, entries }));
        }
        Ok(())
    }

    fn tick(&mut self, batch: &mut Batch) -> Result<(), Fault> {
        self.commit(batch)?;
        self.write_derived()?;
        self.keep_up()
    }

    /// Removes what has expired, and makes the buckets that the next day will need.
    fn keep_up(&mut self) -> Result<(), Fault> {
        if self.upkeep.is_off {
            return Ok(());
        }
        let now = self.clock.now();
        let seconds = now.seconds();
        let day = seconds.0 / DAY_SECONDS;
        let mut has_removed = crate::expiry::drop_buckets(&self.spaces, &self.state, now)?;
        self.upkeep.has_swept |= crate::expiry::sweep_records(&self.spaces, now)? > 0;
        if std::mem::replace(&mut self.upkeep.day, day) < day {
            if std::mem::take(&mut self.upkeep.has_swept) {
                crate::expiry::count_removal(&self.spaces)?;
                has_removed = true;
            }
            crate::expiry::begin_day(&self.spaces, now)?;
            self.spaces.limits.prune(&self.spaces.meta, self.spaces.buckets.oldest()?)?;
            crate::erase::prune(&self.spaces, seconds)?;
            let apps = self.spaces.limits.apps().into_iter();
            self.upkeep.sweeps = apps.map(|app| Sweep::new(&self.spaces, app)).collect();
        }
        if let Some(sweep) = self.upkeep.sweeps.last_mut()
            && sweep.step(&self.spaces, now)?
        {
            let removed = sweep.removed;
            self.upkeep.sweeps.pop();
            if removed > 0 {
                tracing::info!(removed, "messages of an app with a shortened retention were removed");
                crate::expiry::count_scattered_removal(&self.spaces)?;
                has_removed = true;
            }
        }
        has_removed |= self.go_on_erasing()?;
        has_removed |= self.go_on_emptying()?;
        has_removed |= self.go_on_forgetting()?;
        if has_removed {
            // Without anybody who purges the store is about to end.
            let _ = self.purge.send(());
        }
        let soon = seconds.plus(MADE_AHEAD_SECONDS);
        if soon.0 / DAY_SECONDS > day {
            for ahead in &self.upkeep.ahead {
                let end = Expiry::At(soon.plus(ahead.saturating_sub(1) * DAY_SECONDS));
                self.spaces.buckets.make(day_of(end, soon)?)?;
            }
        }
        Ok(())
    }

    /// Goes on with erasures in turn, for a while; whether one came to its end.
    fn go_on_erasing(&mut self) -> Result<bool, Fault> {
        let (spaces, state) = (&self.spaces, &self.state);
        let finished = in_turn(&mut self.upkeep.erasures, |erasure| erasure.step(spaces, state))?;
        if finished.is_empty() {
            return Ok(false);
        }
        self.write_derived()?;
        // Syncs what was written before, too.
        crate::expiry::count_scattered_removal(&self.spaces)?;
        let (accounts, messages) = (finished.len(), finished.into_iter().map(Erasure::finish).sum::<u64>());
        tracing::info!(accounts, messages, "what accounts wrote was erased");
        Ok(true)
    }

    /// Goes on with emptying conversations in turn, for a while; whether one came to its end.
    fn go_on_emptying(&mut self) -> Result<bool, Fault> {
        let spaces = &self.spaces;
        let finished = in_turn(&mut self.upkeep.emptyings, |emptying| emptying.step(spaces))?;
        if finished.is_empty() {
            return Ok(false);
        }
        crate::expiry::count_scattered_removal(&self.spaces)?;
        let (count, messages) = (finished.len(), finished.into_iter().map(Emptying::finish).sum::<u64>());
        tracing::info!(conversations = count, messages, "histories of conversations were erased");
        Ok(true)
    }

    /// Goes on with removing an app; whether it was the last step of it.
    fn go_on_forgetting(&mut self) -> Result<bool, Fault> {
        let Some(forgetting) = self.upkeep.forgetting.front_mut() else { return Ok(false) };
        if !forgetting.step(&self.spaces)? {
            return Ok(false);
        }
        let app = forgetting.app;
        self.state.write().heads.retain(|conversation, _| conversation.app != app);
        crate::expiry::count_scattered_removal(&self.spaces)?;
        let messages = self.upkeep.forgetting.pop_front().map_or(0, Forgetting::finish);
        tracing::info!(messages, "everything of an app was removed");
        Ok(true)
    }

    fn write_derived(&self) -> Result<(), Fault> {
        crate::behind::write(&self.spaces, &self.state)
    }
}

/// Goes on with works in turn until some time is spent, so that a long one holds up no short ones; those that came to their
/// end.
fn in_turn<T>(
    works: &mut VecDeque<T>,
    mut step: impl FnMut(&mut T) -> Result<bool, Fault>,
) -> Result<Vec<T>, Fault> {
    let (began, mut finished) = (Instant::now(), Vec::new());
    while began.elapsed() < STEPS_TIME
        && let Some(mut work) = works.pop_front()
    {
        if step(&mut work)? { finished.push(work) } else { works.push_back(work) }
    }
    Ok(finished)
}
