//! Receipts that are told once, whatever crashes in between.
//!
//! Receipt and fact are two writes. So the fact notes first what is about to be told and where the chain ended then; who
//! goes on after a crash looks whether it stands behind that place.

use model::{ErrorCode, Result, SdkAppId};
use ports::Record;
use ports::records::find;
use promise::receipts::{Receipt, Stage, Statement};

use crate::Engine;
use crate::receipts::RECEIPTS_MAX;
use crate::store::{TRIES_MAX, put, unchanged, write_if};

/// What is about to be told: the stage, and the number of the newest receipt before it.
pub(crate) type Telling = Option<(Stage, u64)>;

/// A fact that tells receipts.
pub(crate) trait Tells: Record {
    /// What it is about to tell.
    fn telling(&mut self) -> &mut Telling;
}

impl Engine {
    /// Changes a fact as it is now; `None` if there is none. Tried again where another change comes first, so `change` has to
    /// touch only what is its own.
    pub(crate) async fn change<R: Record>(
        &self,
        app: SdkAppId,
        key: &[u8],
        change: impl Fn(&mut R),
    ) -> Result<Option<R>> {
        let records = self.context.records.as_ref();
        for _ in 0..TRIES_MAX {
            let Some(found) = records.get(app, R::KIND, key).await? else { return Ok(None) };
            let mut fact: R = found.decode()?;
            change(&mut fact);
            let condition = unchanged::<R>(key.to_vec(), Some(found.version));
            if write_if(records, app, vec![condition], vec![put(found.stamp, &fact)?]).await? {
                return Ok(Some(fact));
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// Tells a receipt of a fact, unless it was told before; returns its number. The caller notes that.
    pub(crate) async fn tell<R: Tells>(
        &self,
        app: SdkAppId,
        key: &[u8],
        statement: Statement,
    ) -> Result<u64> {
        let stage = statement.stage;
        let found = find::<R>(self.context.records.as_ref(), app, key).await?;
        let Some((mut fact, _)) = found else { return self.receipt(statement).await };
        if let Some((_, after)) = fact.telling().filter(|(telling, _)| *telling == stage)
            && let Some(number) = self.told_after(after, &statement).await?
        {
            return Ok(number);
        }
        let newest = self.receipts(None, 1).await?.first().map_or(0, |fact| fact.number);
        self.change::<R>(app, key, |fact| *fact.telling() = Some((stage, newest))).await?;
        self.receipt(statement).await
    }

    /// The receipt that says this, if it was told after a number.
    async fn told_after(&self, after: u64, statement: &Statement) -> Result<Option<u64>> {
        let mut before = None;
        loop {
            let page = self.receipts(before, RECEIPTS_MAX).await?;
            for fact in &page {
                if fact.number <= after {
                    return Ok(None);
                }
                let said = Receipt::parse(&fact.line)?.statement;
                let is_same = said.app == statement.app
                    && said.stage == statement.stage
                    && said.scope == statement.scope
                    && said.subject == statement.subject
                    && said.reason == statement.reason;
                if is_same {
                    return Ok(Some(fact.number));
                }
            }
            let Some(last) = page.last() else { return Ok(None) };
            before = Some(last.number);
        }
    }
}
