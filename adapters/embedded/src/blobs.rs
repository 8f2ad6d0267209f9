//! The Blobs port: a file for each object, written whole under another name first.
//!
//! A file's name says class, app, subject, end and name of its object, so that nothing is opened to list or to expire. It holds
//! a checksum (CRC-32, 4 bytes), then bucket (2), index (8) and time (4) of its key, then the sealed bytes. What a crash left
//! half written is removed by the next start.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::ops::Bound;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use model::{AccountNumber, DataClass, Expiry, SdkAppId, Sealed, Seconds, Stamp, Subject};
use parking_lot::Mutex;
use ports::blobs::{BLOB_BYTES_MAX, BlobInfo, BlobName, Blobs, LISTED_MAX};
use ports::{Answer, Clock, Fault, Stamped};

const CHECKSUM_BYTES: usize = 4;

/// What names the key.
const KEY_BYTES: usize = 14;

/// The end of the name of a file that is being written.
const UNFINISHED: &str = ".new";

/// What a file's name says of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobFile {
    /// Its app.
    pub app: SdkAppId,
    /// What it is called in it.
    pub name: BlobName,
    /// Its class.
    pub class: DataClass,
    /// Whose it is.
    pub subject: Subject,
    /// Until when it is kept; the end of time: as long as what it belongs to.
    pub end: Seconds,
}

impl BlobFile {
    /// What a name says; `None` for that of another file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('-').collect();
        let [class, app, subject, end, name] = parts[..] else { return None };
        let class = DataClass::from_code(class.parse().ok()?)?;
        let subject = match subject.parse().ok()? {
            0 => Subject::Nobody,
            number => Subject::Account(AccountNumber(number)),
        };
        let (app, end) = (SdkAppId(app.parse().ok()?), Seconds(end.parse().ok()?));
        let name = (name.len() == 32).then_some(name)?.parse().ok()?;
        Some(Self { app, name, class, subject, end })
    }

    fn of(name: BlobName, stamp: &Stamp) -> Self {
        Self { app: stamp.app, name, class: stamp.class, subject: stamp.subject, end: stamp.end() }
    }

    fn path(self, folder: &Path) -> PathBuf {
        let Self { app, name, class, subject, end } = self;
        let subject = match subject {
            Subject::Nobody => 0,
            Subject::Account(number) => number.0,
        };
        folder.join(format!("{}-{}-{subject}-{}-{name}", class.code(), app.0, end.0))
    }

    fn expiry(self) -> Expiry {
        if self.end == Seconds(u32::MAX) { Expiry::WithOwner } else { Expiry::At(self.end) }
    }
}

struct Inner {
    folder: PathBuf,
    free_bytes_min: u64,
    clock: Arc<dyn Clock>,
    files: Mutex<BTreeMap<(SdkAppId, BlobName), BlobFile>>,
}

/// Objects in a folder.
pub struct FolderBlobs(Arc<Inner>);

impl FolderBlobs {
    /// Opens a folder; makes it if it is not there. Below so much free space nothing is stored.
    ///
    /// # Errors
    /// `Unavailable` if the folder cannot be used.
    pub fn open(folder: PathBuf, free_bytes_min: u64, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| failed(&error))?;
        let inner = Inner { folder, free_bytes_min, clock, files: Mutex::default() };
        for name in names(&inner.folder)? {
            if let Some(file) = BlobFile::parse(&name) {
                inner.files.lock().insert((file.app, file.name), file);
            } else if name.ends_with(UNFINISHED) {
                std::fs::remove_file(inner.folder.join(name)).map_err(|error| failed(&error))?;
            }
        }
        Ok(Self(Arc::new(inner)))
    }

    /// The objects in a folder that somebody else may have open.
    ///
    /// # Errors
    /// `Unavailable` if the folder cannot be read.
    pub fn look(folder: &Path) -> Result<Vec<BlobFile>, Fault> {
        Ok(names(folder)?.iter().filter_map(|name| BlobFile::parse(name)).collect())
    }

    /// Reads an object of such a folder; `None` if it is not there any more.
    ///
    /// # Errors
    /// `Corrupt` if its bytes are not what was written.
    pub fn read_file(folder: &Path, file: BlobFile) -> Result<Option<Sealed>, Fault> {
        read(folder, file)
    }

    /// Reads every object; what is wrong with each that is damaged, and how many there are.
    ///
    /// # Errors
    /// `Unavailable` if the folder cannot be read.
    pub fn check(&self) -> Result<(usize, Vec<String>), Fault> {
        let files: Vec<BlobFile> = self.0.files.lock().values().copied().collect();
        let mut findings = Vec::new();
        for file in &files {
            if let Err(Fault::Corrupt(what)) = read(&self.0.folder, *file) {
                findings.push(format!("object {} of app {}: {what}", file.name, file.app.0));
            }
        }
        Ok((files.len(), findings))
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Fault> + Send + 'static,
    ) -> Answer<'_, T> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner));
        Box::pin(async move { done.await.map_err(|error| Fault::Unavailable(error.to_string()))? })
    }
}

fn failed(error: &std::io::Error) -> Fault {
    Fault::Unavailable(format!("an object: {error}"))
}

fn damaged() -> Fault {
    Fault::Corrupt("an object".to_owned())
}

fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for item in std::fs::read_dir(folder).map_err(|error| failed(&error))? {
        let name = item.map_err(|error| failed(&error))?.file_name();
        names.extend(name.to_str().map(str::to_owned));
    }
    Ok(names)
}

impl Inner {
    fn sync_folder(&self) -> Result<(), Fault> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(&error))
    }

    fn put(&self, name: BlobName, object: &Stamped<Sealed>) -> Result<(), Fault> {
        if object.value().bytes.len() > BLOB_BYTES_MAX {
            return Err(Fault::Unavailable("an object is too large".to_owned()));
        }
        let is_full = rustix::fs::statvfs(&self.folder)
            .is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) < self.free_bytes_min);
        if is_full {
            return Err(Fault::Full);
        }
        let Sealed { bucket, index, sealed_at, bytes } = object.value();
        let mut body = Vec::with_capacity(KEY_BYTES + bytes.len());
        body.extend_from_slice(&bucket.to_be_bytes());
        body.extend_from_slice(&index.to_be_bytes());
        body.extend_from_slice(&sealed_at.0.to_be_bytes());
        body.extend_from_slice(bytes);
        let file = BlobFile::of(name, object.stamp());
        let path = file.path(&self.folder);
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let written = write(&unfinished, &body).and_then(|()| std::fs::rename(&unfinished, &path));
        if let Err(error) = written {
            // Whether it is there or not, the next start removes it.
            let _ = std::fs::remove_file(&unfinished);
            return Err(failed(&error));
        }
        let former = self.files.lock().insert((file.app, name), file);
        if let Some(former) = former.filter(|former| *former != file) {
            remove(&former.path(&self.folder))?;
        }
        self.sync_folder()
    }

    fn find(&self, app: SdkAppId, name: BlobName) -> Option<BlobFile> {
        let file = self.files.lock().get(&(app, name)).copied()?;
        (!file.expiry().is_over(self.clock.now())).then_some(file)
    }

    fn list(&self, app: SdkAppId, after: Option<BlobName>, limit: usize) -> Result<Vec<BlobInfo>, Fault> {
        let now = self.clock.now();
        let from = after.map_or(Bound::Included((app, BlobName(0))), |after| Bound::Excluded((app, after)));
        let to = Bound::Included((app, BlobName(u128::MAX)));
        let files: Vec<BlobFile> = {
            let files = self.files.lock();
            let live = files.range((from, to)).map(|(_, file)| *file);
            live.filter(|file| !file.expiry().is_over(now)).take(limit.min(LISTED_MAX)).collect()
        };
        let mut infos = Vec::with_capacity(files.len());
        for file in files {
            let bytes = match std::fs::metadata(file.path(&self.folder)) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                about => about.map_err(|error| failed(&error))?.len(),
            };
            let BlobFile { app, name, class, subject, .. } = file;
            let stamp = Stamp { app, class, subject, expiry: file.expiry() };
            let bytes = bytes.saturating_sub((CHECKSUM_BYTES + KEY_BYTES) as u64);
            infos.push(BlobInfo { name, stamp, bytes });
        }
        Ok(infos)
    }

    fn remove(&self, app: SdkAppId, name: BlobName) -> Result<(), Fault> {
        let found = self.files.lock().get(&(app, name)).copied();
        let Some(file) = found else { return Ok(()) };
        remove(&file.path(&self.folder))?;
        self.sync_folder()?;
        self.files.lock().remove(&(app, name));
        Ok(())
    }

    fn expire(&self) -> Result<u64, Fault> {
        let now = self.clock.now();
        let over = |file: &&BlobFile| file.expiry().is_over(now);
        let over: Vec<BlobFile> = self.files.lock().values().filter(over).copied().collect();
        for file in &over {
            remove(&file.path(&self.folder))?;
        }
        if !over.is_empty() {
            self.sync_folder()?;
        }
        let mut files = self.files.lock();
        for file in &over {
            files.remove(&(file.app, file.name));
        }
        Ok(over.len() as u64)
    }
}

fn read(folder: &Path, file: BlobFile) -> Result<Option<Sealed>, Fault> {
    let bytes = match std::fs::read(file.path(folder)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => Bytes::from(bytes.map_err(|error| failed(&error))?),
    };
    let (checksum, body) = bytes.split_first_chunk::<CHECKSUM_BYTES>().ok_or_else(damaged)?;
    if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
        return Err(damaged());
    }
    let (bucket, rest) = body.split_first_chunk().ok_or_else(damaged)?;
    let (index, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
    let (sealed_at, _) = rest.split_first_chunk().ok_or_else(damaged)?;
    Ok(Some(Sealed {
        bucket: u16::from_be_bytes(*bucket),
        index: u64::from_be_bytes(*index),
        sealed_at: Seconds(u32::from_be_bytes(*sealed_at)),
        bytes: bytes.slice(CHECKSUM_BYTES + KEY_BYTES..),
    }))
}

fn write(path: &Path, body: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(&crc32fast::hash(body).to_be_bytes())?;
    file.write_all(body)?;
    file.sync_all()
}

fn remove(path: &Path) -> Result<(), Fault> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
        _ => Ok(()),
    }
}

impl Blobs for FolderBlobs {
    fn put(&self, name: BlobName, object: Stamped<Sealed>) -> Answer<'_, ()> {
        self.run(move |inner| inner.put(name, &object))
    }

    fn get(&self, app: SdkAppId, name: BlobName) -> Answer<'_, Option<Sealed>> {
        self.run(move |inner| match inner.find(app, name) {
            Some(file) => read(&inner.folder, file),
            None => Ok(None),
        })
    }

    fn list(&self, app: SdkAppId, after: Option<BlobName>, limit: usize) -> Answer<'_, Vec<BlobInfo>> {
        self.run(move |inner| inner.list(app, after, limit))
    }

    fn remove(&self, app: SdkAppId, name: BlobName) -> Answer<'_, ()> {
        self.run(move |inner| inner.remove(app, name))
    }

    fn expire(&self) -> Answer<'_, u64> {
        self.run(Inner::expire)
    }
}

#[cfg(test)]
mod tests {
    use ports::suite::{APP, ManualClock, NOW};

    use super::*;

    fn opened(folder: &tempfile::TempDir) -> FolderBlobs {
        match FolderBlobs::open(folder.path().to_owned(), 0, Arc::new(ManualClock::at(NOW))) {
            Ok(blobs) => blobs,
            Err(fault) => panic!("{fault}"),
        }
    }

    fn object() -> Stamped<Sealed> {
        let class = DataClass::Message(model::Medium::Derived);
        let stamp = Stamp { app: APP, class, subject: Subject::Nobody, expiry: Expiry::At(Seconds(NOW + 9)) };
        let sealed = Sealed { bucket: 1, index: 2, sealed_at: Seconds(NOW), bytes: vec![7; 100].into() };
        Stamped::new(stamp, sealed)
    }

    #[tokio::test]
    async fn what_was_half_written_is_gone_after_a_start_and_what_is_damaged_is_found() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a folder") };
        let blobs = opened(&folder);
        assert_eq!(blobs.put(BlobName(1), object()).await, Ok(()));
        let path = BlobFile::of(BlobName(1), object().stamp()).path(folder.path());
        let unfinished = folder.path().join("12-1-9-x.new");
        assert!(std::fs::write(&unfinished, b"half").is_ok());
        let blobs = opened(&folder);
        assert!(!unfinished.exists());
        assert_eq!(blobs.check(), Ok((1, vec![])));
        let Ok(whole) = std::fs::read(&path) else { panic!("written") };
        for at in [0, 5, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            assert!(std::fs::write(&path, bytes).is_ok());
            assert!(matches!(blobs.get(APP, BlobName(1)).await, Err(Fault::Corrupt(_))), "{at}");
            assert_eq!(blobs.check().map(|(_, findings)| findings.len()), Ok(1));
        }
        assert!(std::fs::remove_file(&path).is_ok());
        assert_eq!(blobs.get(APP, BlobName(1)).await, Ok(None));
    }

    #[tokio::test]
    async fn below_the_floor_nothing_is_stored() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a folder") };
        let clock = Arc::new(ManualClock::at(NOW));
        let Ok(blobs) = FolderBlobs::open(folder.path().to_owned(), u64::MAX, clock) else {
            panic!("opened")
        };
        assert_eq!(blobs.put(BlobName(1), object()).await, Err(Fault::Full));
    }

    #[test]
    fn other_files_are_no_objects() {
        let name = BlobName(7);
        for text in ["", "1-2-3", "12-1-0-9-7", "0-1-0-9-00000000000000000000000000000007", "12-1-9-x.new"] {
            assert_eq!(BlobFile::parse(text), None, "{text}");
        }
        let subject = Subject::Account(AccountNumber(9));
        let (app, class, end) = (SdkAppId(1), DataClass::Account, Seconds(u32::MAX));
        let file = BlobFile { app, name, class, subject, end };
        let path = file.path(Path::new("/"));
        let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        assert_eq!(BlobFile::parse(text), Some(file));
        assert_eq!(file.expiry(), Expiry::WithOwner);
    }
}
