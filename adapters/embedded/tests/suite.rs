//! The published behaviour suite, on the embedded store.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests of an adapter do I/O")]

use std::path::PathBuf;
use std::sync::Arc;

use embedded::{EmbeddedStore, FolderBlobs, FolderSegments, MemoryEphemeral, Options};
use ports::suite::{ManualClock, Stores, Subjects, run};

struct Tokio;

impl ports::Spawner for Tokio {
    fn spawn(&self, task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
    }
}

struct Embedded {
    root: tempfile::TempDir,
    count: u32,
}

impl Embedded {
    fn folder(&self) -> PathBuf {
        self.root.path().join(self.count.to_string())
    }

    fn open(&self, clock: Arc<ManualClock>) -> Stores {
        let options = Options {
            folder: self.folder(),
            free_bytes_min: 0,
            clock: clock.clone(),
            spawner: Arc::new(Tokio),
            fatal: Box::new(|what| unreachable!("{what}")),
        };
        let store = match EmbeddedStore::open(options) {
            Ok(store) => Arc::new(store),
            Err(fault) => unreachable!("cannot open: {fault}"),
        };
        let segments = match FolderSegments::open(self.folder().join("segments"), 0) {
            Ok(segments) => segments,
            Err(fault) => unreachable!("cannot open: {fault}"),
        };
        let blobs = match FolderBlobs::open(self.folder().join("blobs"), 0, clock.clone()) {
            Ok(blobs) => blobs,
            Err(fault) => unreachable!("cannot open: {fault}"),
        };
        Stores {
            records: store.clone(),
            timeline: store.clone(),
            bus: store,
            ephemeral: Arc::new(MemoryEphemeral::new(clock)),
            segments: Arc::new(segments),
            blobs: Arc::new(blobs),
        }
    }
}

impl Subjects for Embedded {
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.count += 1;
        self.open(clock)
    }

    fn after_crash(&mut self, clock: Arc<ManualClock>) -> Stores {
        // What a killed process would leave: the files as they are now, copied while nothing was closed in order.
        let from = self.folder();
        self.count += 1;
        let status = std::process::Command::new("cp").arg("-r").arg(from).arg(self.folder()).status();
        assert!(status.is_ok_and(|status| status.success()), "cp");
        self.open(clock)
    }
}

#[tokio::test]
async fn the_embedded_store_behaves_as_ports_promise() {
    let Ok(root) = tempfile::tempdir() else { unreachable!("a temporary folder") };
    assert!(run(&mut Embedded { root, count: 0 }).await.len() >= 34);
}
