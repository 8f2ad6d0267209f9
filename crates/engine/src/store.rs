//! Short ways to read and change typed records.

use model::{AccountNumber, ErrorCode, Result, SdkAppId, Stamp};
use ports::records::{Found, Range, RawRecord, Write};
use ports::{Condition, Fault, Record, Records, Stamped, Transaction};

use crate::facts::AccountFact;

/// How often a change is tried again when another one came first.
pub(crate) const TRIES_MAX: usize = 16;

/// A write that puts a record.
pub(crate) fn put<R: Record>(stamp: Stamp, record: &R) -> Result<Write> {
    Ok(Write::Put(Stamped::new(stamp, RawRecord::of(record)?)))
}

/// A write that removes a record.
pub(crate) fn remove<R: Record>(key: Vec<u8>) -> Write {
    Write::Remove(R::KIND, key)
}

/// A condition: the record is still the one that was read, or still absent.
pub(crate) fn unchanged<R: Record>(key: Vec<u8>, version: Option<u64>) -> Condition {
    match version {
        Some(version) => Condition::Version(R::KIND, key, version),
        None => Condition::Absent(R::KIND, key),
    }
}

/// Applies writes without conditions.
pub(crate) async fn write(records: &dyn Records, app: SdkAppId, writes: Vec<Write>) -> Result<()> {
    Ok(records.apply(app, Transaction { conditions: Vec::new(), writes }).await?)
}

/// Applies writes if the conditions hold; `false` if they do not.
pub(crate) async fn write_if(
    records: &dyn Records,
    app: SdkAppId,
    conditions: Vec<Condition>,
    writes: Vec<Write>,
) -> Result<bool> {
    match records.apply(app, Transaction { conditions, writes }).await {
        Ok(()) => Ok(true),
        Err(Fault::Conflict) => Ok(false),
        Err(fault) => Err(fault.into()),
    }
}

/// A condition: an account is still there. `None` if it is gone. Whoever writes for or about an account writes on this condition:
/// what comes later than its erasure would be found by nobody who removes what it left.
pub(crate) async fn still_there(
    records: &dyn Records,
    app: SdkAppId,
    account: AccountNumber,
) -> Result<Option<Condition>> {
    let (kind, index) = (AccountFact::KIND, Some(AccountFact::BY_NUMBER));
    let prefix = account.0.to_be_bytes().to_vec();
    let found = records.scan(app, Range { kind, index, prefix, after: None, limit: 1 }).await?;
    Ok(found.into_iter().next().map(|found| unchanged::<AccountFact>(found.key, Some(found.version))))
}

/// Applies writes for or about accounts if the conditions hold; `false` if they do not.
///
/// # Errors
/// `gone` if one of the accounts is not there any more: then nothing is written.
pub(crate) async fn write_for(
    records: &dyn Records,
    app: SdkAppId,
    (accounts, gone): (&[AccountNumber], ErrorCode),
    mut conditions: Vec<Condition>,
    writes: Vec<Write>,
) -> Result<bool> {
    for account in accounts {
        conditions.push(still_there(records, app, *account).await?.ok_or(gone)?);
    }
    write_if(records, app, conditions, writes).await
}

/// Applies writes for or about accounts without other conditions.
///
/// # Errors
/// `gone` if one of the accounts is not there any more, or changes again and again: then nothing is written.
pub(crate) async fn write_all_for(
    records: &dyn Records,
    app: SdkAppId,
    (accounts, gone): (&[AccountNumber], ErrorCode),
    writes: Vec<Write>,
) -> Result<()> {
    for _ in 0..TRIES_MAX {
        if write_for(records, app, (accounts, gone), Vec::new(), writes.clone()).await? {
            return Ok(());
        }
    }
    Err(gone.into())
}

/// Every record of a kind that belongs to an account, by the first number of its key; at most `limit`.
pub(crate) async fn owned_by<R: Record>(
    records: &dyn Records,
    app: SdkAppId,
    owner: AccountNumber,
    limit: usize,
) -> Result<Vec<R>> {
    let prefix = owner.0.to_be_bytes().to_vec();
    let range = Range { kind: R::KIND, index: None, prefix, after: None, limit };
    decode_all(&records.scan(app, range).await?)
}

/// Every record of a kind that an index names by an account; at most `limit`.
pub(crate) async fn indexed_by<R: Record>(
    records: &dyn Records,
    app: SdkAppId,
    index: u8,
    account: AccountNumber,
    limit: usize,
) -> Result<Vec<R>> {
    let prefix = account.0.to_be_bytes().to_vec();
    let range = Range { kind: R::KIND, index: Some(index), prefix, after: None, limit };
    decode_all(&records.scan(app, range).await?)
}

fn decode_all<R: Record>(found: &[Found]) -> Result<Vec<R>> {
    found.iter().map(|record| record.decode().map_err(model::Error::from)).collect()
}
