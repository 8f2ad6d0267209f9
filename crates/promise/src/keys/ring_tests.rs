//! The keyring: what it opens, what it does not open any more, and what that costs.

use std::collections::HashSet;
use std::future::Future;
use std::task::{Context, Poll, Waker};

use ports::Answer;
use ports::vault::{Kept, Note};

use super::*;

const APP: SdkAppId = SdkAppId(1_400_000_001);
const OTHER_APP: SdkAppId = SdkAppId(1_400_000_002);
const ALICE: AccountNumber = AccountNumber(AccountNumber::BASE + 1);
const BOB: AccountNumber = AccountNumber(AccountNumber::BASE + 2);
const TODAY: u32 = 20_000;
const SEALED_AT: Seconds = Seconds((TODAY - 7) * DAY_SECONDS);

struct Dice;

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(42);
    }
}

/// The state, its generation, the next number, and notes.
type Held = (Option<Zeroizing<Vec<u8>>>, u64, u64, Vec<Note>);

#[derive(Default)]
struct Memory(Mutex<Held>);

impl Vault for Memory {
    fn load(&self) -> Answer<'_, Option<Kept>> {
        let inner = self.0.lock();
        let kept = inner.0.clone().map(|state| Kept { generation: Generation(inner.1), state });
        Box::pin(async { Ok(kept) })
    }

    fn replace(&self, state: Zeroizing<Vec<u8>>) -> Answer<'_, Generation> {
        let mut inner = self.0.lock();
        inner.0 = Some(state);
        inner.1 += 1;
        let generation = Generation(inner.1);
        Box::pin(async move { Ok(generation) })
    }

    fn destruction(&self) -> String {
        String::new()
    }

    fn note(&self, notes: Vec<Note>) -> Answer<'_, ()> {
        self.0.lock().3.extend(notes);
        Box::pin(async { Ok(()) })
    }

    fn notes(&self) -> Answer<'_, Vec<Note>> {
        let notes = self.0.lock().3.clone();
        Box::pin(async { Ok(notes) })
    }

    fn forget_notes(&self, gone: Vec<Note>) -> Answer<'_, ()> {
        self.0.lock().3.retain(|note| !gone.contains(note));
        Box::pin(async { Ok(()) })
    }

    fn reserve(&self, count: u64) -> Answer<'_, u64> {
        let mut inner = self.0.lock();
        inner.2 += count;
        let first = inner.2 - count;
        Box::pin(async move { Ok(first) })
    }
}

/// None of these futures waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

const ID: [u8; 16] = [6; 16];

fn open(vault: &Arc<Memory>, may_be_new: bool) -> Result<Keyring, Fault> {
    let generation = (!may_be_new).then_some(Generation(1));
    now(Keyring::open(vault.clone(), &Dice, Expected { id: ID, generation, next_index: 0 }))
}

fn content(text: &str) -> Content {
    Content { body: text.to_owned().into(), cloud_custom_data: "custom".into(), offline_push_info: None }
}

fn between() -> ConversationId {
    ConversationId::between(ALICE, BOB)
}

fn on_day(day: u32) -> Expiry {
    Expiry::At(Seconds(day * DAY_SECONDS - 7))
}

fn seal(ring: &Keyring, author: AccountNumber, day: u32, text: &str) -> Sealed {
    ring.seal(Place::message(APP, between(), author), SEALED_AT, on_day(day), &content(text)).unwrap()
}

#[test]
fn content_is_opened_in_its_own_place_only() {
    let ring = open(&Arc::default(), true).unwrap();
    let sealed = seal(&ring, ALICE, TODAY, "hello");
    assert_eq!(sealed.bucket, u16::try_from(TODAY).unwrap());
    assert!(!sealed.bytes.windows(5).any(|window| window == b"hello"));
    assert_eq!(ring.open_content(Place::message(APP, between(), ALICE), &sealed), Some(content("hello")));
    let other = ConversationId::between(ALICE, ALICE);
    assert_eq!(ring.open_content(Place::message(OTHER_APP, between(), ALICE), &sealed), None);
    assert_eq!(ring.open_content(Place::message(APP, other, ALICE), &sealed), None);
    assert_eq!(ring.open_content(Place::message(APP, between(), BOB), &sealed), None);
    let moved = Sealed { bucket: sealed.bucket + 1, ..sealed.clone() };
    assert_eq!(ring.open_content(Place::message(APP, between(), ALICE), &moved), None);
    let renamed = Sealed { index: sealed.index + 1, ..sealed.clone() };
    assert_eq!(ring.open_content(Place::message(APP, between(), ALICE), &renamed), None);
    for at in 0..sealed.bytes.len() {
        let mut bytes = sealed.bytes.to_vec();
        bytes[at] ^= 1;
        let changed = Sealed { bytes: bytes.into(), ..sealed.clone() };
        assert_eq!(ring.open_content(Place::message(APP, between(), ALICE), &changed), None, "byte {at}");
    }
    let later = Sealed { sealed_at: sealed.sealed_at.plus(1), ..sealed.clone() };
    assert_eq!(ring.open_content(Place::message(APP, between(), ALICE), &later), None);
    assert_eq!(ring.open_content(Place::profile(APP, ALICE), &sealed), None);
    let emptied = Sealed { bytes: Bytes::new(), ..sealed };
    assert_eq!(ring.open_content(Place::message(APP, between(), ALICE), &emptied), None);
}

#[test]
fn every_destruction_takes_what_it_names_and_nothing_else() {
    let other_app = |ring: &Keyring| {
        let place = Place::message(OTHER_APP, between(), ALICE);
        ring.seal(place, SEALED_AT, on_day(TODAY), &content("a")).unwrap()
    };
    /// What it is called, what is destroyed, and which of five can be opened afterwards.
    type Case = (&'static str, fn(&Sealed) -> Destroyed, [bool; 5]);
    let cases: [Case; 5] = [
        (
            "one",
            |one| Destroyed::Content { bucket: one.bucket, index: one.index },
            [false, true, true, true, true],
        ),
        ("a day", |one| Destroyed::Before(one.bucket + 1), [false, false, true, false, false]),
        ("an author", |_| Destroyed::Author(APP, ALICE), [false, false, false, true, true]),
        ("another author", |_| Destroyed::Author(APP, BOB), [true, true, true, false, true]),
        ("an app", |_| Destroyed::App(APP), [false, false, false, false, true]),
    ];
    for (what, destroyed, expected) in cases {
        let vault = Arc::default();
        let ring = open(&vault, true).unwrap();
        let sealed = [
            (APP, ALICE, seal(&ring, ALICE, TODAY, "a")),
            (APP, ALICE, seal(&ring, ALICE, TODAY, "b")),
            (APP, ALICE, seal(&ring, ALICE, TODAY + 1, "c")),
            (APP, BOB, seal(&ring, BOB, TODAY, "d")),
            (OTHER_APP, ALICE, other_app(&ring)),
        ];
        let generation = ring.generation();
        assert!(now(ring.destroy(&[destroyed(&sealed[0].2)])).unwrap() > generation);
        drop(ring);
        for ring in [open(&vault, false).unwrap(), open(&vault, true).unwrap()] {
            for ((app, author, sealed), expected) in sealed.iter().zip(expected) {
                let opened = ring.open_content(Place::message(*app, between(), *author), sealed);
                assert_eq!(opened.is_some(), expected, "{what}: {author} {}", sealed.index);
            }
        }
    }
}

#[test]
fn what_was_sealed_before_a_second_dies_for_one_app_and_class_only() {
    let vault = Arc::default();
    let ring = open(&vault, true).unwrap();
    let message = |app| Place::message(app, between(), ALICE);
    let places = [message(APP), message(OTHER_APP), Place::profile(APP, ALICE)];
    let mut sealed = Vec::new();
    for place in places {
        for second in [0, 1, 2, 3_000_000] {
            let at = SEALED_AT.plus(second);
            sealed.push((place, ring.seal(place, at, on_day(TODAY), &content("text")).unwrap()));
        }
    }
    for (before, left) in [(0, 4), (2, 2), (1, 2), (3, 1), (3_000_000, 1), (3_000_001, 0)] {
        let destroyed = Destroyed::SealedBefore(APP, DataClass::MESSAGE, SEALED_AT.plus(before));
        now(ring.destroy(&[destroyed])).unwrap();
        let can_open = |place: Place| {
            let mine = sealed.iter().filter(|(other, _)| *other == place);
            mine.filter(|(place, sealed)| ring.open_content(*place, sealed).is_some()).count()
        };
        assert_eq!(places.map(can_open), [left, 4, 4], "before {before}");
        assert!(ring.seeds() <= 3 + 32 + 8 + 32);
    }
}

#[test]
fn the_running_keyring_forgets_with_the_kept_one_and_refuses_to_seal_what_is_gone() {
    let ring = open(&Arc::default(), true).unwrap();
    let sealed = seal(&ring, ALICE, TODAY, "a");
    assert!(ring.open_content(Place::message(APP, between(), ALICE), &sealed).is_some());
    now(ring.destroy(&[Destroyed::Author(APP, ALICE)])).unwrap();
    assert!(ring.open_content(Place::message(APP, between(), ALICE), &sealed).is_none());
    let again = ring.seal(Place::message(APP, between(), ALICE), SEALED_AT, on_day(TODAY), &content("a"));
    assert!(matches!(again, Err(Fault::Unavailable(_))));
}

#[test]
fn an_index_is_used_once_over_all_starts() {
    let vault = Arc::default();
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let ring = open(&vault, seen.is_empty()).unwrap();
        for _ in 0..50 {
            assert!(seen.insert(seal(&ring, ALICE, TODAY, "same").index));
        }
    }
}

#[test]
fn a_keyring_that_is_missing_is_not_made_anew_and_a_damaged_one_is_not_used() {
    assert!(matches!(open(&Arc::default(), false), Err(Fault::Unavailable(_))));
    let vault = Arc::<Memory>::default();
    let ring = open(&vault, true).unwrap();
    now(ring.destroy(&[Destroyed::Author(APP, ALICE)])).unwrap();
    let id = ring.id();
    assert_eq!(open(&vault, false).unwrap().id(), id);
    let good = vault.0.lock().0.clone().unwrap();
    for cut in [0, 1, 17, good.len() - 1] {
        vault.0.lock().0 = Some(Zeroizing::new(good[..cut].to_vec()));
        assert!(matches!(open(&vault, false), Err(Fault::Corrupt(_))), "cut at {cut}");
    }
}

#[test]
fn an_older_keyring_and_that_of_other_data_are_refused() {
    let vault = Arc::<Memory>::default();
    let ring = open(&vault, true).unwrap();
    let old = vault.0.lock().0.clone();
    let next_index = ring.next_index();
    let generation = Some(now(ring.destroy(&[Destroyed::Author(APP, ALICE)])).unwrap());
    let expected = Expected { id: ID, generation, next_index };
    let open = |expected| now(Keyring::open(vault.clone(), &Dice, expected));
    assert!(open(expected).is_ok());
    assert!(matches!(open(Expected { id: [7; 16], ..expected }), Err(Fault::Unavailable(_))));
    *vault.0.lock() = (old, 1, 0, Vec::new());
    assert!(matches!(open(expected), Err(Fault::Unavailable(_))));
    // Numbers that went back are not used again.
    vault.0.lock().1 = 9;
    let ring = open(expected).unwrap();
    assert!(ring.next_index() >= next_index + INDEXES_AT_ONCE);
    let full = Expected { next_index: 1 << INDEX_BITS, ..expected };
    assert!(matches!(open(full), Err(Fault::Unavailable(_))));
}

#[test]
fn the_state_grows_with_what_was_destroyed_and_not_with_what_was_sealed() {
    let ring = open(&Arc::default(), true).unwrap();
    let sealed: Vec<Sealed> =
        (0..2000).map(|number| seal(&ring, AccountNumber(number), TODAY, "text")).collect();
    assert_eq!(ring.seeds(), 3);
    let destroyed: Vec<Destroyed> = sealed
        .iter()
        .step_by(20)
        .map(|sealed| Destroyed::Content { bucket: sealed.bucket, index: sealed.index })
        .collect();
    now(ring.destroy(&destroyed)).unwrap();
    let per_recall = (ring.seeds() - 3) / destroyed.len();
    assert!(per_recall < 16, "{per_recall} seeds a recall");
    // The day takes them all with it.
    now(ring.destroy(&[Destroyed::Before(sealed[0].bucket + 1)])).unwrap();
    assert!(ring.seeds() <= 19);
}

#[test]
fn what_is_doomed_is_known_to_whoever_opens_the_keyring_until_it_is_destroyed() {
    let vault = Arc::default();
    let ring = open(&vault, true).unwrap();
    let sealed = seal(&ring, ALICE, TODAY, "a");
    let content = Destroyed::Content { bucket: sealed.bucket, index: sealed.index };
    let all = [content, Destroyed::Author(APP, BOB), Destroyed::App(OTHER_APP)];
    now(ring.doom(&all)).unwrap();
    now(ring.doom(&[Destroyed::Before(3)])).unwrap();
    drop(ring);
    let ring = open(&vault, false).unwrap();
    assert_eq!(now(ring.doomed()).unwrap(), all);
    now(ring.destroy(&all[..1])).unwrap();
    assert_eq!(now(ring.doomed()).unwrap(), all[1..], "what a change left out is still to come");
    assert!(ring.holds_app(OTHER_APP));
    now(ring.destroy(&all)).unwrap();
    assert!(now(ring.doomed()).unwrap().is_empty() && !ring.holds_app(OTHER_APP) && ring.holds_app(APP));
    assert!(vault.0.lock().3.is_empty());
}
