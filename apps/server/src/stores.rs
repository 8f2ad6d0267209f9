//! Opens the stores of a data folder and starts the engine over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use embedded::{
    EmbeddedStore, FolderBlobs, FolderSegments, FolderVault, MemoryEphemeral, Options, Outer, VaultOptions,
};
use engine::{Context, Engine};

use crate::cli::Outcome;
use crate::config::Config;
use crate::context::{SystemClock, SystemRandom, TokioSpawner};

/// The exit status after a failed write: the next start recovers.
pub(crate) const STORE_FAILED: i32 = 70;

/// The stores of a folder and what runs on them.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) engine: Arc<Engine>,
    /// The folder.
    pub(crate) data: PathBuf,
    /// How many accounts were erased again since a backup was restored.
    pub(crate) forgotten: u64,
    /// Whether the keyring has a second place.
    pub(crate) has_mirror: bool,
}

/// Opens the store of a folder. Called inside a tokio runtime.
pub(crate) fn open_store(data: &Path, free_bytes_min: u64) -> Outcome<Arc<EmbeddedStore>> {
    EmbeddedStore::open(options(data, free_bytes_min)).map(Arc::new).map_err(|fault| fault.to_string())
}

/// Opens the store of a folder to look at it: nothing expires. Called inside a tokio runtime.
pub(crate) fn open_to_look(data: &Path) -> Outcome<EmbeddedStore> {
    EmbeddedStore::open_to_look(options(data, 0)).map_err(|fault| fault.to_string())
}

fn options(data: &Path, free_bytes_min: u64) -> Options {
    Options {
        folder: data.to_owned(),
        free_bytes_min,
        clock: Arc::new(SystemClock::new()),
        spawner: Arc::new(TokioSpawner),
        fatal: Box::new(|what| {
            tracing::error!("{what}");
            eprintln!("whimbrel: {what}");
            std::process::exit(STORE_FAILED);
        }),
    }
}

/// Opens the vault in a folder and, if it has one, its mirror.
pub(crate) fn open_vault(folder: PathBuf, mirror: Option<PathBuf>) -> Outcome<FolderVault> {
    let outer_key = crate::outer_key::find()?.map(Outer::Key);
    let options = VaultOptions { folder, mirror, outer_key, random: Arc::new(SystemRandom) };
    FolderVault::open(options).map_err(|fault| fault.to_string())
}

/// Opens a folder and starts the engine. Below `free_bytes_min` nothing new is stored.
pub(crate) async fn open(data: &Path, config: &Config, free_bytes_min: u64) -> Outcome<Opened> {
    let store = open_store(data, free_bytes_min)?;
    let vault = Arc::new(open_vault(config.keys_folder(data)?, config.keys_mirror(data)?)?);
    let segments =
        FolderSegments::open(data.join("segments"), free_bytes_min).map_err(|fault| fault.to_string())?;
    let clock = Arc::new(SystemClock::new());
    let blobs = FolderBlobs::open(data.join("blobs"), free_bytes_min, clock.clone());
    let context = Context {
        records: store.clone(),
        timeline: store.clone(),
        bus: store.clone(),
        ephemeral: Arc::new(MemoryEphemeral::new(clock.clone())),
        segments: Arc::new(segments),
        blobs: Arc::new(blobs.map_err(|fault| fault.to_string())?),
        vault,
        clock,
        random: Arc::new(SystemRandom),
        spawner: Arc::new(TokioSpawner),
    };
    let engine = Engine::start(context, config.engine_options()).await.map_err(|error| {
        format!("cannot start: {}", error.cause.as_deref().unwrap_or(error.info.as_ref()))
    })?;
    let forgotten = crate::backup::forget_after_restore(data, &engine).await?;
    let has_mirror = config.keys_mirror(data)?.is_some();
    Ok(Opened { store, engine, data: data.to_owned(), forgotten, has_mirror })
}
