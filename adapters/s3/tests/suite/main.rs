//! The published behaviour suite of the Blobs port, and what else can happen, on a real server.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of an adapter do I/O, and end by panicking"
)]

mod bucket;
mod faults;
mod objects;
mod relay;
mod support;

use std::sync::Arc;

use ports::suite::{ManualClock, Part, Stores, Subjects, run_part};
use s3_store::S3Blobs;
use simulated::{MemorySegments, SimulatedStore};

/// A prefix of its own for each case; the ports that S3 does not have are simulated.
struct Bucket {
    runtime: tokio::runtime::Handle,
    prefix: String,
}

impl Bucket {
    fn open(&self, clock: Arc<ManualClock>) -> Stores {
        let (settings, runtime) = (support::settings(&self.prefix), self.runtime.clone());
        let connect = std::thread::spawn({
            let clock = Arc::clone(&clock);
            move || runtime.block_on(S3Blobs::connect(&settings, clock)).unwrap()
        });
        let blobs = Arc::new(connect.join().unwrap());
        let others = Arc::new(SimulatedStore::new(clock.clone()));
        Stores {
            records: others.clone(),
            timeline: others.clone(),
            bus: others,
            ephemeral: Arc::new(embedded::MemoryEphemeral::new(clock)),
            segments: Arc::new(MemorySegments::default()),
            blobs,
        }
    }
}

impl Subjects for Bucket {
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.prefix = support::prefix();
        self.open(clock)
    }

    fn after_crash(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.open(clock)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_behaves_as_the_port_promises() {
    support::make_bucket(support::BUCKET, &[]).await;
    let mut subjects = Bucket { runtime: tokio::runtime::Handle::current(), prefix: String::new() };
    assert!(run_part(Part::Blobs, &mut subjects).await.len() >= 6);
}
