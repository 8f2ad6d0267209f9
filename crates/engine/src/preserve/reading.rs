//! Reading copies: nobody does it without leaving a record of it.

use model::{DataClass, ErrorCode, Expiry, Result, SdkAppId, Seconds, Subject};
use ports::records::Range;
use ports::{Kind, Record};
use promise::Stamps;
use serde::{Deserialize, Serialize};

use super::holds::copies;
use super::{Copied, Cover, PreservedFact};
use crate::Engine;
use crate::store::{put, write};

/// Copies in one page at most.
pub const PAGE_MAX: usize = 1000;

/// Accesses listed at most, the newest ones.
const ACCESSES_MAX: usize = 1000;

/// The longest reason for reading, in bytes.
const REASON_BYTES_MAX: usize = 1000;

/// For how many days it is known who read copies: ten years.
const KNOWN_DAYS: u32 = 3653;

/// That somebody read copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessFact {
    /// When.
    pub at: Seconds,
    /// Tells accesses of one second apart.
    pub mark: u64,
    /// What they are kept for.
    pub cover: Cover,
    /// Who: `operator` for the command line.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Record for AccessFact {
    const KIND: Kind = Kind { id: 19, name: "access to preserved copies", class: DataClass::Preserved };

    fn key(&self) -> Vec<u8> {
        // The newest first.
        [(u32::MAX - self.at.0).to_be_bytes().as_slice(), &self.mark.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// A page of copies, the oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreservedPage {
    /// The copies.
    pub copies: Vec<Copied>,
    /// How many more there are that cannot be opened.
    pub unreadable: u64,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Vec<u8>>,
}

impl Engine {
    /// Copies that are kept for a hold or an app's floors, from a place on. The access is written down before anything is
    /// read.
    ///
    /// # Errors
    /// `SettingInvalid` without a reason.
    pub async fn read_preserved(
        &self,
        cover: Cover,
        (by, reason): (&str, &str),
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<PreservedPage> {
        let records = self.context.records.as_ref();
        if after.is_none() {
            self.note_access(cover, by, reason).await?;
        }
        let limit = limit.clamp(1, PAGE_MAX);
        let after = after.map(|key| (Vec::new(), key));
        let found = records.scan(SdkAppId::INSTALLATION, copies(cover, after, limit)).await?;
        let next = found.last().filter(|_| found.len() == limit).map(|last| last.key.clone());
        let mut page = PreservedPage { copies: Vec::with_capacity(found.len()), unreadable: 0, next };
        for record in found {
            let fact: PreservedFact = record.decode()?;
            let bytes = self.keyring.open_bytes(cover.place(), &fact.sealed);
            match bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                Some(copied) => page.copies.push(copied),
                None => page.unreadable += 1,
            }
        }
        Ok(page)
    }

    /// Writes down that somebody is about to read copies.
    pub(crate) async fn note_access(&self, cover: Cover, by: &str, reason: &str) -> Result<()> {
        if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX {
            return Err(ErrorCode::SettingInvalid.because(format!("reason: 1 to {REASON_BYTES_MAX} bytes")));
        }
        let mut mark = [0; 8];
        self.context.random.fill(&mut mark);
        let at = self.context.clock.now().seconds();
        let (by, reason) = (by.to_owned(), reason.to_owned());
        let fact = AccessFact { at, mark: u64::from_be_bytes(mark), cover, by, reason };
        let end = Expiry::At(at.plus(KNOWN_DAYS * model::time::DAY_SECONDS));
        let writes = vec![put(Stamps::preserved(model::AccountNumber(0), end), &fact)?];
        write(self.context.records.as_ref(), SdkAppId::INSTALLATION, writes).await
    }

    /// Who read copies, the newest access first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn accesses(&self) -> Result<Vec<AccessFact>> {
        let range = Range {
            kind: AccessFact::KIND,
            index: None,
            prefix: Vec::new(),
            after: None,
            limit: ACCESSES_MAX,
        };
        let found = self.context.records.scan(SdkAppId::INSTALLATION, range).await?;
        Ok(found.iter().map(ports::records::Found::decode).collect::<std::result::Result<_, _>>()?)
    }
}
