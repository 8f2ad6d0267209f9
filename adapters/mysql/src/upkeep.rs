//! Upkeep: what has expired is removed, and what is there is counted.

use std::collections::BTreeMap;

use model::{DataClass, Expiry, Seconds};
use ports::Fault;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::MySqlRecords;
use crate::failure::Failure;
use crate::plan::Plan;
use crate::rows::{NO_CLASS, Place, read_end};
use crate::text::Script;

/// How many expired records one transaction removes.
const SWEEP_RECORDS: usize = 500;

/// How many rows a count reads at once.
const PAGE_ROWS: u32 = 10_000;

/// How long after its end a record may still be there.
const GRACE_SECONDS: u32 = 3600;

/// What there is of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Records.
    pub items: u64,
    /// Records that have expired and wait for the sweep.
    pub expired: u64,
    /// Records that should have been gone for an hour; they are no longer among the expired.
    pub overdue: u64,
    /// The earliest end among all that have one.
    pub oldest: Option<Seconds>,
}

/// What an audit shows of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// By class.
    pub classes: BTreeMap<DataClass, Count>,
    /// Records of a class that the program does not know.
    pub unknown: u64,
}

impl MySqlRecords {
    /// Removes records that have expired, with their entries in indexes: those that ended first, at most about `limit`. How many;
    /// fewer than `limit` if there are no more. Several nodes may sweep at once.
    ///
    /// # Errors
    /// `Unavailable`; what was removed until then stays removed.
    pub async fn sweep(&self, limit: usize) -> Result<usize, Fault> {
        let mut removed = 0;
        while removed < limit {
            let count = SWEEP_RECORDS.min(limit - removed);
            let mut script = Script::default();
            script.statement(|statement| {
                statement.say("SELECT app, kind, rkey FROM records FORCE INDEX (due) WHERE expiry <= ");
                statement.number(self.now().seconds().0).say(" ORDER BY expiry LIMIT ");
                statement.number(u32::try_from(count).unwrap_or(u32::MAX));
            });
            let due = self.rows(&script.finish().concat()).await?;
            let places = due.iter().map(place).collect::<Result<Vec<_>, Failure>>()?;
            let (found, gone) = (places.len(), self.run(&Plan::removing_expired(places)).await?);
            removed += gone;
            // Somebody else sweeps the same.
            if found < count || gone == 0 {
                break;
            }
        }
        Ok(removed)
    }

    /// Counts all records by class, a page at a time: what is written meanwhile may be counted or not.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn census(&self) -> Result<Census, Fault> {
        let (mut census, mut after) = (Census::default(), None);
        loop {
            let rows = self.rows(&page(after.as_ref())).await?;
            let Some(last) = rows.last() else { return Ok(census) };
            after = Some(place(last)?);
            let now = self.now().seconds();
            for row in &rows {
                let (class, end) = standing(row)?;
                census.add(class, read_end(end), now);
            }
        }
    }
}

impl Census {
    fn add(&mut self, class: u8, expiry: Expiry, now: Seconds) {
        let Some(class) = DataClass::from_code(class) else {
            self.unknown += u64::from(class != NO_CLASS);
            return;
        };
        let count = self.classes.entry(class).or_default();
        count.items += 1;
        if let Expiry::At(end) = expiry {
            let is_overdue = end.plus(GRACE_SECONDS) <= now;
            count.overdue += u64::from(is_overdue);
            count.expired += u64::from(end <= now && !is_overdue);
            count.oldest = count.oldest.into_iter().chain([end]).min();
        }
    }
}

fn page(after: Option<&Place>) -> String {
    let mut script = Script::default();
    script.statement(|statement| {
        statement.say("SELECT app, kind, rkey, class, expiry FROM records FORCE INDEX (PRIMARY)");
        if let Some(Place { app, kind, key }) = after {
            statement.say(" WHERE app > ").number(*app).say(" OR (app = ").number(*app);
            statement.say(" AND (kind > ").number(*kind).say(" OR (kind = ").number(*kind);
            statement.say(" AND rkey > ").bytes(key).say(")))");
        }
        statement.say(" ORDER BY app, kind, rkey LIMIT ").number(PAGE_ROWS);
    });
    script.finish().concat()
}

fn standing(row: &MySqlRow) -> Result<(u8, Option<u32>), Failure> {
    Ok((row.try_get(3)?, row.try_get(4)?))
}

fn place(row: &MySqlRow) -> Result<Place, Failure> {
    Ok(Place { app: row.try_get(0)?, kind: row.try_get(1)?, key: row.try_get(2)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_by_class_and_by_how_long_they_are_over() {
        let (mut census, now) = (Census::default(), Seconds(10_000));
        let class = DataClass::Account;
        for end in [10_001, 10_000, 6_401, 6_400, 5] {
            census.add(class.code(), Expiry::At(Seconds(end)), now);
        }
        census.add(class.code(), Expiry::WithOwner, now);
        census.add(DataClass::Profile.code(), Expiry::WithOwner, now);
        census.add(200, Expiry::WithOwner, now);
        census.add(NO_CLASS, Expiry::WithOwner, now);
        let account = Count { items: 6, expired: 2, overdue: 2, oldest: Some(Seconds(5)) };
        let profile = Count { items: 1, ..Count::default() };
        assert_eq!(census.classes, [(class, account), (DataClass::Profile, profile)].into());
        assert_eq!(census.unknown, 1);
    }
}
