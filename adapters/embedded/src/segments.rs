//! The Segments port: a file for each segment, removed as a whole.
//!
//! A block lies as its length (4 bytes), a checksum (CRC-32, 4 bytes) and its sealed form. A file that a crash cut in the
//! middle of a block is cut back to the last whole one before it grows again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use hashbrown::HashSet;
use model::{DataClass, SdkAppId, Sealed};
use parking_lot::Mutex;
use ports::segments::{BLOCK_BYTES_MAX, SegmentId, Segments};
use ports::{Answer, Fault, Stamped};

const HEADER_BYTES: usize = 8;

struct Inner {
    folder: PathBuf,
    free_bytes_min: u64,
    /// Those that end with a whole block.
    whole: Mutex<HashSet<SegmentId>>,
}

/// Segments in a folder.
pub struct FolderSegments(Arc<Inner>);

impl FolderSegments {
    /// Opens a folder; makes it if it is not there. Below so much free space nothing is added.
    ///
    /// # Errors
    /// `Unavailable` if the folder cannot be used.
    pub fn open(folder: PathBuf, free_bytes_min: u64) -> Result<Self, Fault> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| failed(&error))?;
        Ok(Self(Arc::new(Inner { folder, free_bytes_min, whole: Mutex::default() })))
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
    Fault::Unavailable(format!("a segment: {error}"))
}

impl Inner {
    fn path(&self, segment: SegmentId) -> PathBuf {
        let SegmentId { app, class, hour } = segment;
        self.folder.join(format!("{}-{}-{hour}", class.code(), app.0))
    }

    fn add(&self, segment: SegmentId, block: &Sealed) -> Result<(), Fault> {
        let is_full = rustix::fs::statvfs(&self.folder)
            .is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) < self.free_bytes_min);
        if is_full {
            return Err(Fault::Full);
        }
        let body =
            postcard::to_extend(block, Vec::new()).map_err(|_| Fault::Corrupt("a block".to_owned()))?;
        let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= BLOCK_BYTES_MAX);
        let length = length.ok_or_else(|| Fault::Unavailable("a block is too large".to_owned()))?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
        bytes.extend_from_slice(&body);
        let mut whole = self.whole.lock();
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true).mode(0o600);
        let mut file = options.open(self.path(segment)).map_err(|error| failed(&error))?;
        if !whole.contains(&segment) {
            let end = read(&mut file, 0, 0)?.1;
            file.set_len(end).map_err(|error| failed(&error))?;
            whole.insert(segment);
        }
        file.seek(SeekFrom::End(0)).map_err(|error| failed(&error))?;
        let written = file.write_all(&bytes);
        if written.is_err() {
            // It may end with a part of the block now.
            whole.remove(&segment);
        }
        written.map_err(|error| failed(&error))
    }

    fn list(&self) -> Result<Vec<SegmentId>, Fault> {
        let mut found = Vec::new();
        for item in std::fs::read_dir(&self.folder).map_err(|error| failed(&error))? {
            let name = item.map_err(|error| failed(&error))?.file_name();
            found.extend(name.to_str().and_then(parse));
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// The segment that a file's name says.
fn parse(name: &str) -> Option<SegmentId> {
    let mut parts = name.split('-');
    let class = DataClass::from_code(parts.next()?.parse().ok()?)?;
    let app = SdkAppId(parts.next()?.parse().ok()?);
    let hour = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(SegmentId { app, class, hour })
}

/// Reads blocks, and where the last whole one that was looked at ends. What follows a block that is cut is not looked at.
fn read(file: &mut File, from: usize, limit: usize) -> Result<(Vec<Sealed>, u64), Fault> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    let (mut rest, mut blocks, mut number, mut end) = (&bytes[..], Vec::new(), 0, 0);
    while let Some((header, after)) = rest.split_first_chunk::<HEADER_BYTES>() {
        let word =
            |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let Some((body, after)) = after.split_at_checked(usize::try_from(word(0)).unwrap_or(usize::MAX))
        else {
            break;
        };
        if crc32fast::hash(body) != word(4) {
            break;
        }
        if number >= from && blocks.len() < limit {
            blocks.push(postcard::from_bytes(body).map_err(|_| Fault::Corrupt("a block".to_owned()))?);
        }
        number += 1;
        end += (HEADER_BYTES + body.len()) as u64;
        rest = after;
    }
    Ok((blocks, end))
}

impl Segments for FolderSegments {
    fn add(&self, segment: SegmentId, block: Stamped<Sealed>) -> Answer<'_, ()> {
        self.run(move |inner| inner.add(segment, block.value()))
    }

    fn blocks(&self, segment: SegmentId, from: usize, limit: usize) -> Answer<'_, Vec<Sealed>> {
        self.run(move |inner| match File::open(inner.path(segment)) {
            Ok(mut file) => Ok(read(&mut file, from, limit)?.0),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(failed(&error)),
        })
    }

    fn list(&self) -> Answer<'_, Vec<SegmentId>> {
        self.run(Inner::list)
    }

    fn remove(&self, segment: SegmentId) -> Answer<'_, ()> {
        self.run(move |inner| {
            inner.whole.lock().remove(&segment);
            match std::fs::remove_file(inner.path(segment)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&error)),
                _ => Ok(()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use model::{Expiry, Seconds, Stamp, Subject};

    use super::*;

    const SEGMENT: SegmentId = SegmentId { app: SdkAppId(1), class: DataClass::Log, hour: 7 };

    fn block(number: u64) -> Stamped<Sealed> {
        let expiry = Expiry::At(Seconds(9));
        let stamp = Stamp { app: SEGMENT.app, class: DataClass::Log, subject: Subject::Nobody, expiry };
        let bytes = vec![7; 100].into();
        Stamped::new(stamp, Sealed { bucket: 1, index: number, sealed_at: Seconds(1), bytes })
    }

    async fn numbers(segments: &FolderSegments) -> Vec<u64> {
        let Ok(blocks) = segments.blocks(SEGMENT, 0, 100).await else { panic!("readable") };
        blocks.iter().map(|block| block.index).collect()
    }

    #[tokio::test]
    async fn wherever_a_crash_cuts_whole_blocks_stay_and_new_ones_are_found() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a folder") };
        let open = || match FolderSegments::open(folder.path().to_owned(), 0) {
            Ok(segments) => segments,
            Err(fault) => panic!("{fault}"),
        };
        let path = open().0.path(SEGMENT);
        for number in [1, 2] {
            assert_eq!(open().add(SEGMENT, block(number)).await, Ok(()));
        }
        let Ok(whole) = std::fs::read(&path) else { panic!("written") };
        for cut in 0..whole.len() {
            assert!(std::fs::write(&path, &whole[..cut]).is_ok());
            let kept: Vec<u64> = if cut >= whole.len() / 2 { vec![1] } else { vec![] };
            assert_eq!(numbers(&open()).await, kept, "cut at {cut}");
            assert_eq!(open().add(SEGMENT, block(3)).await, Ok(()));
            assert_eq!(numbers(&open()).await, [kept, vec![3]].concat(), "cut at {cut}");
        }
    }

    #[test]
    fn other_files_are_no_segments() {
        for name in ["", "1-2", "1-2-3-4", "0-2-3", "x-2-3", "1-2-3.tmp"] {
            assert_eq!(parse(name), None, "{name}");
        }
        assert_eq!(parse("1-1-7"), Some(SEGMENT));
    }
}
