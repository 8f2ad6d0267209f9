//! Records as a map.

use std::collections::BTreeMap;

use model::{Millis, SdkAppId};
use ports::records::{Condition, Found, Range, RawRecord, Write};
use ports::{Fault, Stamped, Transaction};

type Key = (SdkAppId, u16, Vec<u8>);

/// Every record with its version.
#[derive(Clone, Default)]
pub(crate) struct RecordMap {
    records: BTreeMap<Key, (Stamped<RawRecord>, u64)>,
    version: u64,
}

impl RecordMap {
    pub(crate) fn get(&self, app: SdkAppId, kind: u16, key: &[u8], now: Millis) -> Option<Found> {
        let (record, version) = self.records.get(&(app, kind, key.to_vec()))?;
        (!record.stamp().expiry.is_over(now)).then(|| Found {
            key: key.to_vec(),
            value: record.value().value.clone(),
            stamp: *record.stamp(),
            version: *version,
        })
    }

    pub(crate) fn scan(&self, app: SdkAppId, range: &Range, now: Millis) -> Vec<Found> {
        let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for ((of, kind, key), (record, _)) in &self.records {
            if *of != app || *kind != range.kind.id {
                continue;
            }
            match range.index {
                None => entries.push((key.clone(), key.clone())),
                Some(index) => {
                    let found = record.value().indexes.iter().filter(|(number, _)| *number == index);
                    entries.extend(found.map(|(_, entry)| (entry.clone(), key.clone())));
                }
            }
        }
        entries.sort_by_key(|(entry, key)| [entry.as_slice(), key.as_slice()].concat());
        let after = range.after.as_ref().map(|(entry, key)| match range.index {
            None => [key.as_slice(), key.as_slice()].concat(),
            Some(_) => [entry.as_slice(), key.as_slice()].concat(),
        });
        entries
            .into_iter()
            .filter(|(entry, _)| entry.starts_with(&range.prefix))
            .filter(|(entry, key)| {
                after.as_ref().is_none_or(|after| [entry.as_slice(), key.as_slice()].concat() > *after)
            })
            .filter_map(|(_, key)| self.get(app, range.kind.id, &key, now))
            .take(range.limit)
            .collect()
    }

    pub(crate) fn apply(
        &mut self,
        app: SdkAppId,
        transaction: Transaction,
        now: Millis,
    ) -> Result<(), Fault> {
        for condition in &transaction.conditions {
            let holds = match condition {
                Condition::Absent(kind, key) => self.get(app, kind.id, key, now).is_none(),
                Condition::Version(kind, key, version) => {
                    self.get(app, kind.id, key, now).is_some_and(|found| found.version == *version)
                }
            };
            if !holds {
                return Err(Fault::Conflict);
            }
        }
        self.version += 1;
        for write in transaction.writes {
            match write {
                Write::Put(record) => {
                    let key = (app, record.value().kind.id, record.value().key.clone());
                    self.records.insert(key, (record, self.version));
                }
                Write::Remove(kind, key) => drop(self.records.remove(&(app, kind.id, key))),
            }
        }
        Ok(())
    }
}
