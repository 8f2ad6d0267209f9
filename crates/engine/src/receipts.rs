//! The chain of receipts: appended, listed.

use model::{DataClass, ErrorCode, Result, SdkAppId, Subject};
use ports::records::{Range, find};
use ports::{Kind, Record, Records};
use promise::Stamps;
use promise::receipts::{NOTHING_BEFORE, Receipt, ReceiptKey, Scope, Statement};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Engine;
use crate::context::Context;
use crate::facts::InstallationFact;
use crate::store::{TRIES_MAX, put, unchanged, write_if};

/// Receipts in one page at most.
pub const RECEIPTS_MAX: usize = 1000;

const SECRET: &str = "secret that signs receipts";

/// A receipt as it is kept: for ever, since it names nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFact {
    /// Its place in the chain.
    pub number: u64,
    /// What the next one says of it.
    pub hash: String,
    /// The receipt, signed: one line of JSON.
    pub line: String,
}

impl Record for ReceiptFact {
    const KIND: Kind = Kind { id: 15, name: "receipt", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        // The newest first.
        (u64::MAX - self.number).to_be_bytes().to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// The key that signs receipts, made at the first start.
pub(crate) async fn key(context: &Context) -> Result<ReceiptKey> {
    let records = context.records.as_ref();
    let damaged = || ports::Fault::Corrupt("the key that signs receipts".to_owned());
    for _ in 0..TRIES_MAX {
        let app = SdkAppId::INSTALLATION;
        if let Some((fact, _)) = find::<InstallationFact>(records, app, SECRET.as_bytes()).await? {
            let mut secret = Zeroizing::new([0; 32]);
            for (index, byte) in secret.iter_mut().enumerate() {
                let digits = fact.value.get(2 * index..2 * index + 2).ok_or_else(damaged)?;
                *byte = u8::from_str_radix(digits, 16).map_err(|_| damaged())?;
            }
            return Ok(ReceiptKey::new(&secret));
        }
        let mut secret = Zeroizing::new([0; 32]);
        context.random.fill(secret.as_mut_slice());
        let fact = InstallationFact { name: SECRET.to_owned(), value: crate::apps::hex(secret.as_slice()) };
        let absent = unchanged::<InstallationFact>(fact.key(), None);
        write_if(records, app, vec![absent], vec![put(Stamps::configuration(app), &fact)?]).await?;
    }
    Err(ErrorCode::AccountInternal.into())
}

async fn newest(records: &dyn Records) -> Result<Option<ReceiptFact>> {
    let range = Range { kind: ReceiptFact::KIND, index: None, prefix: Vec::new(), after: None, limit: 1 };
    let found = records.scan(SdkAppId::INSTALLATION, range).await?;
    Ok(found.first().map(ports::records::Found::decode).transpose()?)
}

impl Engine {
    /// Adds a receipt to the chain; returns its number.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn receipt(&self, statement: Statement) -> Result<u64> {
        let _chaining = self.chaining.lock().await;
        let records = self.context.records.as_ref();
        for _ in 0..TRIES_MAX {
            let before = newest(records).await?;
            let (number, previous) = match before {
                Some(before) => (before.number + 1, before.hash),
                None => (1, NOTHING_BEFORE.to_owned()),
            };
            let time = self.context.clock.now().seconds().0;
            let receipt = Receipt::new(number, previous, time, statement.clone());
            let fact = ReceiptFact { number, hash: receipt.hash()?, line: receipt.sign(&self.receipt_key)? };
            // Another one may have taken the place meanwhile.
            let absent = unchanged::<ReceiptFact>(fact.key(), None);
            let writes = vec![put(Stamps::configuration(SdkAppId::INSTALLATION), &fact)?];
            if write_if(records, SdkAppId::INSTALLATION, vec![absent], writes).await? {
                return Ok(number);
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// What verifies receipts, in hexadecimal.
    #[must_use]
    pub fn receipt_public_key(&self) -> String {
        self.receipt_key.public()
    }

    /// The part of the chain before a number as an app may see it, the oldest first, and what asks for the part before it. Of
    /// receipts of other apps only number and hash are there.
    ///
    /// # Errors
    /// What the store says.
    pub async fn receipts_for(
        &self,
        app: SdkAppId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<String>, Option<u64>)> {
        let found = self.receipts(before, limit).await?;
        let before = found.last().map(|fact| fact.number).filter(|number| *number > 1);
        let mut lines = Vec::with_capacity(found.len());
        for fact in found.into_iter().rev() {
            let said = Receipt::parse(&fact.line)?.statement;
            // What is about all apps says nothing of any; what is about an erased one is not for others.
            let is_shown = said.app == app.0 || said.app == 0 && said.scope == Scope::RecalledAndExpired;
            lines.push(if is_shown { fact.line } else { Receipt::omitted(fact.number, &fact.hash)? });
        }
        Ok((lines, before))
    }

    /// Receipts before a number (`None`: from the newest on), the newest first; at most `limit` and [`RECEIPTS_MAX`].
    ///
    /// # Errors
    /// What the store says.
    pub async fn receipts(&self, before: Option<u64>, limit: usize) -> Result<Vec<ReceiptFact>> {
        let after = before.map(|number| (Vec::new(), (u64::MAX - number).to_be_bytes().to_vec()));
        let limit = limit.min(RECEIPTS_MAX);
        let range = Range { kind: ReceiptFact::KIND, index: None, prefix: Vec::new(), after, limit };
        let found = self.context.records.scan(SdkAppId::INSTALLATION, range).await?;
        Ok(found.iter().map(ports::records::Found::decode).collect::<std::result::Result<_, _>>()?)
    }
}
