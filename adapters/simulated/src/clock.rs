//! A clock that follows the runtime's (which tests pause and move), and dice with a seed.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use model::Millis;
use parking_lot::Mutex;
use ports::{Clock, Random};

/// Wall time that starts at a given moment and moves with the runtime's time, plus what a test adds.
pub struct SimulatedClock {
    start: Mutex<Millis>,
    began: tokio::time::Instant,
}

impl SimulatedClock {
    /// A clock that shows `start` now.
    #[must_use]
    pub fn new(start: Millis) -> Self {
        Self { start: Mutex::new(start), began: tokio::time::Instant::now() }
    }

    /// Moves the wall clock alone, as an operator or a time server would; waiting is not affected.
    pub fn jump(&self, millis: i64) {
        let mut start = self.start.lock();
        *start = Millis(start.0.saturating_add_signed(millis));
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Millis {
        self.start.lock().plus(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn elapsed_micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Dice that fall the same way for the same seed (`SplitMix64`). Never for secrets.
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// Dice with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock();
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let word = (mixed ^ (mixed >> 31)).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}
