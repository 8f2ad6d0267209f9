//! The behaviour that every adapter shows. An adapter's test calls [`run`] with a way to make its stores.
#![expect(clippy::panic, reason = "a case that fails ends the test")]

mod blobs;
mod bus;
mod ending;
mod ephemeral;
mod modify;
mod period;
mod records;
mod segments;
mod timeline;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{
    AccountNumber, ConversationId, DataClass, Expiry, Message, MessageKey, Millis, SdkAppId, Sealed, Seconds,
    Stamp, Subject, UserId,
};

use crate::timeline::RetryKey;
use crate::{Appended, Blobs, Bus, Clock, Draft, Ephemeral, Event, Records, Segments, Stamped, Timeline};

/// A clock that stands until a case moves it.
#[derive(Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows this second.
    #[must_use]
    pub fn at(seconds: u32) -> Self {
        Self(AtomicU64::new(u64::from(seconds) * 1000))
    }

    /// Moves the clock, in either direction.
    pub fn set(&self, seconds: u32) {
        self.0.store(u64::from(seconds) * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    fn elapsed_micros(&self) -> u64 {
        self.now().0 * 1000
    }

    fn sleep(&self, _: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// The stores under test.
pub struct Stores {
    /// Records.
    pub records: Arc<dyn Records>,
    /// Timeline.
    pub timeline: Arc<dyn Timeline>,
    /// Bus.
    pub bus: Arc<dyn Bus>,
    /// Ephemeral.
    pub ephemeral: Arc<dyn Ephemeral>,
    /// Segments.
    pub segments: Arc<dyn Segments>,
    /// Blobs.
    pub blobs: Arc<dyn Blobs>,
}

/// How a suite gets stores.
pub trait Subjects {
    /// Empty stores with this clock.
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores;

    /// The stores of the last call of [`Self::fresh`], after the process that had them was killed. All of the
    /// former handles are gone when this is called.
    fn after_crash(&mut self, clock: Arc<ManualClock>) -> Stores;
}

/// The moment at which every case begins.
pub const NOW: u32 = 1_795_298_242;

/// One case at work: stores, clock, and short words for what cases do.
pub struct Case {
    /// The stores.
    pub stores: Stores,
    /// Their clock.
    pub clock: Arc<ManualClock>,
}

/// The app that cases use, and another one.
pub const APP: SdkAppId = SdkAppId(1_400_000_001);
/// Another app.
pub const OTHER_APP: SdkAppId = SdkAppId(1_400_000_002);
/// Two accounts.
pub const ALICE: AccountNumber = AccountNumber(AccountNumber::BASE + 1);
/// The other one.
pub const BOB: AccountNumber = AccountNumber(AccountNumber::BASE + 2);
/// A third.
pub const CAROL: AccountNumber = AccountNumber(AccountNumber::BASE + 3);

/// A name for an account number.
///
/// # Panics
/// Never: the number makes a valid name.
#[must_use]
pub fn name(account: AccountNumber) -> UserId {
    UserId::new(&format!("u{}", account.0)).unwrap_or_else(|_| unreachable!("a short printable name"))
}

/// A message of `author` with these numbers.
#[must_use]
pub fn message(author: AccountNumber, to: AccountNumber, number: u32) -> Message<Sealed> {
    Message {
        from: name(author),
        to: name(to),
        author,
        sequence: number,
        random: number.wrapping_mul(7),
        client_time: Seconds(NOW),
        content: Sealed {
            bucket: 1,
            index: number.into(),
            sealed_at: Seconds(NOW),
            bytes: format!("sealed {number}").into(),
        },
        flags: model::message::MessageFlags::default(),
        modification: None,
    }
}

impl Case {
    fn new(subjects: &mut dyn Subjects) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        Self { stores: subjects.fresh(Arc::clone(&clock)), clock }
    }

    fn crash(self, subjects: &mut dyn Subjects) -> Self {
        let Self { stores, clock } = self;
        drop(stores);
        Self { stores: subjects.after_crash(Arc::clone(&clock)), clock }
    }

    /// A stamp for messages of `author`.
    #[must_use]
    pub fn stamp(&self, app: SdkAppId, author: AccountNumber) -> Stamp {
        let expiry = Expiry::At(self.clock.now().seconds().plus(7 * 86_400));
        Stamp { app, class: DataClass::MESSAGE, subject: Subject::Account(author), expiry }
    }

    /// Appends an event between two accounts.
    pub async fn append(&self, by: AccountNumber, to: AccountNumber, event: Event) -> Appended {
        self.append_as(APP, by, to, event, None, None).await
    }

    /// Sends message `number`, recognised by its number when sent again.
    pub async fn send(&self, by: AccountNumber, to: AccountNumber, number: u32) -> Appended {
        let event = Event::Message(message(by, to, number));
        let retry = Some(RetryKey((u128::from(number) << 96 | u128::from(by.0)).to_be_bytes()));
        self.append_as(APP, by, to, event, retry, None).await
    }

    /// Appends with everything given.
    ///
    /// # Panics
    /// If the store does not take it.
    pub async fn append_as(
        &self,
        app: SdkAppId,
        by: AccountNumber,
        to: AccountNumber,
        event: Event,
        retry: Option<RetryKey>,
        sent_at: Option<Seconds>,
    ) -> Appended {
        let draft =
            Draft { conversation: ConversationId::between(by, to), event, sent_at, retry, origin: None };
        match self.stores.timeline.append(Stamped::new(self.stamp(app, by), draft)).await {
            Ok(appended) => appended,
            Err(fault) => panic!("append: {fault}"),
        }
    }

    fn key_of(&self, number: u32, time: Seconds) -> MessageKey {
        message(ALICE, BOB, number).key(time)
    }
}

/// The cases of one port: an adapter that has no others runs these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Records.
    Records,
    /// Timeline, with Bus: what is told is what was appended.
    Timeline,
    /// Ephemeral.
    Ephemeral,
    /// Segments.
    Segments,
    /// Blobs.
    Blobs,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Records, Self::Timeline, Self::Ephemeral, Self::Segments, Self::Blobs];
}

/// Runs every case and returns their names.
///
/// # Panics
/// If a case fails.
pub async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    let mut names = Vec::new();
    for part in Part::ALL {
        names.extend(run_part(part, subjects).await);
    }
    names
}

/// Runs the cases of one port and returns their names.
///
/// # Panics
/// If a case fails.
pub async fn run_part(part: Part, subjects: &mut dyn Subjects) -> Vec<&'static str> {
    match part {
        Part::Records => records::run(subjects).await,
        Part::Timeline => {
            let mut names = timeline::run(subjects).await;
            names.extend(modify::run(subjects).await);
            names.extend(ending::run(subjects).await);
            names.extend(period::run(subjects).await);
            names.extend(bus::run(subjects).await);
            names
        }
        Part::Ephemeral => ephemeral::run(subjects).await,
        Part::Segments => segments::run(subjects).await,
        Part::Blobs => blobs::run(subjects).await,
    }
}

/// What all of these come to, in their order; all of them are asked before any is waited for.
async fn all_together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut flying: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_done = true;
        for (future, landed) in flying.iter_mut().filter(|(_, landed)| landed.is_none()) {
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(output) => *landed = Some(output),
                std::task::Poll::Pending => is_done = false,
            }
        }
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    flying.into_iter().filter_map(|(_, landed)| landed).collect()
}

/// Unwraps what a port answered.
///
/// # Panics
/// If it was a fault.
#[track_caller]
fn ok<T>(answer: Result<T, crate::Fault>) -> T {
    match answer {
        Ok(value) => value,
        Err(fault) => panic!("{fault}"),
    }
}
