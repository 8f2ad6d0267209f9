//! The published behaviour suite of the Records port, and what it does not ask, on a real MariaDB server.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of an adapter do I/O, and end by panicking"
)]

mod common;
mod contention;
mod faults;
mod relay;
mod transactions;
mod upkeep;

use std::sync::Arc;

use embedded::MemoryEphemeral;
use mysql_store::{Access, MySqlRecords};
use ports::suite::{ManualClock, Part, Stores, Subjects, run_part};
use simulated::{MemoryBlobs, MemorySegments, SimulatedStore};

const DATABASE: &str = "whimbrel_suite";

/// A database that is emptied for each case; the ports that MySQL does not have are simulated.
struct MySql {
    runtime: tokio::runtime::Handle,
}

impl MySql {
    fn open(&self, clock: &Arc<ManualClock>, is_emptied: bool) -> Stores {
        let (clock, runtime) = (Arc::clone(clock), self.runtime.clone());
        let connect = std::thread::spawn({
            let clock = Arc::clone(&clock);
            move || {
                runtime.block_on(async {
                    if is_emptied {
                        common::fresh(DATABASE).await;
                    }
                    let access = Access::new(&common::address_of(DATABASE), None).unwrap();
                    MySqlRecords::connect(access, clock).await.unwrap()
                })
            }
        });
        let records = Arc::new(connect.join().unwrap());
        let ephemeral = Arc::new(MemoryEphemeral::new(clock.clone()));
        let blobs = Arc::new(MemoryBlobs::new(clock.clone(), 0));
        let others = Arc::new(SimulatedStore::new(clock));
        Stores {
            records,
            timeline: others.clone(),
            bus: others,
            ephemeral,
            segments: Arc::new(MemorySegments::default()),
            blobs,
        }
    }
}

impl Subjects for MySql {
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.open(&clock, true)
    }

    fn after_crash(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.open(&clock, false)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_behaves_as_the_port_promises() {
    let mut subjects = MySql { runtime: tokio::runtime::Handle::current() };
    assert!(run_part(Part::Records, &mut subjects).await.len() >= 7);
}
