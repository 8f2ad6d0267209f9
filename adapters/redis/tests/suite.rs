//! The published behaviour suite of the Ephemeral port, on a real Redis server.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of an adapter do I/O, and end by panicking"
)]

use std::sync::Arc;

use ports::suite::{ManualClock, Part, Stores, Subjects, run_part};
use redis_store::RedisEphemeral;
use simulated::{MemoryBlobs, MemorySegments, SimulatedStore};

fn address() -> String {
    std::env::var("WHIMBREL_TEST_REDIS").unwrap()
}

/// The server, emptied for each case; the ports that Redis does not have are simulated.
struct Redis {
    runtime: tokio::runtime::Handle,
}

impl Redis {
    fn open(&self, clock: &Arc<ManualClock>, is_emptied: bool) -> Stores {
        let (clock, runtime) = (Arc::clone(clock), self.runtime.clone());
        let connect = std::thread::spawn({
            let clock = Arc::clone(&clock);
            move || {
                runtime.block_on(async {
                    if is_emptied {
                        let client = redis::Client::open(address()).unwrap();
                        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
                        redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
                    }
                    RedisEphemeral::connect(&address(), clock).await.unwrap()
                })
            }
        });
        let ephemeral = Arc::new(connect.join().unwrap());
        let others = Arc::new(SimulatedStore::new(clock.clone()));
        Stores {
            records: others.clone(),
            timeline: others.clone(),
            bus: others,
            ephemeral,
            segments: Arc::new(MemorySegments::default()),
            blobs: Arc::new(MemoryBlobs::new(clock, 0)),
        }
    }
}

impl Subjects for Redis {
    fn fresh(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.open(&clock, true)
    }

    fn after_crash(&mut self, clock: Arc<ManualClock>) -> Stores {
        self.open(&clock, false)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_behaves_as_the_port_promises() {
    let mut subjects = Redis { runtime: tokio::runtime::Handle::current() };
    assert!(run_part(Part::Ephemeral, &mut subjects).await.len() >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_or_lets_nobody_in_is_unavailable_and_no_password_is_said() {
    let clock = || Arc::new(ManualClock::default());
    let wrong = address().replacen("redis://:", "redis://:wrong", 1);
    for address in [wrong.as_str(), "redis://:secret@127.0.0.1:1/0", "no address with secret"] {
        let Err(fault) = RedisEphemeral::connect(address, clock()).await else { unreachable!("{address}") };
        let said = fault.to_string();
        assert!(!said.contains("secret") && !said.contains("wrong"), "{said}");
    }
}
