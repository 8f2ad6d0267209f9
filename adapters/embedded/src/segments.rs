//! The Segments port: a file for each segment, removed as a whole.
//!
//! A block lies as its length (4 bytes), a checksum (CRC-32, 4 bytes) and its sealed form. A file that a crash cut in the
//! middle of a block is cut back to the last whole one before it grows again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use hashbrown::HashSet;
use model::{DataClass, SdkAppId, Sealed};
use parking_lot::Mutex;
use ports::segments::{BLOCK_BYTES_MAX, Block, BlockPlace, SegmentId, Segments};
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
            let end = end(&file).map_err(|error| failed(&error))?;
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

    fn blocks(&self, segment: SegmentId, from: BlockPlace, limit: usize) -> Result<Vec<Block>, Fault> {
        let file = match File::open(self.path(segment)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            file => file.map_err(|error| failed(&error))?,
        };
        let mut reader = Reader::at(&file, from.0).map_err(|error| failed(&error))?;
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        while blocks.len() < limit
            && bytes < BLOCK_BYTES_MAX
            && reader.read().map_err(|error| failed(&error))?
        {
            let sealed =
                postcard::from_bytes(&reader.body).map_err(|_| Fault::Corrupt("a block".to_owned()))?;
            bytes += reader.body.len();
            blocks.push(Block { sealed, next: BlockPlace(reader.place) });
        }
        Ok(blocks)
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

/// Reads a segment's file block by block, up to the first that is not whole: what follows that is not looked at.
struct Reader<'a> {
    file: BufReader<&'a File>,
    /// Where the last block that was read ends.
    place: u64,
    /// That block.
    body: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// Begins at a place.
    fn at(mut file: &'a File, place: u64) -> std::io::Result<Self> {
        // The system refuses places that are too large; beyond the end there is nothing to find anyway.
        let place = place.min(file.metadata()?.len());
        file.seek(SeekFrom::Start(place))?;
        Ok(Self { file: BufReader::new(file), place, body: Vec::new() })
    }

    /// Reads the next block; whether there is one.
    fn read(&mut self) -> std::io::Result<bool> {
        let mut header = [0; HEADER_BYTES];
        if !is_filled(self.file.read_exact(&mut header))? {
            return Ok(false);
        }
        let [a, b, c, d, checksum @ ..] = header;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        // Space that a crash left empty looks like blocks of no length.
        if !(1..=BLOCK_BYTES_MAX).contains(&length) {
            return Ok(false);
        }
        self.body.resize(length, 0);
        let is_whole = is_filled(self.file.read_exact(&mut self.body))?
            && crc32fast::hash(&self.body) == u32::from_be_bytes(checksum);
        if is_whole {
            self.place += (HEADER_BYTES + length) as u64;
        }
        Ok(is_whole)
    }
}

/// Whether there was enough to read.
fn is_filled(read: std::io::Result<()>) -> std::io::Result<bool> {
    match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// Where the last whole block ends.
fn end(file: &File) -> std::io::Result<u64> {
    let mut reader = Reader::at(file, 0)?;
    while reader.read()? {}
    Ok(reader.place)
}

impl Segments for FolderSegments {
    fn add(&self, segment: SegmentId, block: Stamped<Sealed>) -> Answer<'_, ()> {
        self.run(move |inner| inner.add(segment, block.value()))
    }

    fn blocks(&self, segment: SegmentId, from: BlockPlace, limit: usize) -> Answer<'_, Vec<Block>> {
        self.run(move |inner| inner.blocks(segment, from, limit))
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
        block_of(number, 100)
    }

    fn block_of(number: u64, length: usize) -> Stamped<Sealed> {
        let expiry = Expiry::At(Seconds(9));
        let stamp = Stamp { app: SEGMENT.app, class: DataClass::Log, subject: Subject::Nobody, expiry };
        let bytes = vec![7; length].into();
        Stamped::new(stamp, Sealed { bucket: 1, index: number, sealed_at: Seconds(1), bytes })
    }

    async fn blocks(segments: &FolderSegments, from: BlockPlace) -> Vec<Block> {
        let Ok(blocks) = segments.blocks(SEGMENT, from, 100).await else { panic!("readable") };
        blocks
    }

    async fn numbers(segments: &FolderSegments) -> Vec<u64> {
        blocks(segments, BlockPlace(0)).await.iter().map(|block| block.sealed.index).collect()
    }

    fn opened(folder: &tempfile::TempDir) -> FolderSegments {
        match FolderSegments::open(folder.path().to_owned(), 0) {
            Ok(segments) => segments,
            Err(fault) => panic!("{fault}"),
        }
    }

    #[tokio::test]
    async fn wherever_a_crash_cuts_whole_blocks_stay_and_new_ones_are_found() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a folder") };
        let open = || opened(&folder);
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

    #[tokio::test]
    async fn a_length_that_no_block_has_and_space_that_a_crash_left_empty_are_the_end() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a folder") };
        let path = opened(&folder).0.path(SEGMENT);
        assert_eq!(opened(&folder).add(SEGMENT, block(1)).await, Ok(()));
        let Ok(whole) = std::fs::read(&path) else { panic!("written") };
        let too_long = u32::try_from(BLOCK_BYTES_MAX + 1).unwrap_or_default().to_be_bytes();
        for tail in [vec![0; 100], vec![255; 100], too_long.to_vec(), [too_long, [0; 4]].concat()] {
            assert!(std::fs::write(&path, [whole.clone(), tail].concat()).is_ok());
            assert_eq!(numbers(&opened(&folder)).await, [1]);
            assert_eq!(opened(&folder).add(SEGMENT, block(2)).await, Ok(()));
            assert_eq!(numbers(&opened(&folder)).await, [1, 2]);
        }
    }

    #[tokio::test]
    async fn what_lies_before_a_place_is_not_read() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a folder") };
        let segments = opened(&folder);
        for number in [1, 2] {
            assert_eq!(segments.add(SEGMENT, block(number)).await, Ok(()));
        }
        let path = segments.0.path(SEGMENT);
        let (Some(first), Ok(mut bytes)) =
            (blocks(&segments, BlockPlace(0)).await.into_iter().next(), std::fs::read(&path))
        else {
            panic!("written")
        };
        bytes.iter_mut().take(50).for_each(|byte| *byte = 255);
        assert!(std::fs::write(&path, bytes).is_ok());
        assert_eq!(numbers(&segments).await, Vec::<u64>::new());
        let found = blocks(&segments, first.next).await;
        assert_eq!(found.iter().map(|block| block.sealed.index).collect::<Vec<_>>(), [2]);
    }

    #[tokio::test]
    async fn large_blocks_come_a_few_at_a_time_and_those_that_are_too_large_not_at_all() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a folder") };
        let segments = opened(&folder);
        for number in [1, 2, 3] {
            let added = segments.add(SEGMENT, block_of(number, BLOCK_BYTES_MAX / 2 + 1)).await;
            assert_eq!(added, Ok(()));
        }
        let added = segments.add(SEGMENT, block_of(4, BLOCK_BYTES_MAX)).await;
        assert!(matches!(added, Err(Fault::Unavailable(_))), "{added:?}");
        let found = blocks(&segments, BlockPlace(0)).await;
        assert_eq!(found.len(), 2);
        let Some(last) = found.last() else { panic!("found") };
        let rest = blocks(&segments, last.next).await;
        assert_eq!(rest.iter().map(|block| block.sealed.index).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn other_files_are_no_segments() {
        for name in ["", "1-2", "1-2-3-4", "0-2-3", "x-2-3", "1-2-3.tmp"] {
            assert_eq!(parse(name), None, "{name}");
        }
        assert_eq!(parse("1-1-7"), Some(SEGMENT));
    }
}
