//! The files of one place, and every step that changes them.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ports::Fault;

/// The largest file that is read: a state with many millions of seeds.
const FILE_BYTES_MAX: u64 = 4 << 30;

/// Counts the steps that change files, so that a test can stop before any of them.
#[derive(Clone, Default)]
pub(super) struct Steps {
    taken: Arc<AtomicU64>,
    /// Before this step everything stops; 0: never.
    stop_before: Arc<AtomicU64>,
}

impl Steps {
    #[cfg(test)]
    pub(super) fn stop_before(step: u64) -> Self {
        Self { taken: Arc::default(), stop_before: Arc::new(AtomicU64::new(step)) }
    }

    fn step(&self) -> std::io::Result<()> {
        let step = self.taken.fetch_add(1, Ordering::AcqRel) + 1;
        let stop = self.stop_before.load(Ordering::Acquire);
        if stop != 0 && step >= stop {
            return Err(std::io::Error::other("stopped"));
        }
        Ok(())
    }
}

/// The files of one place.
pub(super) struct Files {
    folder: PathBuf,
    steps: Steps,
}

impl Files {
    /// Uses a folder, for its owner alone.
    pub(super) fn open(folder: PathBuf, steps: Steps) -> Result<Self, Fault> {
        let files = Self { folder, steps };
        files.told("use", &files.folder, files.make_folder())?;
        Ok(files)
    }

    /// Makes the folder if it is not there; one that is there keeps its rights, its files have their own.
    fn make_folder(&self) -> std::io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        std::fs::set_permissions(&self.folder, Permissions::from_mode(0o700))?;
        match self.folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
            _ => Ok(()),
        }
    }

    /// Takes the place for this process, as long as the file is held.
    pub(super) fn lock(&self) -> Result<File, Fault> {
        let path = self.folder.join("lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = self.told("open", &path, open)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| Fault::Unavailable(format!("{} is in use by another process", self.name())))?;
        Ok(file)
    }

    /// What the place is called in messages.
    pub(super) fn name(&self) -> String {
        self.folder.display().to_string()
    }

    fn told<T>(&self, verb: &str, path: &Path, done: std::io::Result<T>) -> Result<T, Fault> {
        done.map_err(|error| Fault::Unavailable(format!("cannot {verb} {}: {error}", path.display())))
    }

    /// The content of a file; `None` if there is no such file.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.folder.join(name);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => self.told("read", &path, Err(error)),
        }
    }

    /// Writes a file of any size and syncs it.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.folder.join(name);
        let write = || {
            self.steps.step()?;
            let mut file =
                OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path)?;
            self.fill(&mut file, bytes)
        };
        self.told("write", &path, write())
    }

    /// Writes a file where it stands, with what it already has of space, and syncs it.
    pub(super) fn overwrite(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.folder.join(name);
        let write = || {
            self.steps.step()?;
            let mut file =
                OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path)?;
            file.rewind()?;
            self.fill(&mut file, bytes)
        };
        self.told("overwrite", &path, write())
    }

    fn fill(&self, file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.steps.step()?;
        file.write_all(first)?;
        self.steps.step()?;
        file.write_all(second)?;
        self.steps.step()?;
        file.sync_all()
    }

    /// Adds entries of one length to a file and syncs it. What a crash left of an entry is cut off before.
    pub(super) fn append(&self, name: &str, entry_bytes: u64, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.folder.join(name);
        let write = || {
            self.steps.step()?;
            let mut file =
                OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path)?;
            let length = file.metadata()?.len();
            file.set_len(length - length % entry_bytes)?;
            file.seek(std::io::SeekFrom::End(0))?;
            self.fill(&mut file, bytes)
        };
        self.told("add to", &path, write())
    }

    /// Replaces a file that holds no secret: it is the former or the new one at any moment.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let beside = format!("{name}.new");
        self.write(&beside, bytes)?;
        let path = self.folder.join(name);
        self.told("replace", &path, self.steps.step())?;
        self.told("replace", &path, std::fs::rename(self.folder.join(beside), &path))?;
        self.sync_folder()
    }

    /// Makes the names of new files durable.
    pub(super) fn sync_folder(&self) -> Result<(), Fault> {
        let sync = || {
            self.steps.step()?;
            File::open(&self.folder)?.sync_all()
        };
        self.told("sync", &self.folder, sync())
    }
}
