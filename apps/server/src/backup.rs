//! Backups and restores. Ciphertext only: never the keyring.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use embedded::EmbeddedStore;
use engine::Engine;

use crate::cli::{Data, Outcome};
use crate::config::Config;
use crate::stores::Opened;

/// The store in a backup.
const STORE: &str = "store.backup";

/// In a data folder: that a backup was restored, and what was erased since is not erased again yet.
pub(crate) const MARKER: &str = "restored";

/// The segments in a backup and in a data folder.
const SEGMENTS: &str = "segments";

/// The objects in a backup and in a data folder.
const BLOBS: &str = "blobs";

fn cannot(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let what = format!("cannot {what} {}", path.display());
    move |error| format!("{what}: {error}")
}

fn make(folder: &Path) -> Outcome<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot("make", folder))
}

/// Writes a backup of an open store to a new folder.
pub(crate) async fn write(opened: &Opened, to: &Path, without_mirror: bool) -> Outcome<String> {
    if !opened.has_mirror && !without_mirror {
        return Err("a backup holds no keys, and the keyring has no mirror: if its folder is lost, the backup cannot \
                    be read. Set keys.mirror, or say --without-mirror"
            .to_owned());
    }
    if to.exists() && to.read_dir().map_err(cannot("read", to))?.next().is_some() {
        return Err(format!("{} is not empty", to.display()));
    }
    make(to)?;
    // Whole or not there: the name is given when everything is written.
    let (part, whole) = (to.join("store.part"), to.join(STORE));
    let mut options = OpenOptions::new();
    let file = options.create_new(true).write(true).mode(0o600).open(&part).map_err(cannot("make", &part))?;
    let items = opened.store.backup(file).await.map_err(|fault| fault.to_string())?;
    if let Err(error) = opened.engine.write_requests().await {
        return Err(error.info.into_owned());
    }
    let segments = copy_folder(&opened.data.join(SEGMENTS), &to.join(SEGMENTS))?;
    // Those that came or went meanwhile are made anew, or removed, by who restores.
    let objects = copy_folder(&opened.data.join(BLOBS), &to.join(BLOBS))?;
    std::fs::rename(&part, &whole).map_err(cannot("name", &whole))?;
    File::open(to).and_then(|folder| folder.sync_all()).map_err(cannot("sync", to))?;
    Ok(format!("{items} items, {segments} segments and {objects} objects in {}; no keys", to.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Outcome<usize> {
    make(to)?;
    if !from.exists() {
        return Ok(0);
    }
    let mut count = 0;
    for item in from.read_dir().map_err(cannot("read", from))? {
        let item = item.map_err(cannot("read", from))?.path();
        let Some(name) = item.file_name() else { continue };
        match std::fs::copy(&item, to.join(name)) {
            Ok(_) => count += 1,
            // Its time is over meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(cannot("copy", &item)(error)),
        }
    }
    Ok(count)
}

/// Makes a data folder out of a backup, and takes out again what was erased since.
pub(crate) fn restore(data: &Data, from: &Path) -> Outcome<String> {
    let config = Config::load(data.config.as_deref(), std::env::vars())?;
    let source = from.join(STORE);
    let file = File::open(&source).map_err(cannot("read", &source))?;
    make(&data.data)?;
    // Without its keys the data would be worth nothing: better to know before.
    let keys = config.keys_folder(&data.data)?;
    let mirror = config.keys_mirror(&data.data)?;
    if !keys.exists() && !mirror.as_ref().is_some_and(|mirror| mirror.exists()) {
        return Err(format!("there is no keyring in {} and no mirror of it", keys.display()));
    }
    if data.data.join("store").exists() {
        return Err(format!("{} is there already", data.data.join("store").display()));
    }
    // From here on every start erases again what the keys say is erased, until that is done once.
    let marker = data.data.join(MARKER);
    std::fs::write(&marker, b"").map_err(cannot("make", &marker))?;
    let items = EmbeddedStore::restore(&data.data, file).map_err(|fault| fault.to_string())?;
    copy_folder(&from.join(SEGMENTS), &data.data.join(SEGMENTS))?;
    copy_folder(&from.join(BLOBS), &data.data.join(BLOBS))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let opened = crate::stores::open(&data.data, &config, 0).await?;
        let forgotten = opened.forgotten;
        opened.store.close().await.map_err(|fault| fault.to_string())?;
        Ok(format!("{items} items restored; {forgotten} accounts that were erased since are erased again"))
    })
}

/// Erases again what was erased before a backup was restored, if one was; how many accounts.
pub(crate) async fn forget_after_restore(data: &Path, engine: &Arc<Engine>) -> Outcome<u64> {
    let marker = data.join(MARKER);
    if !marker.exists() {
        return Ok(0);
    }
    let forgotten = engine.forget_destroyed().await.map_err(|error| error.info.into_owned())?;
    std::fs::remove_file(&marker).map_err(cannot("remove", &marker))?;
    Ok(forgotten)
}

/// A folder as the server sees it, wherever it was asked from.
pub(crate) fn absolute(folder: PathBuf) -> Outcome<PathBuf> {
    std::path::absolute(&folder).map_err(cannot("find", &folder))
}
