//! Tasks of one server, which end together when it crashes.

use std::future::Future;
use std::pin::Pin;

use parking_lot::Mutex;
use ports::Spawner;
use tokio::task::AbortHandle;

/// Runs tasks on the test's runtime and remembers them.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<Vec<AbortHandle>>);

impl Tasks {
    /// Ends every task where it stands, as a crash does.
    pub(crate) fn abort(&self) {
        for task in self.0.lock().drain(..) {
            task.abort();
        }
    }
}

impl Spawner for Tasks {
    #[expect(clippy::disallowed_methods, reason = "this is the spawner that the context hands out")]
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let mut tasks = self.0.lock();
        tasks.retain(|task| !task.is_finished());
        tasks.push(tokio::spawn(task).abort_handle());
    }
}
