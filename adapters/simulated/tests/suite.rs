//! The published behaviour suite, on the stores in memory.

use std::sync::Arc;

use ports::suite::{ManualClock, Stores, Subjects, run};
use simulated::SimulatedStore;

struct Simulated(Option<(SimulatedStore, Arc<embedded::MemoryEphemeral>)>);

impl Simulated {
    fn stores(&self) -> Stores {
        let Some((store, ephemeral)) = self.0.clone() else { unreachable!("made before") };
        Stores {
            records: Arc::new(store.clone()),
            timeline: Arc::new(store.clone()),
            bus: Arc::new(store),
            ephemeral,
            segments: Arc::new(simulated::MemorySegments::default()),
        }
    }
}

impl Subjects for Simulated {
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores {
        let ephemeral = Arc::new(embedded::MemoryEphemeral::new(clock.clone()));
        self.0 = Some((SimulatedStore::new(clock), ephemeral));
        self.stores()
    }

    fn after_crash(&mut self, _: Arc<ManualClock>) -> Stores {
        if let Some((store, _)) = &self.0 {
            store.crash();
        }
        self.stores()
    }
}

#[tokio::test]
async fn simulated_stores_behave_as_ports_promise() {
    assert!(run(&mut Simulated(None)).await.len() >= 29);
}
