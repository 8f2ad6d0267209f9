//! What is known of accounts while they are searched: in memory alone, made at the first search of an app, dropped when nobody
//! searches any more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fulltext::{Phrase, Text};
use hashbrown::{HashMap, HashSet};
use model::profile::{FieldValue, NICK, Profile};
use model::{AccountNumber, SdkAppId, UserId};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::context::Context;

/// How long accounts of an app stay known after the last search, in microseconds.
const IDLE_MICROS_MAX: u64 = 600_000_000;

/// Accounts that changed since the last search at most; more of them are all read anew.
const CHANGED_MAX: usize = 20_000;

/// What an account takes besides its words, in bytes.
const PERSON_BYTES: usize = size_of::<Person>() + 48;

/// A gender as profiles name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gender {
    /// Not said.
    #[default]
    Unknown,
    /// Female.
    Female,
    /// Male.
    Male,
}

impl Gender {
    fn of(profile: &Profile) -> Self {
        match profile.text("Tag_Profile_IM_Gender") {
            "Gender_Type_Female" => Self::Female,
            "Gender_Type_Male" => Self::Male,
            _ => Self::Unknown,
        }
    }
}

/// An account as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    words: Text,
    gender: Gender,
    birthday: u32,
}

/// What somebody looks for in accounts.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Who looks.
    pub viewer: AccountNumber,
    /// What name or nickname holds.
    pub phrases: Vec<Phrase>,
    /// Whether they hold all of it; otherwise any.
    pub wants_all: bool,
    /// Which gender; `None`: any.
    pub gender: Option<Gender>,
    /// Not born before this day and not after that, as `yyyymmdd`; `None`: at any time.
    pub born: Option<(u32, u32)>,
    /// At most so many.
    pub count: usize,
    /// Only after this one, in the order of the answer.
    pub after: Option<AccountNumber>,
}

impl Person {
    pub(super) fn of(user: &UserId, profile: &Profile) -> Self {
        let mut words = Text::of(user.as_str());
        words.add(profile.text(NICK));
        let birthday = match profile.0.get("Tag_Profile_IM_BirthDay") {
            Some(FieldValue::Number(day)) => u32::try_from(*day).unwrap_or(0),
            _ => 0,
        };
        Self { words, gender: Gender::of(profile), birthday }
    }

    pub(super) fn is(&self, wanted: &Wanted) -> bool {
        let holds = |phrase: &Phrase| self.words.holds(phrase);
        let is_named = match wanted.wants_all {
            true => wanted.phrases.iter().all(holds),
            false => wanted.phrases.iter().any(holds),
        };
        let is_born = |(from, to)| self.birthday > 0 && (from..=to).contains(&self.birthday);
        is_named
            && wanted.gender.is_none_or(|gender| gender == self.gender)
            && wanted.born.is_none_or(is_born)
    }

    const fn bytes(&self) -> usize {
        PERSON_BYTES + self.words.bytes()
    }
}

#[derive(Default)]
struct Inner {
    people: BTreeMap<AccountNumber, Person>,
    changed: HashSet<AccountNumber>,
    /// Whether there was no room for all of them.
    is_partial: bool,
    bytes: usize,
    used_at: u64,
}

/// The accounts of an app.
pub(super) struct Known {
    inner: Mutex<Inner>,
    /// Whether all of them were read.
    pub(super) is_read: watch::Sender<bool>,
    /// The bytes of all apps.
    total: Arc<AtomicUsize>,
}

impl Drop for Known {
    fn drop(&mut self) {
        self.total.fetch_sub(self.inner.get_mut().bytes, Ordering::AcqRel);
    }
}

impl Known {
    /// The first accounts that are wanted, in the order of their numbers, after one if given.
    pub(super) fn search(
        &self,
        wanted: &Wanted,
        after: Option<AccountNumber>,
        max: usize,
    ) -> Vec<AccountNumber> {
        let inner = self.inner.lock();
        let from = after.map_or(0, |after| after.0.saturating_add(1));
        let people = inner.people.range(AccountNumber(from)..);
        people.filter(|(_, person)| person.is(wanted)).map(|(number, _)| *number).take(max).collect()
    }

    /// Whether all accounts are known.
    pub(super) fn is_complete(&self) -> bool {
        *self.is_read.borrow() && !self.inner.lock().is_partial
    }
}

/// The accounts of every app that is searched.
pub(crate) struct People {
    context: Context,
    bytes_max: usize,
    bytes: Arc<AtomicUsize>,
    apps: Mutex<HashMap<SdkAppId, Arc<Known>>>,
}

impl People {
    pub(crate) fn new(context: Context, bytes_max: usize) -> Self {
        Self { context, bytes_max, bytes: Arc::default(), apps: Mutex::default() }
    }

    /// Notes that an account was made, changed or deleted.
    pub(crate) fn changed(&self, app: SdkAppId, number: AccountNumber) {
        let Some(known) = self.apps.lock().get(&app).cloned() else { return };
        let mut inner = known.inner.lock();
        inner.changed.insert(number);
        if inner.changed.len() > CHANGED_MAX {
            drop(inner);
            self.forget_app(app);
        }
    }

    pub(crate) fn forget_app(&self, app: SdkAppId) {
        self.apps.lock().remove(&app);
    }

    /// Drops what nobody searched for a while.
    pub(super) fn drop_idle(&self) {
        let now = self.context.clock.elapsed_micros();
        let is_used = |known: &Known| now < known.inner.lock().used_at.saturating_add(IDLE_MICROS_MAX);
        self.apps.lock().retain(|_, known| is_used(known));
    }

    /// The accounts of an app, and whether they have to be read yet.
    pub(super) fn of_app(&self, app: SdkAppId) -> (Arc<Known>, bool) {
        let mut apps = self.apps.lock();
        let is_new = !apps.contains_key(&app);
        let fresh = || {
            let (is_read, total) = (watch::Sender::new(false), Arc::clone(&self.bytes));
            Arc::new(Known { inner: Mutex::default(), is_read, total })
        };
        let known = Arc::clone(apps.entry(app).or_insert_with(fresh));
        known.inner.lock().used_at = self.context.clock.elapsed_micros();
        (known, is_new)
    }

    /// Whether these are still the accounts of an app.
    pub(super) fn is_current(&self, app: SdkAppId, known: &Arc<Known>) -> bool {
        self.apps.lock().get(&app).is_some_and(|current| Arc::ptr_eq(current, known))
    }

    /// Those that changed since this was asked last.
    pub(super) fn take_changed(known: &Known) -> Vec<AccountNumber> {
        let mut changed: Vec<_> = known.inner.lock().changed.drain().collect();
        changed.sort_unstable();
        changed
    }

    /// Notes what an account was when it was read, unless more is known of it.
    pub(super) fn add(&self, known: &Known, number: AccountNumber, person: Person) {
        if !known.inner.lock().people.contains_key(&number) {
            self.set(known, number, Some(person));
        }
    }

    /// Notes what an account is now; `None` if it is no more.
    pub(super) fn set(&self, known: &Known, number: AccountNumber, person: Option<Person>) {
        let mut inner = known.inner.lock();
        let former = inner.people.remove(&number).map_or(0, |former| former.bytes());
        inner.bytes -= former;
        let all = self.bytes.fetch_sub(former, Ordering::AcqRel) - former;
        if let Some(person) = person {
            let bytes = person.bytes();
            if all + bytes > self.bytes_max {
                inner.is_partial = true;
            } else {
                inner.people.insert(number, person);
                inner.bytes += bytes;
                self.bytes.fetch_add(bytes, Ordering::AcqRel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(nick: &str, gender: &str, birthday: u64) -> Person {
        let mut profile = Profile::default();
        profile.0.insert(NICK.to_owned(), FieldValue::Text(nick.to_owned()));
        profile.0.insert("Tag_Profile_IM_Gender".to_owned(), FieldValue::Text(gender.to_owned()));
        profile.0.insert("Tag_Profile_IM_BirthDay".to_owned(), FieldValue::Number(birthday));
        Person::of(&UserId::new("user_7").unwrap(), &profile)
    }

    fn wanted(phrases: &[&str]) -> Wanted {
        Wanted {
            viewer: AccountNumber(1),
            phrases: phrases.iter().filter_map(|word| Phrase::of(word)).collect(),
            wants_all: false,
            gender: None,
            born: None,
            count: 10,
            after: None,
        }
    }

    #[test]
    fn accounts_are_found_by_words_gender_and_birthday() {
        let ming = person("小明 Ming", "Gender_Type_Male", 19_900_101);
        for (wanted, is_found) in [
            (wanted(&["小明"]), true),
            (wanted(&["MING"]), true),
            (wanted(&["user_7"]), true),
            (wanted(&["7"]), true),
            (wanted(&["min"]), false),
            (wanted(&["nobody", "明"]), true),
            (Wanted { wants_all: true, ..wanted(&["nobody", "明"]) }, false),
            (Wanted { wants_all: true, ..wanted(&["ming", "明"]) }, true),
            (Wanted { gender: Some(Gender::Male), ..wanted(&["明"]) }, true),
            (Wanted { gender: Some(Gender::Female), ..wanted(&["明"]) }, false),
            (Wanted { born: Some((19_900_101, 19_900_101)), ..wanted(&["明"]) }, true),
            (Wanted { born: Some((0, 19_891_231)), ..wanted(&["明"]) }, false),
        ] {
            assert_eq!(ming.is(&wanted), is_found, "{wanted:?}");
        }
        let unknown = person("x", "", 0);
        assert!(unknown.is(&Wanted { gender: Some(Gender::Unknown), ..wanted(&["x"]) }));
        assert!(!unknown.is(&Wanted { born: Some((0, u32::MAX)), ..wanted(&["x"]) }));
    }
}
