//! What a transaction locks, and what it writes.

use std::collections::BTreeMap;

use model::{Millis, SdkAppId};
use ports::records::{Condition, KEY_BYTES_MAX, RawRecord, VALUE_BYTES_MAX, WRITES_MAX, Write};
use ports::{Fault, Stamped, Transaction};

use crate::register::Register;
use crate::rows::{Entries, Former, NO_CLASS, Place, write_end, write_entries, write_subject};
use crate::text::Script;

/// The most records that a transaction looks at or changes.
const PLACES_MAX: usize = 2 * WRITES_MAX;

/// The most bytes of one record's keys in indexes.
const ENTRIES_BYTES_MAX: usize = 256 << 10;

/// Up to so many records that have to be there are locked one by one, which creates no place.
const SINGLES_MAX: usize = 8;

/// A transaction, by place.
#[derive(Default)]
pub(crate) struct Plan {
    places: BTreeMap<Place, Intent>,
}

/// What a transaction wants of a place.
#[derive(Default)]
struct Intent {
    is_absent: bool,
    versions: Vec<u64>,
    /// The last write counts.
    change: Option<Change>,
}

enum Change {
    Put(Stamped<RawRecord>),
    Remove,
    /// Removes what has expired, as the sweep does.
    RemoveExpired,
}

/// Places that are locked, with what is there.
pub(crate) type Formers = BTreeMap<Place, Former>;

impl Plan {
    /// Reads a transaction of the port.
    ///
    /// # Errors
    /// `Unavailable` if it is larger than a transaction may be.
    pub(crate) fn of(app: SdkAppId, transaction: Transaction) -> Result<Self, Fault> {
        if transaction.writes.len() > WRITES_MAX {
            return Err(Fault::Unavailable(format!("a transaction has at most {WRITES_MAX} writes")));
        }
        let mut plan = Self::default();
        let place = |kind: ports::Kind, key| Place { app: app.0, kind: kind.id, key };
        for condition in transaction.conditions {
            match condition {
                Condition::Absent(kind, key) => plan.at(place(kind, key)).is_absent = true,
                Condition::Version(kind, key, version) => {
                    plan.at(place(kind, key)).versions.push(version);
                }
            }
        }
        for write in transaction.writes {
            let (place, change) = match write {
                Write::Put(record) => {
                    check_size(record.value())?;
                    (place(record.value().kind, record.value().key.clone()), Change::Put(record))
                }
                Write::Remove(kind, key) => (place(kind, key), Change::Remove),
            };
            plan.at(place).change = Some(change);
        }
        if plan.places.len() > PLACES_MAX {
            return Err(Fault::Unavailable(format!("a transaction has at most {PLACES_MAX} records")));
        }
        Ok(plan)
    }

    /// Removes the records at these places that have expired.
    pub(crate) fn removing_expired(places: impl IntoIterator<Item = Place>) -> Self {
        let intent = |place| (place, Intent { change: Some(Change::RemoveExpired), ..Intent::default() });
        Self { places: places.into_iter().map(intent).collect() }
    }

    fn at(&mut self, place: Place) -> &mut Intent {
        self.places.entry(place).or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The messages that begin the transaction, lock every place in order, and read what is there.
    ///
    /// A place without a record is locked by putting a row there that is none: InnoDB locks no gaps at this isolation, and
    /// an insert of somebody else would slip in. Where there is a row already, this changes nothing and locks it.
    pub(crate) fn locking(&self) -> Vec<String> {
        let mut script = Script::default();
        script.say("START TRANSACTION");
        let is_there = |intent: &Intent| {
            !intent.versions.is_empty() || matches!(intent.change, Some(Change::RemoveExpired))
        };
        let is_sweep =
            self.places.values().all(|intent| matches!(intent.change, Some(Change::RemoveExpired)));
        if is_sweep || self.places.len() <= SINGLES_MAX && self.places.values().all(is_there) {
            for Place { app, kind, key } in self.places.keys() {
                script.statement(|statement| {
                    statement.say("SELECT ").say(Former::COLUMNS).say(" FROM records WHERE app=");
                    statement.number(*app).say(" AND kind=").number(*kind).say(" AND rkey=").bytes(key);
                    statement.say(" FOR UPDATE");
                });
            }
            return script.finish();
        }
        let head = "INSERT INTO records (app, kind, rkey, class, version, indexed, value) VALUES ";
        let tail = " ON DUPLICATE KEY UPDATE class = records.class";
        script.each(head, self.places.keys(), tail, |row, Place { app, kind, key }| {
            row.say("(").number(*app).say(",").number(*kind).say(",").bytes(key);
            row.say(",").number(NO_CLASS).say(",0,'','')");
        });
        // All rows are ours now: reading them takes no locks, whatever way the server finds them.
        let places: Vec<&Place> = self.places.keys().collect();
        for group in places.chunk_by(|one, next| (one.app, one.kind) == (next.app, next.kind)) {
            let Some(Place { app, kind, .. }) = group.first() else { continue };
            let columns = Former::COLUMNS;
            let head = format!(
                "SELECT {columns} FROM records FORCE INDEX (PRIMARY) WHERE app={app} AND kind={kind} AND rkey IN ("
            );
            script.each(&head, group, ")", |list, place| {
                list.bytes(&place.key);
            });
        }
        script.finish()
    }

    /// Whether all conditions hold.
    pub(crate) fn holds(&self, formers: &Formers, now: Millis) -> bool {
        self.places.iter().all(|(place, intent)| {
            let live = formers.get(place).and_then(|former| former.live(now));
            !(intent.is_absent && live.is_some())
                && intent.versions.iter().all(|version| live == Some(*version))
        })
    }

    /// Whether nothing is written.
    pub(crate) fn only_asks(&self) -> bool {
        self.places.values().all(|intent| intent.change.is_none())
    }

    /// The messages that write and commit, and how many records they remove.
    pub(crate) fn writing(
        &self,
        formers: &Formers,
        register: Option<&Register>,
        now: Millis,
    ) -> Result<(Vec<String>, usize), Fault> {
        let (mut script, mut puts, mut gone) = (Script::default(), Vec::new(), Vec::new());
        let (mut former_entries, mut new_entries, mut removed) = (Vec::new(), Vec::new(), 0);
        for (place, intent) in &self.places {
            let former = formers.get(place);
            let entries = former.map(|former| &former.entries);
            let is_gone = match &intent.change {
                Some(Change::Put(record)) => {
                    let new: Entries = record.value().indexes.iter().cloned().collect();
                    let is_in =
                        |entries: Option<&Entries>, entry| entries.is_some_and(|all| all.contains(entry));
                    new_entries.extend(
                        new.iter().filter(|entry| !is_in(entries, entry)).map(|entry| (place, entry.clone())),
                    );
                    former_entries.extend(
                        entries
                            .into_iter()
                            .flatten()
                            .filter(|entry| !new.contains(entry))
                            .map(|entry| (place, entry)),
                    );
                    puts.push((
                        place,
                        record,
                        former.map_or(0, |former| former.version),
                        write_entries(&new),
                    ));
                    false
                }
                Some(Change::Remove) => former.is_some(),
                Some(Change::RemoveExpired) => {
                    former.is_some_and(|former| former.is_record && former.expiry.is_over(now))
                }
                None => former.is_some_and(|former| !former.is_record),
            };
            if is_gone {
                removed += usize::from(former.is_some_and(|former| former.is_record));
                former_entries.extend(entries.into_iter().flatten().map(|entry| (place, entry)));
                gone.push(place);
            }
        }
        if let Some(register) = register {
            let apps = puts.iter().map(|(place, record, ..)| (place.app, record.value()));
            register.write(&mut script, apps, &gone)?;
        }
        write_puts(&mut script, &puts);
        write_removals(&mut script, &gone, &former_entries);
        write_new_entries(&mut script, &new_entries);
        if !puts.is_empty() {
            script.say("DELETE FROM numbers WHERE number = LAST_INSERT_ID()");
        }
        script.say("COMMIT");
        Ok((script.finish(), removed))
    }
}

/// A record to write: its place, itself, the version that was there, its entries as bytes.
type Put<'a> = (&'a Place, &'a Stamped<RawRecord>, u64, Vec<u8>);

/// Writes records under a number that no transaction had before: taken when all places are locked, so that it is larger than
/// those of earlier ones; a record that is removed and comes back never has a version that somebody remembers.
fn write_puts(script: &mut Script, puts: &[Put<'_>]) {
    if puts.is_empty() {
        return;
    }
    script.say("INSERT INTO numbers VALUES (NULL)");
    let head =
        "INSERT INTO records (app, kind, rkey, class, subject, expiry, version, indexed, value) VALUES ";
    let tail = " ON DUPLICATE KEY UPDATE class = VALUES(class), subject = VALUES(subject), expiry = VALUES(expiry), \
         version = VALUES(version), indexed = VALUES(indexed), value = VALUES(value)";
    script.each(head, puts, tail, |row, (place, record, version, entries)| {
        let stamp = record.stamp();
        row.say("(").number(place.app).say(",").number(place.kind).say(",").bytes(&place.key);
        row.say(",").number(stamp.class.code()).say(",").number_or_null(write_subject(stamp.subject));
        row.say(",").number_or_null(write_end(stamp.expiry));
        // Larger by itself, unless the numbers were restored from a copy that is older than the records.
        row.say(",GREATEST(").number(version.saturating_add(1)).say(",LAST_INSERT_ID()),");
        row.bytes(entries).say(",").bytes(&record.value().value).say(")");
    });
}

/// Removes row by row: a list might lead the server over rows that others hold.
fn write_removals(script: &mut Script, gone: &[&Place], entries: &[(&Place, &(u8, Vec<u8>))]) {
    for (Place { app, kind, key }, (number, entry)) in entries {
        script.statement(|statement| {
            statement.say("DELETE FROM entries WHERE app=").number(*app).say(" AND kind=").number(*kind);
            statement.say(" AND number=").number(*number).say(" AND ikey=").bytes(entry);
            statement.say(" AND rkey=").bytes(key);
        });
    }
    for Place { app, kind, key } in gone {
        script.statement(|statement| {
            statement.say("DELETE FROM records WHERE app=").number(*app).say(" AND kind=").number(*kind);
            statement.say(" AND rkey=").bytes(key);
        });
    }
}

fn write_new_entries(script: &mut Script, entries: &[(&Place, (u8, Vec<u8>))]) {
    let head = "INSERT INTO entries (app, kind, number, ikey, rkey) VALUES ";
    let tail = " ON DUPLICATE KEY UPDATE number = entries.number";
    script.each(head, entries, tail, |row, (Place { app, kind, key }, (number, entry))| {
        row.say("(").number(*app).say(",").number(*kind).say(",").number(*number);
        row.say(",").bytes(entry).say(",").bytes(key).say(")");
    });
}

fn check_size(raw: &RawRecord) -> Result<(), Fault> {
    let too_long =
        raw.key.len() > KEY_BYTES_MAX || raw.indexes.iter().any(|(_, key)| key.len() > KEY_BYTES_MAX);
    let entries: usize = raw.indexes.iter().map(|(_, key)| key.len() + 3).sum();
    if too_long || raw.value.len() > VALUE_BYTES_MAX || entries > ENTRIES_BYTES_MAX {
        return Err(Fault::Unavailable(format!("a {} is too large to store", raw.kind.name)));
    }
    Ok(())
}
