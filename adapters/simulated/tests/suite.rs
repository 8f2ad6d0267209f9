//! The published behaviour suite, on the stores in memory.

use std::sync::Arc;

use ports::suite::{ManualClock, Stores, Subjects, run};
use simulated::SimulatedStore;

struct Simulated(Option<(SimulatedStore, Arc<embedded::MemoryEphemeral>, Arc<simulated::MemoryBlobs>)>);

impl Simulated {
    fn stores(&self) -> Stores {
        let Some((store, ephemeral, blobs)) = self.0.clone() else { unreachable!("made before") };
        Stores {
            records: Arc::new(store.clone()),
            timeline: Arc::new(store.clone()),
            bus: Arc::new(store),
            ephemeral,
            segments: Arc::new(simulated::MemorySegments::default()),
            blobs,
        }
    }
}

impl Subjects for Simulated {
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores {
        let ephemeral = Arc::new(embedded::MemoryEphemeral::new(clock.clone()));
        let blobs = Arc::new(simulated::MemoryBlobs::new(clock.clone(), 0));
        self.0 = Some((SimulatedStore::new(clock), ephemeral, blobs));
        self.stores()
    }

    fn after_crash(&mut self, _: Arc<ManualClock>) -> Stores {
        if let Some((store, _, blobs)) = &self.0 {
            store.crash();
            blobs.crash();
        }
        self.stores()
    }
}

#[tokio::test]
async fn simulated_stores_behave_as_ports_promise() {
    assert!(run(&mut Simulated(None)).await.len() >= 34);
}
