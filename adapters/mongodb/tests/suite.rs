//! The published behaviour suite of the Timeline port, on a real server.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of an adapter do I/O, and end by panicking"
)]

mod common;

use std::sync::Arc;

use ports::suite::{ManualClock, Part, Stores, Subjects, run_part};
use simulated::SimulatedStore;

/// A database for each case; the ports that MongoDB does not have are simulated.
struct Mongo {
    runtime: tokio::runtime::Handle,
    database: String,
}

impl Mongo {
    fn open(&self, clock: &Arc<ManualClock>) -> Stores {
        let (clock, runtime) = (Arc::clone(clock), self.runtime.clone());
        let connect = std::thread::spawn({
            let (clock, database) = (Arc::clone(&clock), self.database.clone());
            move || runtime.block_on(common::connect(&database, clock))
        });
        let store = Arc::new(connect.join().unwrap());
        let others = Arc::new(SimulatedStore::new(clock.clone()));
        Stores {
            records: others.clone(),
            timeline: store.clone(),
            bus: store,
            ephemeral: Arc::new(embedded::MemoryEphemeral::new(clock.clone())),
            segments: Arc::new(simulated::MemorySegments::default()),
            blobs: Arc::new(simulated::MemoryBlobs::new(clock, 0)),
        }
    }
}

impl Subjects for Mongo {
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.database = common::fresh_name();
        self.open(&clock)
    }

    fn after_crash(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.open(&clock)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_behaves_as_the_port_promises() {
    let mut subjects = Mongo { runtime: tokio::runtime::Handle::current(), database: String::new() };
    assert!(run_part(Part::Timeline, &mut subjects).await.len() >= 30);
}
