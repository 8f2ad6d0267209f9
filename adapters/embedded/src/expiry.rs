//! Removes what has expired: buckets as a whole, records one by one.

use fjall::PersistMode;
use model::time::DAY_SECONDS;
use model::{Millis, Seconds};
use parking_lot::RwLock;
use ports::Fault;

use crate::codec::fault;
use crate::spaces::{DAY_BEGAN, PURGED, REMOVED, SCATTERED, Spaces};
use crate::state::State;

/// Records removed in one batch.
const RECORDS_AT_ONCE: usize = 1000;

/// Drops the buckets that are over: from now on nothing of them is found. Whether there was one.
pub(crate) fn drop_buckets(spaces: &Spaces, state: &RwLock<State>, now: Millis) -> Result<bool, Fault> {
    let over = spaces.buckets.over(now.seconds());
    if over.is_empty() {
        return Ok(false);
    }
    // What is derived elsewhere from entries in them has to be written first: a start could not derive it any more.
    crate::behind::write(spaces, state)?;
    count_removal(spaces)?;
    for bucket in over {
        spaces.buckets.drop_one(&bucket)?;
        tracing::info!(day = bucket.day, "a bucket of expired data was dropped");
    }
    Ok(true)
}

/// Notes, before it happens, that files will hold what is no more.
pub(crate) fn count_removal(spaces: &Spaces) -> Result<(), Fault> {
    let removed = spaces.number(REMOVED)? + 1;
    let mut batch = spaces.database.batch();
    batch.insert(&spaces.meta, REMOVED, removed.to_be_bytes());
    batch.commit().map_err(|error| fault(&error))?;
    spaces.database.persist(PersistMode::SyncData).map_err(|error| fault(&error))
}

/// The same, for a removal that leaves former values in tables of buckets that go on.
pub(crate) fn count_scattered_removal(spaces: &Spaces) -> Result<(), Fault> {
    let mut batch = spaces.database.batch();
    add_scattered_removal(&mut batch, spaces)?;
    batch.commit().map_err(|error| fault(&error))?;
    spaces.database.persist(PersistMode::SyncData).map_err(|error| fault(&error))
}

/// The same, together with what is removed.
pub(crate) fn add_scattered_removal(
    batch: &mut fjall::OwnedWriteBatch,
    spaces: &Spaces,
) -> Result<(), Fault> {
    let removed = spaces.number(REMOVED)? + 1;
    batch.insert(&spaces.meta, REMOVED, removed.to_be_bytes());
    batch.insert(&spaces.meta, SCATTERED, removed.to_be_bytes());
    Ok(())
}

/// Whether there are records that expired before today.
pub(crate) fn has_records_before(spaces: &Spaces, now: Millis) -> Result<bool, Fault> {
    let Some(guard) = spaces.record_ends.first_key_value() else { return Ok(false) };
    let end = guard.key().map_err(|error| fault(&error))?;
    let day = |seconds: u32| seconds / DAY_SECONDS;
    Ok(end.first_chunk().is_some_and(|end| day(u32::from_be_bytes(*end)) < day(now.seconds().0)))
}

/// The beginning of today if nothing that ended or was removed before it is in any file; `None` if something may be.
pub(crate) fn cleared(spaces: &Spaces, now: Millis) -> Result<Option<Seconds>, Fault> {
    let today = now.seconds().0 / DAY_SECONDS;
    let began = spaces.meta.get(DAY_BEGAN).map_err(|error| fault(&error))?;
    let removed = began.as_ref().and_then(|bytes| {
        let day = u32::from_be_bytes(*bytes.first_chunk()?);
        crate::layout::read_u64(bytes, 4).filter(|_| day == today)
    });
    let is_clear = spaces.buckets.over(now.seconds()).is_empty()
        && !has_records_before(spaces, now)?
        && spaces.number(PURGED)? >= removed.unwrap_or(u64::MAX);
    Ok(is_clear.then_some(Seconds(today * DAY_SECONDS)))
}

/// Notes what was removed before today, if that is not noted yet. Everything that ended before today has to be counted.
pub(crate) fn begin_day(spaces: &Spaces, now: Millis) -> Result<(), Fault> {
    let today = (now.seconds().0 / DAY_SECONDS).to_be_bytes();
    let began = spaces.meta.get(DAY_BEGAN).map_err(|error| fault(&error))?;
    if began.is_some_and(|bytes| bytes.first_chunk() == Some(&today)) {
        return Ok(());
    }
    let noted = [&today[..], &spaces.number(REMOVED)?.to_be_bytes()].concat();
    spaces.meta.insert(DAY_BEGAN, noted).map_err(|error| fault(&error))
}

/// Removes expired records, a limited number; how many.
pub(crate) fn sweep_records(spaces: &Spaces, now: Millis) -> Result<usize, Fault> {
    let mut batch = spaces.database.batch();
    let swept = crate::records::add_expired(&mut batch, spaces, now, RECORDS_AT_ONCE)?;
    if swept > 0 {
        batch.commit().map_err(|error| fault(&error))?;
    }
    Ok(swept)
}
