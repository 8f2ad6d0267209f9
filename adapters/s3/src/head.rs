//! What stands before the bytes of an object: whose it is, until when it may be kept, and whether it is whole.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `WhimBlob` |
//! | 2 | version of this form: 1 |
//! | 1 | code of the class |
//! | 4 | app |
//! | 16 | name |
//! | 8 | number of the account whose it is; 0 for nobody |
//! | 4 | second of its end; all ones: as long as what it belongs to |
//! | 2, 8, 4 | bucket, index and time of the key that it is sealed with |
//! | 8 | length of the sealed bytes |
//! | 4 | checksum (CRC-32) of the sealed bytes |
//! | 4 | checksum of all that stands before |
//!
//! Numbers are big endian. App and name stand here as well as in the key: an object that lies in another's place is not taken for it.

use bytes::Bytes;
use model::{AccountNumber, DataClass, Expiry, SdkAppId, Sealed, Seconds, Stamp, Subject};
use ports::blobs::{BlobInfo, BlobName};
use ports::{Fault, Stamped};

/// The length of a head.
pub(crate) const HEAD_BYTES: usize = 73;

const MAGIC: &[u8; 8] = b"WhimBlob";
const VERSION: u16 = 1;
const CHECKSUM_BYTES: usize = 4;

/// The end of what has none of its own.
const WITH_OWNER: Seconds = Seconds(u32::MAX);

/// A head that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// What a listing shows.
    pub(crate) info: BlobInfo,
    bucket: u16,
    index: u64,
    sealed_at: Seconds,
    checksum: u32,
}

impl Head {
    /// The head of an object.
    pub(crate) fn of(name: BlobName, object: &Stamped<Sealed>) -> Self {
        let Sealed { bucket, index, sealed_at, bytes } = object.value();
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self {
            info: BlobInfo { name, stamp: *object.stamp(), bytes: length },
            bucket: *bucket,
            index: *index,
            sealed_at: *sealed_at,
            checksum: crc32fast::hash(bytes),
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let Stamp { app, class, subject, .. } = self.info.stamp;
        let subject = match subject {
            Subject::Nobody => 0,
            Subject::Account(number) => number.0,
        };
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.push(class.code());
        bytes.extend_from_slice(&app.0.to_be_bytes());
        bytes.extend_from_slice(&self.info.name.0.to_be_bytes());
        bytes.extend_from_slice(&subject.to_be_bytes());
        bytes.extend_from_slice(&self.info.stamp.end().0.to_be_bytes());
        bytes.extend_from_slice(&self.bucket.to_be_bytes());
        bytes.extend_from_slice(&self.index.to_be_bytes());
        bytes.extend_from_slice(&self.sealed_at.0.to_be_bytes());
        bytes.extend_from_slice(&self.info.bytes.to_be_bytes());
        bytes.extend_from_slice(&self.checksum.to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    /// Reads the head of the object that lies in this place.
    ///
    /// # Errors
    /// `Corrupt` if it is not what was written there.
    pub(crate) fn read(app: SdkAppId, name: BlobName, bytes: &[u8]) -> Result<Self, Fault> {
        let head = bytes.get(..HEAD_BYTES).and_then(Self::parse).ok_or_else(damaged)?;
        if head.info.stamp.app == app && head.info.name == name { Ok(head) } else { Err(damaged()) }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (before, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
        if crc32fast::hash(before).to_be_bytes() != checksum {
            return None;
        }
        let rest = before.strip_prefix(MAGIC)?.strip_prefix(&VERSION.to_be_bytes())?;
        let (class, rest) = rest.split_first()?;
        let (app, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_first_chunk()?;
        let (subject, rest) = rest.split_first_chunk()?;
        let (end, rest) = rest.split_first_chunk()?;
        let (bucket, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (sealed_at, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (checksum, _) = rest.split_first_chunk()?;
        let subject = match u64::from_be_bytes(*subject) {
            0 => Subject::Nobody,
            number => Subject::Account(AccountNumber(number)),
        };
        let expiry = match Seconds(u32::from_be_bytes(*end)) {
            WITH_OWNER => Expiry::WithOwner,
            end => Expiry::At(end),
        };
        let stamp = Stamp {
            app: SdkAppId(u32::from_be_bytes(*app)),
            class: DataClass::from_code(*class)?,
            subject,
            expiry,
        };
        let name = BlobName(u128::from_be_bytes(*name));
        Some(Self {
            info: BlobInfo { name, stamp, bytes: u64::from_be_bytes(*length) },
            bucket: u16::from_be_bytes(*bucket),
            index: u64::from_be_bytes(*index),
            sealed_at: Seconds(u32::from_be_bytes(*sealed_at)),
            checksum: u32::from_be_bytes(*checksum),
        })
    }

    /// What is behind this head, if it is what was written.
    ///
    /// # Errors
    /// `Corrupt` if it is not.
    pub(crate) fn open(&self, bytes: Bytes) -> Result<Sealed, Fault> {
        if u64::try_from(bytes.len()) != Ok(self.info.bytes) || crc32fast::hash(&bytes) != self.checksum {
            return Err(damaged());
        }
        Ok(Sealed { bucket: self.bucket, index: self.index, sealed_at: self.sealed_at, bytes })
    }
}

/// Says that an object is not what was written, and not which.
pub(crate) fn damaged() -> Fault {
    Fault::Corrupt("an object".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: SdkAppId = SdkAppId(7);
    const NAME: BlobName = BlobName(9);

    fn object(subject: Subject, expiry: Expiry) -> Stamped<Sealed> {
        let stamp = Stamp { app: APP, class: DataClass::MESSAGE, subject, expiry };
        let bytes = Bytes::from_static(b"sealed");
        Stamped::new(stamp, Sealed { bucket: 1, index: 2, sealed_at: Seconds(3), bytes })
    }

    #[test]
    fn what_is_written_reads_back() {
        let account = Subject::Account(AccountNumber(5));
        for (subject, expiry) in [(Subject::Nobody, Expiry::WithOwner), (account, Expiry::At(Seconds(4)))] {
            let object = object(subject, expiry);
            let written = Head::of(NAME, &object).write();
            assert_eq!(written.len(), HEAD_BYTES);
            let head = Head::read(APP, NAME, &written).unwrap();
            assert_eq!((head.info.stamp, head.info.bytes), (*object.stamp(), 6));
            assert_eq!(head.open(Bytes::from_static(b"sealed")).unwrap(), *object.value());
        }
    }

    #[test]
    fn whatever_is_changed_is_damaged() {
        let written = Head::of(NAME, &object(Subject::Nobody, Expiry::WithOwner)).write();
        for at in 0..written.len() {
            let mut bytes = written.clone();
            bytes[at] ^= 1;
            assert_eq!(Head::read(APP, NAME, &bytes), Err(damaged()), "{at}");
            assert_eq!(Head::read(APP, NAME, &written[..at]), Err(damaged()), "{at}");
        }
        assert_eq!(Head::read(SdkAppId(8), NAME, &written), Err(damaged()));
        assert_eq!(Head::read(APP, BlobName(8), &written), Err(damaged()));
        let head = Head::read(APP, NAME, &written).unwrap();
        for bytes in ["", "seale", "sealeD", "sealed "] {
            assert_eq!(head.open(Bytes::from_static(bytes.as_bytes())), Err(damaged()), "{bytes}");
        }
    }

    #[test]
    fn another_form_is_not_read_as_this_one() {
        let mut written = Head::of(NAME, &object(Subject::Nobody, Expiry::WithOwner)).write();
        written[9] = 2;
        let end = HEAD_BYTES - CHECKSUM_BYTES;
        let checksum = crc32fast::hash(&written[..end]).to_be_bytes();
        written[end..].copy_from_slice(&checksum);
        assert_eq!(Head::read(APP, NAME, &written), Err(damaged()));
    }
}
