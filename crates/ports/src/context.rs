//! Time, dice and tasks, taken from the context so that a test can own them.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use model::Millis;

/// What time it is, and waiting.
pub trait Clock: Send + Sync {
    /// The wall clock. May jump in either direction.
    fn now(&self) -> Millis;

    /// Microseconds that only grow, for measuring.
    fn elapsed_micros(&self) -> u64;

    /// Completes after this long.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);

    /// A number of 32 random bits.
    fn next_u32(&self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }
}

/// Runs tasks beside the caller.
pub trait Spawner: Send + Sync {
    /// Runs `task` until it ends. A panic in it ends that task alone.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>);

    /// Runs work that computes for long and waits for nothing where it holds up no task. Where there is no such place, and in
    /// tests, it runs at once.
    fn compute(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}
