//! The files of the data folder and of the keyring's two places: read, searched, told apart. A running server may remove and
//! replace them meanwhile.

use std::fs::{DirEntry, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use embedded::{BlobFile, Standing};
use model::{DataClass, SdkAppId, Seconds};
use ports::segments::SegmentId;
use promise::Stamps;

use super::Audit;
use crate::cli::Outcome;

/// Files of a data folder that hold no data.
const KNOWN_FILES: [&str; 3] = ["lock", "control.sock", crate::backup::MARKER];

/// Files of a place of the keyring.
const KNOWN_KEYS: [&str; 9] =
    ["key.0", "key.1", "ring.0", "ring.1", "next", "next.new", "doomed", "doomed.new", "lock"];

/// How much of a file is looked at at once, in bytes, and how much of that again with what follows: a text or a packed stream
/// up to this length is in one part as a whole.
const PART_BYTES: usize = 32 << 20;
const OVERLAP_BYTES: usize = 8 << 20;

/// What a folder is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Data,
    Keyring,
    Mirror,
}

impl Root {
    /// What a file in it is called in reports.
    fn call(self, name: &str) -> String {
        match self {
            Self::Data => name.to_owned(),
            Self::Keyring => format!("{name} of the keyring"),
            Self::Mirror => format!("{name} of the keyring's mirror"),
        }
    }
}

/// The beginning of a part, up to where only zeros follow: a journal is made with room for much more than it holds.
fn without_zeros(part: &[u8]) -> &[u8] {
    const ZEROS: [u8; 4096] = [0; 4096];
    /// What ends in zeros stays whole.
    const KEPT: usize = 64;
    let mut used = part;
    while let Some((before, last)) = used.split_last_chunk::<4096>()
        && *last == ZEROS
    {
        used = before;
    }
    part.get(..used.len() + KEPT).unwrap_or(part)
}

/// What was read; `None` if it is not there, or not any more.
fn there<T>(path: &Path, read: std::io::Result<T>) -> Outcome<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

impl Audit {
    /// Looks at every file below a folder.
    pub(super) fn walk(&mut self, root: Root, top: &Path) -> Outcome<()> {
        let mut folders = vec![top.to_owned()];
        while let Some(folder) = folders.pop() {
            let Some(items) = there(&folder, folder.read_dir())? else { continue };
            for item in items {
                let Some(item) = there(&folder, item)? else { continue };
                let Some(kind) = there(&folder, item.file_type())? else { continue };
                if kind.is_dir() {
                    folders.push(item.path());
                } else {
                    self.item(root, top, &item, kind.is_file())?;
                }
            }
        }
        Ok(())
    }

    fn item(&mut self, root: Root, top: &Path, item: &DirEntry, is_file: bool) -> Outcome<()> {
        let path = item.path();
        let name = path.strip_prefix(top).unwrap_or(&path).display().to_string();
        if is_file {
            let Some(changed) = self.read(&root.call(&name), &path)? else { return Ok(()) };
            if root == Root::Data && name.starts_with("store/") {
                self.changed = self.changed.max(changed);
            }
        }
        self.classify(root, &name);
        Ok(())
    }

    /// Looks at a file; when it was changed last.
    fn read(&mut self, place: &str, path: &Path) -> Outcome<Option<Seconds>> {
        let Some(mut file) = there(path, File::open(path))? else { return Ok(None) };
        let Some(about) = there(path, file.metadata())? else { return Ok(None) };
        let changed = Seconds(u32::try_from(about.mtime()).unwrap_or_default());
        self.report.files += 1;
        if !self.search.is_any() {
            self.report.bytes += about.len();
            return Ok(Some(changed));
        }
        let length = usize::try_from(about.len()).unwrap_or(PART_BYTES);
        let mut part = Vec::with_capacity(length.min(PART_BYTES));
        loop {
            self.check_wanted()?;
            let room = PART_BYTES - part.len();
            let read = (&mut file).take(room as u64).read_to_end(&mut part);
            let Some(read) = there(path, read)? else { break };
            self.report.bytes += read as u64;
            if read > 0 {
                self.search.look(place, without_zeros(&part));
            }
            if read < room {
                break;
            }
            part.drain(..PART_BYTES - OVERLAP_BYTES);
        }
        Ok(Some(changed))
    }

    /// Says what a file is; one that belongs to nothing is unknown.
    fn classify(&mut self, root: Root, name: &str) {
        let is_known = match root {
            Root::Keyring | Root::Mirror => KNOWN_KEYS.contains(&name),
            Root::Data => self.is_data(name),
        };
        if !is_known {
            self.report.unknown.push(format!("file {}", root.call(name)));
        }
    }

    /// Whether a file belongs to the data; if it is one of a class, it is counted.
    fn is_data(&mut self, name: &str) -> bool {
        if let Some(segment) = name.strip_prefix("segments/").and_then(segment) {
            self.count_segment(segment);
            return true;
        }
        if let Some(name) = name.strip_prefix("blobs/") {
            // One that is being written has no other name yet.
            let file = BlobFile::parse(name.strip_suffix(".new").unwrap_or(name));
            file.inspect(|file| self.count_blob(*file));
            return file.is_some();
        }
        name.starts_with("store/") || KNOWN_FILES.contains(&name)
    }

    fn count_blob(&mut self, file: BlobFile) {
        let now = Seconds(crate::context::seconds_now());
        let count = self.report.classes.entry(file.class.name().to_owned()).or_default();
        count.add(Standing::of(file.end, file.end, now), None);
    }

    fn count_segment(&mut self, segment: SegmentId) {
        let now = Seconds(crate::context::seconds_now());
        let end = Stamps::hourly(segment.app, segment.class, segment.hour).end();
        // Copies are named by the hour in which they end, not by that in which they were made.
        let made =
            (segment.class != DataClass::Preserved).then(|| Seconds(segment.hour.saturating_mul(3600)));
        let count = self.report.classes.entry(segment.class.name().to_owned()).or_default();
        count.add(Standing::of(end, end, now), made);
    }
}

/// The segment that a file's name says, if segments of its class are ever written.
fn segment(name: &str) -> Option<SegmentId> {
    let parts: Vec<u32> = name.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [class, app, hour] = parts[..] else { return None };
    let class = DataClass::from_code(u8::try_from(class).ok()?)?;
    is_written(class).then_some(SegmentId { app: SdkAppId(app), class, hour })
}

/// Whether there are segments of a class.
pub(super) const fn is_written(class: DataClass) -> bool {
    matches!(class, DataClass::Log | DataClass::Monitoring | DataClass::Preserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zeros_at_the_end_are_left_out() {
        let mut part = vec![0; 100_000];
        assert!(without_zeros(&part).len() < 8192);
        part[50_000] = 1;
        let used = without_zeros(&part).len();
        assert!((50_001..60_000).contains(&used), "{used}");
        part[99_999] = 1;
        assert_eq!(without_zeros(&part).len(), 100_000);
        assert!(without_zeros(&[]).is_empty());
    }

    #[test]
    fn segments_are_known_by_their_names() {
        let id = |class| SegmentId { app: SdkAppId(2), class, hour: 7 };
        for (name, expected) in [
            ("1-2-7", Some(id(DataClass::Log))),
            ("2-2-7", Some(id(DataClass::Monitoring))),
            ("13-2-7", Some(id(DataClass::Preserved))),
            ("5-2-7", None),
            ("1-2", None),
            ("1-2-7-1", None),
            ("1-2-7.new", None),
        ] {
            assert_eq!(segment(name), expected, "{name}");
        }
    }
}
